import { count, duration, flag, size, threshold } from '../leaf.js';

/** What is refused when there is too much of it. */
export const overload_protection = {
  enabled: flag('true', 'Enforce the limits of this section.'),
  max_connections: count(
    '50000',
    'Connections at once; more get 503, unless they take over from one that is there, and above 1.1 times that are refused at once. About 50 KB each.',
    { min: 1, max: 10_000_000 },
  ),
  connection_warning_threshold: threshold(
    'Connections from which on a warning is logged; up to 1 a share of max_connections.',
  ),
  max_qps: count(
    '50000',
    'Business requests per second, averaged over qps_window_seconds; more get 503. Heartbeats, acknowledgements, START and STOP always pass. 0 is no limit.',
  ),
  qps_warning_threshold: threshold(
    'Requests per second from which on a warning is logged; up to 1 a share of max_qps.',
  ),
  qps_window_seconds: count('10', 'Seconds over which requests per second are averaged.', {
    min: 1,
    max: 3600,
  }),
  max_upstream_concurrent: count(
    '10000',
    'Requests waiting for upstreams at once; more get 503. 0 is no limit.',
  ),
  max_upstream_bytes: size(
    '512MiB',
    'Bytes of requests waiting for upstreams at once; more get 503. 0 is no limit.',
  ),
  upstream_warning_threshold: threshold(
    'Waiting requests from which on a warning is logged; up to 1 a share of max_upstream_concurrent.',
  ),
  upstream_timeout: duration('30s', 'A request unanswered for so long gets 504.', { min: 10 }),
  session_qps: count(
    '0',
    'Business requests per second of one session; more get 429 with retry_after_ms in the detail. 0 is no limit.',
    { max: 1_000_000 },
  ),
  session_burst: count('1', 'Requests that a session may send at once after a quiet time.', {
    max: 1_000_000,
  }).following('overload_protection.session_qps'),
  address_connections: count(
    '0',
    'Connections of one address, an IPv6 /64 counting as one; more get 429, unless they take over from one that is there, and above 1.1 times that are refused at once. As many more may wait for their stream, and as many of HTTP/3 be open without a session. 0 is no limit.',
  ),
  address_connection_rate: count(
    '0',
    'New connections per second of one address, as many at once; more are closed with 429. 0 is no limit.',
    { max: 1_000_000 },
  ),
  max_event_loop_delay: duration(
    '500ms',
    'New connections get 503 while events wait longer than this; existing ones go on. 0 is never.',
  ),
};
