import type { TLSSocket } from 'node:tls';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../telemetry/log.js';

/** At most one line per reason in so long, ms: a scanner must not become a flood of lines. */
const AGAIN_MS = 10_000;

interface Pace {
  /** Monotonic ms from which on the next line may be written. */
  next: number;
  suppressed: number;
}

/** Tells operators why TLS handshakes at a listener failed. */
export class HandshakeLog {
  /** By reason; those of OpenSSL are few. */
  private readonly paces = new Map<string, Pace>();

  /** @param listener the configuration key of its address. */
  constructor(
    private readonly listener: string,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  note(reason: string, remote: string | undefined): void {
    const now = this.clock.now();
    let pace = this.paces.get(reason);
    if (pace === undefined) this.paces.set(reason, (pace = { next: 0, suppressed: 0 }));
    if (now < pace.next) {
      pace.suppressed++;
      return;
    }
    const { listener } = this;
    this.log.warn(
      { listener, reason, remote, suppressed: pace.suppressed },
      'TLS handshake failed',
    );
    pace.next = now + AGAIN_MS;
    pace.suppressed = 0;
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
