import type { QuicStream, QuicStreamObserver } from '../quic/quic-stream.js';
import { Http3Fault, connectionFault } from './http3-fault.js';
import { MAX_VARINT_BYTES, readVarint, varintLength } from './varint.js';

/** Takes the bytes of a stream behind its type. @throws {Http3Fault} where they break a rule. */
export type UniStreamSink = (bytes: Uint8Array) => void;

/** What a unidirectional stream needs of its connection. */
export interface UniStreamHost {
  /**
   * Who reads a stream of this type; such a stream must live as long as its connection. null: nobody
   * knows the type.
   * @throws {Http3Fault} where no stream of this type may begin.
   */
  sinkFor(type: number): UniStreamSink | null;
  onFault(fault: Http3Fault): void;
  /** A stream of a type that nobody wants. @returns what it is told to stop with. */
  onUnwanted(type: number): number;
}

/** A unidirectional stream of the peer: its type, then what that type says (RFC 9114 section 6.2). */
export class UniStream implements QuicStreamObserver {
  private sink: UniStreamSink | null = null;
  private readonly type = new Uint8Array(MAX_VARINT_BYTES);
  private typeBytes = 0;

  constructor(
    private readonly stream: QuicStream,
    private readonly host: UniStreamHost,
  ) {
    stream.bind(this);
  }

  onReadable(): void {
    try {
      for (let bytes = this.stream.read(); bytes !== null; bytes = this.stream.read()) {
        const rest = this.sink === null ? this.readType(bytes) : bytes;
        if (rest !== null && rest.length > 0) this.sink?.(rest);
      }
      if (this.stream.readEnded) this.ended();
    } catch (error) {
      this.fail(error);
    }
  }

  onDrained(): void {
    // Nothing is sent on it.
  }

  onAborted(): void {
    try {
      this.ended();
    } catch (error) {
      this.fail(error);
    }
  }

  /** What follows the type, or null while it is not known. */
  private readType(bytes: Uint8Array): Uint8Array | null {
    let at = 0;
    while (at < bytes.length) {
      this.type[this.typeBytes++] = bytes[at++] as number;
      if (this.typeBytes < varintLength(this.type[0] as number)) continue;
      const type = readVarint(this.type, 0);
      this.sink = this.host.sinkFor(type);
      if (this.sink !== null) return bytes.subarray(at);
      this.stream.stopReading(this.host.onUnwanted(type));
      return null;
    }
    return null;
  }

  private ended(): void {
    // One that ends before its type is known means nothing (RFC 9114 section 6.2).
    if (this.sink === null) return;
    throw connectionFault(
      'CLOSED_CRITICAL_STREAM',
      'the control stream or one of QPACK was closed',
    );
  }

  private fail(error: unknown): void {
    if (!(error instanceof Http3Fault)) throw error;
    this.host.onFault(error);
  }
}
