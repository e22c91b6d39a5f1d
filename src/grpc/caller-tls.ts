import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { TLSSocket, connect as connectTls } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';

/** How calls to upstreams are protected; PEM. Read anew for every connection. */
export interface CallerTls {
  /** Who may sign the upstream's certificate; null: whom the system trusts. */
  readonly ca: Buffer | null;
  /** The gateway's own certificate and key, for upstreams that ask for them. */
  readonly cert: Buffer | null;
  readonly key: Buffer | null;
  /** The name that the certificate must have; null: the host that is dialled. */
  readonly serverName: string | null;
}

/** Answers for the TLS of the next connection; null is plaintext. */
export type TlsSource = () => CallerTls | null;

/**
 * The kernel asks a silent peer after so many ms whether it is there: an upstream that vanished while
 * nothing was under way is found without a frame that its gRPC library could count as abuse, and a caller that
 * vanished leaves no socket behind.
 */
const TCP_KEEPALIVE_MS = 30_000;

/** Dials host and port, with TLS and ALPN `h2` where it is asked for. */
export function openSocket(host: string, port: number, tls: CallerTls | null): Socket {
  const socket = tls === null ? connectTcp({ host, port }) : openTls(host, port, tls);
  tuneSocket(socket);
  return socket;
}

/** Sends what is written at once, and finds a peer that vanished. */
export function tuneSocket(socket: Socket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
}

/** What one side shows and trusts, in the terms of node:tls. */
export function secureOptions({
  ca,
  cert,
  key,
}: Pick<CallerTls, 'ca' | 'cert' | 'key'>): SecureContextOptions {
  return {
    minVersion: 'TLSv1.2',
    ...(ca === null ? {} : { ca }),
    ...(cert === null || key === null ? {} : { cert, key }),
  };
}

function openTls(host: string, port: number, tls: CallerTls): Socket {
  const name = tls.serverName ?? host;
  return connectTls({
    host,
    port,
    ALPNProtocols: ['h2'],
    ...secureOptions(tls),
    // An IP address is checked against the certificate, but never sent as SNI (RFC 6066 section 3).
    ...(isIP(name) === 0 ? { servername: name } : {}),
  });
}

/** Whether what was agreed on with a connected peer is HTTP/2; plaintext takes it for granted. */
export function speaksHttp2(socket: Socket): boolean {
  return !(socket instanceof TLSSocket) || socket.alpnProtocol === 'h2';
}

/** What went wrong with a socket, in one line; several addresses may have failed at once. */
export function socketFault(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(socketFault).join(', ');
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? ((error as NodeJS.ErrnoException).code ?? 'failed') : error.message;
}
