import {
  choice,
  count,
  dialAddress,
  duration,
  file,
  flag,
  listenAddress,
  optionalFile,
  text,
} from '../leaf.js';

/** The pair of a primary and its hot standby. */
export const backup = {
  enabled: flag('false', 'This gateway is one of a pair.'),
  mode: choice(
    'primary',
    ['primary', 'backup'],
    'The role of a gateway that never ran; later its role_file knows.',
  ),
  server_id: text('Name of this gateway within the pair; the peer has another one.'),
  cluster_id: text(
    'What both gateways call their pair: a gateway of another pair is refused. None: gatesvr.',
  ),
  role_file: optionalFile(
    'Where this gateway keeps its role, epoch and boot id, which it must not forget.',
  ).following('gatesvr-PORT.role.state, PORT being that of server.quic_addr; off for port 0'),
  readonly: flag('false', 'Accepted, without effect: a backup is always read-only.'),
  promote_stale: flag(
    'false',
    'A standby may take over without a complete copy, under step_down too, from a primary that it does not hear; pushes and sessions get lost.',
  ),
  on_peer_loss: choice(
    'continue',
    ['continue', 'step_down'],
    'continue: both may serve while the wire between them is cut. step_down: none serves alone until told.',
  ),
  failback: choice(
    'manual',
    ['manual', 'auto'],
    'auto: the gateway with mode primary asks for a planned switch once it was in sync for failback_after.',
  ),
  failback_after: duration('5m', 'How long without interruption, before it asks.', { min: 1_000 }),
  cluster_secret: text('Shared by the pair: proves the peer, and keys survive a failover.', true),
  heartbeat: {
    interval: duration('2s', 'Time between heartbeats.', { min: 10 }),
    peer_addr: dialAddress('Where the peer listens for heartbeats.'),
    listen_addr: listenAddress(':8093', 'Where this gateway listens for heartbeats.'),
    timeout: duration('6s', 'A peer silent for so long is taken for dead.', { min: 50 }),
  },
  sync: {
    mode: choice(
      'async',
      ['async', 'sync'],
      'sync: success means that the standby has it too. async: it may be lost with the primary.',
    ),
    on_timeout: choice(
      'degrade',
      ['degrade', 'refuse'],
      'When the standby does not confirm in sync mode: go on alone, or refuse.',
    ),
    peer_addr: dialAddress('Where the peer listens for the copy.'),
    listen_addr: listenAddress(':8094', 'Where this gateway listens for the copy.'),
    batch_size: count('50', 'Entries sent together at most.', { min: 1, max: 100_000 }),
    timeout: duration('200ms', 'Longest wait for a confirmation in sync mode.', { min: 1 }),
    buffer_size: count('1000', 'Entries waiting for the standby at most.', {
      min: 1,
      max: 10_000_000,
    }),
  },
};

/** The log on disk that survives a kill. */
export const journal = {
  path: file('Folder of the journal; without it a kill loses what memory held.'),
  fsync: choice(
    'never',
    ['never', 'interval', 'always'],
    'Success survives a kill in any case. always: also a power cut, at the price of a disk write; interval: but for the last second.',
  ),
};
