import type { Cancel, Clock } from '../base/clock.js';
import type { Link, LinkClosed } from '../link/link.js';
import { StreamLink } from '../link/stream-link.js';
import type { QuicClosed } from '../quic/quic-closed.js';
import type { ConnectionHandler } from '../quic/quic-server.js';
import type { QuicConnectionObserver } from '../quic/connection-observer.js';
import type { QuicConnection } from '../quic/quic-connection.js';
import type { QuicStream } from '../quic/quic-stream.js';
import type { QuicMetrics } from '../telemetry/quic-metrics.js';
import { ErrorCode } from '../wire/error-catalogue.js';

/** The protocol name of deployed clients (WIRE.md, "Client edge"). */
export const GATESVR_ALPN = 'gatesvr';

/** A client opens its stream at once; one that has not after this long never will, ms. */
export const DEFAULT_STREAM_TIMEOUT_MS = 10_000;

/** The id of the first bidirectional stream that a client opens (RFC 9000 section 2.1). */
const FIRST_CLIENT_STREAM = 0;

/** What a connection without a stream is told that may not wait for one. */
export interface WaitRefusal {
  readonly code: ErrorCode;
  readonly reason: string;
  /** Label of gatesvr_connections_rejected_total. */
  readonly label: string;
}

export interface QuicEdgeOptions {
  /** Takes a client's Link: bind an observer to it before returning. */
  readonly accept: (link: Link) => void;
  /** Lets a connection wait for its stream: what to call once it does no more, or why not. Default: every one may. */
  readonly wait?: (remoteAddress: string) => (() => void) | WaitRefusal;
  readonly clock: Clock;
  readonly metrics: QuicMetrics;
  /** How long a connection may live without its stream, ms. */
  readonly streamTimeout?: number;
}

/** How a QUIC connection's end looks to a Link: only application codes are codes of ours. */
export function linkClosedOf(closed: QuicClosed): LinkClosed {
  if (closed.application) return { code: closed.code, reason: closed.reason, by: closed.by };
  const reason =
    closed.code === 0 ? closed.reason : `QUIC error 0x${closed.code.toString(16)} ${closed.reason}`;
  // A clean transport close of the peer is its wish; everything else broke the connection.
  return { code: 0, reason, by: closed.by === 'peer' && closed.code === 0 ? 'peer' : 'loss' };
}

/** The handler of ALPN `gatesvr`: every connection becomes a Link over the client's first stream. */
export function quicEdge(options: QuicEdgeOptions): ConnectionHandler {
  return (connection) => {
    const waited = options.wait?.(connection.remoteAddress) ?? (() => undefined);
    if (typeof waited === 'function') {
      connection.bind(new EdgeConnection(connection, options, waited));
      return;
    }
    options.metrics.rejected.add(waited.label);
    connection.close(waited.code, waited.reason);
  };
}

class EdgeConnection implements QuicConnectionObserver {
  private link: StreamLink | null = null;
  private readonly stopTimer: Cancel;
  private waits = true;

  constructor(
    private readonly connection: QuicConnection,
    private readonly options: QuicEdgeOptions,
    private readonly waited: () => void,
  ) {
    const timeout = options.streamTimeout ?? DEFAULT_STREAM_TIMEOUT_MS;
    this.stopTimer = options.clock.after(timeout, () => this.giveUp());
  }

  onStream(stream: QuicStream): void {
    if (stream.id !== FIRST_CLIENT_STREAM || this.link !== null) {
      this.options.metrics.streamsRefused.add();
      stream.stopReading(ErrorCode.Forbidden);
      stream.reset(ErrorCode.Forbidden);
      return;
    }
    this.stopWaiting();
    this.link = new StreamLink('quic', stream, this.connection, this.options.clock);
    this.options.accept(this.link);
  }

  onClosed(closed: QuicClosed): void {
    this.stopWaiting();
    this.link?.connectionClosed(linkClosedOf(closed));
    this.link = null;
  }

  private stopWaiting(): void {
    if (!this.waits) return;
    this.waits = false;
    this.stopTimer();
    this.waited();
  }

  private giveUp(): void {
    this.options.metrics.rejected.add('no_stream');
    this.connection.close(ErrorCode.Unauthenticated, 'no stream was opened');
  }
}
