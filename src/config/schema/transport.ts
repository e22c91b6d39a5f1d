import {
  choice,
  count,
  duration,
  file,
  flag,
  networks,
  optionalFile,
  size,
  text,
} from '../leaf.js';

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
    'Unfinished handshakes above which new clients must prove their address first (Retry); a tenth of max_connections where that is less.',
    { min: 1, max: 1_000_000 },
  ),
  retry_key_file: optionalFile(
    'Keeps the key of Retry tokens, tickets and stateless resets over restarts. Made when missing; unused when backup.cluster_secret is set.',
  ).following('gatesvr-PORT.keys.state, PORT being that of server.quic_addr; off for port 0'),
  http3: flag(
    'true',
    'Speak HTTP/3 on quic_addr too (ALPN h3): /health, /.well-known/gatesvr and the streams of clients without a QUIC library.',
  ),
  recv_buffer: size('4MiB', 'Receive buffer of the UDP socket; the system may cap it.', {
    min: 64 * 1024,
    max: 1024 ** 3,
  }),
  send_buffer: size('4MiB', 'Send buffer of the UDP socket; the system may cap it.', {
    min: 64 * 1024,
    max: 1024 ** 3,
  }),
};

/** The side that upstreams talk to. */
export const grpc = {
  caller: choice(
    'framed',
    ['framed', 'http2', 'grpc-js'],
    'How upstreams are called. All speak the same: framed frames HTTP/2 itself at the least CPU, http2 is built on node:http2, grpc-js is the library of the gRPC project.',
  ),
  server: choice(
    'framed',
    ['framed', 'grpc-js'],
    'What serves grpc_addr and the ports of the pair. Both speak the same: framed frames HTTP/2 itself at the least CPU, grpc-js is the library of the gRPC project.',
  ),
  allow_insecure: choice(
    'auto',
    ['auto', 'true', 'false'],
    'Plaintext on grpc_addr, which is all that deployed upstreams speak. auto: with a warning. true: without. false: refuse to start without grpc.tls.',
  ),
  secret: text(
    'What upstreams must give with registrations and pushes, as metadata `authorization: Bearer SECRET`.',
    true,
  ),
  register_allow: networks(
    'Networks whose upstreams may register, such as 10.0.0.0/8; caller and registered address must both be in one. Empty is everyone.',
  ),
  reflection: flag('true', 'Tell grpcurl and its like which methods there are.'),
  tls: {
    cert_file: file('Certificate chain of grpc_addr, PEM. With it grpc_addr speaks TLS only.'),
    key_file: file('Private key of cert_file, PEM.'),
    client_ca_file: file(
      'Who signs the certificates that upstreams must show, PEM. None: no one must.',
    ),
  },
  max_message_bytes: size('4MiB', 'Largest gRPC message, both ways.', {
    min: 64 * 1024,
    max: 1024 ** 3,
  }),
};

/** Calls to upstreams over TLS: setting any of these turns it on, for all of them. */
export const upstream_tls = {
  ca_file: file('Who signs the certificates of upstreams, PEM. None: whom the system trusts.'),
  cert_file: file('Certificate that the gateway shows to upstreams, PEM.'),
  key_file: file('Private key of cert_file, PEM.'),
  server_name: text('The name that certificates of upstreams must have. None: the host dialled.'),
};

/** What is written about what happens. */
export const log = {
  level: choice(
    'info',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'Least important lines that are written.',
  ).reloaded(),
  format: choice(
    'auto',
    ['auto', 'json', 'pretty'],
    'json for machines, pretty for people, auto: pretty at a terminal.',
  ),
  file: file('Where lines go instead of standard output, always as json. SIGHUP opens it again.'),
  max_size: size('3MiB', 'A file that is so large is put aside as FILE.1, FILE.2 and so on.', {
    min: 4096,
  }),
  max_files: count('5', 'Files that are kept, the one being written among them.', {
    min: 1,
    max: 1000,
  }),
};

/** The last line against an endless loop in native code. */
export const watchdog = {
  enabled: flag('true', 'Kill the process when its event loop stands still, so that it restarts.'),
  timeout: duration('5s', 'How long it may stand still.', { min: 100 }),
};
