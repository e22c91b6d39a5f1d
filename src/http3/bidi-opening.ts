import type { QuicStream, QuicStreamObserver } from '../quic/quic-stream.js';
import { MAX_VARINT_BYTES, readVarint, varintLength } from './varint.js';
import { WebTransportSignal } from './webtransport.js';

/** Who hears what kind of stream it is. The stream's bytes can be read from their beginning, or behind its header. */
export interface OpeningHost {
  /** Frames of HTTP/3: a request. */
  onRequest(opening: BidiOpening): void;
  /** A stream of a WebTransport session. */
  onSessionStream(opening: BidiOpening, sessionId: number): void;
  /** The peer broke it off, or ended it, before it was clear. */
  onNothing(opening: BidiOpening): void;
}

/**
 * A bidirectional stream of a client from its first byte until it is clear what it is: frames of a request,
 * or signal, session id and bytes of a WebTransport stream.
 */
export class BidiOpening implements QuicStreamObserver {
  /** For the connection: seen by its last sweep. */
  swept = false;
  private readonly header = new Uint8Array(2 * MAX_VARINT_BYTES);
  private bytes = 0;

  constructor(
    readonly stream: QuicStream,
    private readonly host: OpeningHost,
  ) {
    stream.bind(this);
  }

  onReadable(): void {
    for (let chunk = this.stream.read(); chunk !== null; chunk = this.stream.read()) {
      if (this.look(chunk)) return;
    }
    if (this.stream.readEnded) this.host.onNothing(this);
  }

  onDrained(): void {
    // Nothing is sent on it yet.
  }

  onAborted(): void {
    this.host.onNothing(this);
  }

  /** @returns whether it is clear now; somebody else reads the stream then. */
  private look(chunk: Uint8Array): boolean {
    const { header } = this;
    for (let at = 0; at < chunk.length;) {
      header[this.bytes++] = chunk[at++] as number;
      const typeBytes = varintLength(header[0] as number);
      if (this.bytes === typeBytes && readVarint(header, 0) !== WebTransportSignal.BIDI) {
        this.stream.unread(Buffer.concat([header.subarray(0, typeBytes), chunk.subarray(at)]));
        this.host.onRequest(this);
        return true;
      }
      const idAt = header[typeBytes] as number;
      if (this.bytes > typeBytes && this.bytes === typeBytes + varintLength(idAt)) {
        this.stream.unread(chunk.subarray(at));
        this.host.onSessionStream(this, readVarint(header, typeBytes));
        return true;
      }
    }
    return false;
  }
}
