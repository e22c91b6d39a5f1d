import type { TLSSocket } from 'node:tls';
import type { Clock } from '../base/clock.js';
import { LinePace } from '../telemetry/line-pace.js';
import type { Logger } from '../telemetry/log.js';

/** Tells operators why TLS handshakes at a listener failed; reasons of OpenSSL are few. */
export class HandshakeLog {
  private readonly pace: LinePace;

  /** @param listener the configuration key of its address. */
  constructor(
    private readonly listener: string,
    clock: Clock,
    private readonly log: Logger,
  ) {
    this.pace = new LinePace(clock);
  }

  note(reason: string, remote: string | undefined): void {
    const suppressed = this.pace.take(reason);
    if (suppressed === null) return;
    const { listener } = this;
    this.log.warn({ listener, reason, remote, suppressed }, 'TLS handshake failed');
  }
}

/** Why a handshake failed; null where the peer just went away, as probes of load balancers do. */
export function handshakeFault(error: Error, socket: TLSSocket): string | null {
  // Null before anything was verified, whatever the types say.
  const unverified = socket.authorizationError as unknown;
  if (typeof unverified === 'string') return `the certificate of the caller: ${unverified}`;
  const { code, reason } = error as NodeJS.ErrnoException & { readonly reason?: string };
  if (code === 'ECONNRESET') return null;
  return reason ?? error.message;
}

/** Who it was: the TLS socket has forgotten, the one below knows if it was asked while it was open. */
export function remoteOf(socket: TLSSocket): string | undefined {
  return (
    socket.remoteAddress ?? (socket as { readonly _parent?: TLSSocket })._parent?.remoteAddress
  );
}
