import { count, duration, flag, threshold } from '../leaf.js';

/** What is refused when there is too much of it. */
export const overload_protection = {
  enabled: flag('true', 'Enforce the limits of this section.'),
  max_connections: count(
    '50000',
    'Connections at once; more get 503, and above 1.1 times that are refused at once. About 60 KB each.',
    { min: 1, max: 10_000_000 },
  ),
  connection_warning_threshold: threshold(
    'Connections from which on a warning is logged; below 1 a share of max_connections.',
  ),
  max_qps: count('50000', 'Business requests per second; more get 429. 0 is no limit.'),
  qps_warning_threshold: threshold(
    'Requests per second from which on a warning is logged; below 1 a share of max_qps.',
  ),
  qps_window_seconds: count('10', 'Seconds over which requests per second are averaged.', {
    min: 1,
    max: 3600,
  }),
  max_upstream_concurrent: count(
    '10000',
    'Requests waiting for upstreams at once; more get 503. 0 is no limit.',
  ),
  upstream_warning_threshold: threshold(
    'Waiting requests from which on a warning is logged; below 1 a share of max_upstream_concurrent.',
  ),
  upstream_timeout: duration('30s', 'A request unanswered for so long gets 504.', { min: 10 }),
};
