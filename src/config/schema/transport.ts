import { choice, count, duration, flag, list, optionalFile, size } from '../leaf.js';

/** The QUIC engine. */
export const quic = {
  migration: choice(
    'follow',
    ['follow', 'drop'],
    'A client whose address changes: follow it once it proved itself, or ignore the new address.',
  ),
  idle_timeout: duration('90s', 'A connection silent for so long is closed.', { min: 100 }),
  max_half_open: count(
    '1000',
    'Unfinished handshakes above which new clients must prove their address first (Retry).',
    { min: 1, max: 1_000_000 },
  ),
  retry_key_file: optionalFile(
    'Keeps the key of Retry tokens, tickets and stateless resets over restarts. Made when missing; unused when backup.cluster_secret is set.',
  ).following('gatesvr-PORT.keys.state, PORT being that of server.quic_addr; off for port 0'),
  recv_buffer: size('4MiB', 'Receive buffer of the UDP socket; the system may cap it.', {
    min: 64 * 1024,
    max: 1024 ** 3,
  }),
  send_buffer: size('4MiB', 'Send buffer of the UDP socket; the system may cap it.', {
    min: 64 * 1024,
    max: 1024 ** 3,
  }),
  budget: size(
    '64KiB',
    'Bytes of datagrams without stream data that a new connection may send before it is closed.',
    { min: 16 * 1024, max: 1024 ** 3 },
  ),
  budget_max: size('128KiB', 'What the budget may grow to as data flows.', {
    min: 16 * 1024,
    max: 1024 ** 3,
  }),
  budget_refill: size('16B', 'Bytes per second that are added to the budget.', { max: 1024 ** 2 }),
};

/** Where requests go. */
export const routing = {
  registry_file: optionalFile(
    'Keeps registered upstreams over restarts, for they register only once.',
  ).following('gatesvr-PORT.upstreams.state, PORT being that of server.quic_addr; off for port 0'),
  serialize: flag('false', 'Send the next request of a session after the answer to its last.'),
};

/** The side that upstreams talk to. */
export const grpc = {
  caller: choice(
    'http2',
    ['http2', 'grpc-js'],
    'How upstreams are called: http2 costs half the CPU, grpc-js is the library of the gRPC project. Both speak the same.',
  ),
  allow_insecure: flag('true', 'Plaintext gRPC, which is all that deployed upstreams speak.'),
  register_allow: list(
    'Networks whose upstreams may register, such as 10.0.0.0/8; empty is everyone.',
    /^[0-9a-fA-F.:]+(?:\/\d{1,3})?$/,
    'networks such as 10.0.0.0/8, separated by commas',
  ),
  max_message_bytes: size('4MiB', 'Largest gRPC message, both ways.', {
    min: 64 * 1024,
    max: 1024 ** 3,
  }),
};

/** What is written about what happens. */
export const log = {
  level: choice(
    'info',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'Least important lines that are written.',
  ),
  format: choice(
    'auto',
    ['auto', 'json', 'pretty'],
    'json for machines, pretty for people, auto: pretty at a terminal.',
  ),
};

/** The last line against an endless loop in native code. */
export const watchdog = {
  enabled: flag('true', 'Kill the process when its event loop stands still, so that it restarts.'),
  timeout: duration('5s', 'How long it may stand still.', { min: 100 }),
};
