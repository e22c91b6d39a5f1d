import { choice, count, duration, size, text } from '../leaf.js';

/** What a session may hold, and for how long. */
export const session = {
  resume_window: duration(
    '5m',
    'How long a session without a connection waits for its client.',
  ).following('server.session_timeout'),
  offline_ttl: duration(
    '0s',
    'How long pushes to an openid without a session are kept; 0 refuses them.',
  ),
  offline_max_frames: count(
    '1000',
    'Pushes kept for one openid without a session, in 90 % of outbox_max_bytes; those that its last session held are kept besides.',
  ),
  offline_max_bytes: size(
    '256MiB',
    'Memory for pushes kept for all openids without a session together; each counts 200 bytes more than it has, each openid 500.',
  ),
  max_sessions: count(
    '100000',
    'Sessions, connected or not. At so many the one that waits longest and holds nothing for its client ends for a new one; where none does, START gets 503.',
    { min: 1 },
  ).following('2 x overload_protection.max_connections'),
  auth_timeout: duration('10s', 'A connection without a successful START by then is closed.', {
    min: 100,
  }),
  heartbeat_interval: duration('30s', 'Told to clients in whole seconds; 0 is none.', {
    max: 86_400_000,
  }),
  max_in_flight: count(
    '64',
    'Unanswered requests of one session; its connection is not read further while there are so many.',
    { min: 1, max: 65_536 },
  ),
  outbox_max_frames: count('4096', 'Unacknowledged frames of one session; pushes may fill 90 %.', {
    min: 16,
    max: 1_048_576,
  }),
  outbox_max_bytes: size('4MiB', 'Unacknowledged bytes of one session; pushes may fill 90 %.', {
    min: 2 * 1024 ** 2,
    max: 1024 ** 3,
  }),
  outbox_total_bytes: size(
    '2GiB',
    'Memory for unacknowledged frames of all sessions together, each 200 bytes more than it has; pushes beyond it are refused with OUTBOX_FULL.',
    { min: 2 * 1024 ** 2 },
  ),
  slow_consumer: choice(
    'refuse',
    ['refuse', 'close'],
    'A push to a full outbox: refuse it, or refuse it and close the connection too.',
  ),
  login_action: text(
    'The action (hello, say) that must succeed upstream before others and before pushes.',
  ),
};
