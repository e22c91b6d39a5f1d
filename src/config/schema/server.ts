import {
  count,
  dialAddress,
  duration,
  file,
  listenAddress,
  networks,
  optionalFile,
  optionalListenAddress,
  publicAddress,
} from '../leaf.js';

/** Where the gateway listens, who it is, and the clocks of a session. */
export const server = {
  quic_addr: listenAddress(':8453', 'UDP address for QUIC clients.'),
  ws_addr: optionalListenAddress('off', 'TCP address for WebSocket clients, TLS.').following(
    'the port of quic_addr, or off where another listener has it on TCP',
  ),
  http_addr: optionalListenAddress(':8080', 'HTTP for operators: /health, /ready, /stats.'),
  grpc_addr: listenAddress(':8092', 'gRPC for upstreams: registration, pushes, broadcasts.'),
  metrics_addr: optionalListenAddress(':9090', 'HTTP for Prometheus: /metrics.'),
  cert_file: file(
    'TLS certificate chain, PEM. Without it a development certificate is made in certs/.',
  ),
  key_file: file('Private key of cert_file, PEM.'),
  session_timeout: duration(
    '5m',
    'A connected session without any frame of its client for so long is closed.',
    { min: 10 },
  ),
  ack_timeout: duration(
    '30s',
    'A connection on which a frame stays unacknowledged for ack_timeout x (max_retries + 1) is closed; the session stays resumable.',
    { min: 10 },
  ),
  max_retries: count('3', 'See ack_timeout.', { max: 1_000 }),
  drain_timeout: duration(
    '10s',
    'How long a stop waits for requests in flight and for acknowledgements; what remains goes to state_file.',
  ),
  upstream_addr: dialAddress('A fixed upstream for the zones that no other is registered for.'),
  advertise_addr: publicAddress(
    'Where clients reach this gateway: told to them by its peer, its port by Alt-Svc and /.well-known/gatesvr, too.',
  ),
  trusted_proxies: networks(
    'Proxies in front of ws_addr and http_addr, such as 10.0.0.0/8: the client is whom their X-Forwarded-For names. Nobody else is believed.',
  ),
  state_file: optionalFile(
    'Where a graceful stop keeps sessions and undelivered pushes for the next start.',
  ).following('gatesvr-PORT.state, PORT being that of quic_addr; off for port 0'),
};
