import type { QuicheConnection } from './quiche.js';

/** How a connection ended. */
export interface QuicClosed {
  /** Whether `code` is the application's; else it is QUIC's own (RFC 9000 section 20.1). */
  readonly application: boolean;
  readonly code: number;
  readonly reason: string;
  /** loss: neither side closed it, it timed out or was reset. */
  readonly by: 'peer' | 'local' | 'loss';
}

/** What quiche knows of the end of a connection that is draining or closed. */
export function howItEnded(connection: QuicheConnection): QuicClosed {
  const peerError = connection.peerError();
  if (peerError !== null) return fromError(peerError, 'peer');
  const localError = connection.localError();
  if (localError !== null) return fromError(localError, 'local');
  const reason = connection.isTimedOut() ? 'timed out' : 'connection lost';
  return { application: false, code: 0, reason, by: 'loss' };
}

function fromError(
  error: { isApp: boolean; errorCode: number; reason: Uint8Array },
  by: 'peer' | 'local',
): QuicClosed {
  const reason = Buffer.from(error.reason).toString('utf8');
  return { application: error.isApp, code: error.errorCode, reason, by };
}
