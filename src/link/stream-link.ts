import type { Cancel, Clock } from '../base/clock.js';
import { ErrorCode } from '../wire/error-catalogue.js';
import { FrameDecoder } from '../wire/frame-decoder.js';
import type { Frame } from '../wire/frame-encoder.js';
import { LINGER_MS, LINK_BUFFER_BYTES } from './link.js';
import type { Link, LinkClosed, LinkObserver, SendResult } from './link.js';

/** What a byte stream tells its Link, never from inside a call to that stream. */
export interface ByteStreamObserver {
  /** There may be bytes, or the end: `read` until it returns null. */
  onReadable(): void;
  /** What waits to be sent fell to the mark of `wakeBelow`. */
  onDrained(): void;
  /** The peer broke the stream off. */
  onAborted(code: number): void;
}

/** A stream of bytes both ways, in order: a QUIC or WebTransport stream, a WebSocket, a TLS socket. */
export interface ByteStream {
  /** Bytes given to `write` that the transport has not taken yet. */
  readonly bufferedBytes: number;
  /** The peer's end was read. */
  readonly readEnded: boolean;
  bind(observer: ByteStreamObserver): void;
  /** The next bytes or null; valid until the next read of any stream. */
  read(): Uint8Array | null;
  /** Sends in order; the bytes must not change afterwards. */
  write(chunk: Uint8Array): void;
  /** Ends our side after what was written; who can tells the peer why. */
  end(code: ErrorCode, reason: string): void;
  pause(): void;
  /** Reads on; onReadable follows, not at once. */
  resume(): void;
  /** Asks for onDrained once. */
  wakeBelow(bytes: number): void;
}

/** The connection that carries the stream. */
export interface ByteStreamCarrier {
  readonly remoteAddress: string;
  /** Closes with an application code; `StreamLink.connectionClosed` follows, not at once. */
  close(code: number, reason: string): void;
  /** As `close`, and nothing that was written leaves any more; where it is missing `close` does just that. */
  discard?(code: number, reason: string): void;
}

/**
 * What a peer may still say after our end: more than what is on its way on a fast path, and little beside
 * a flow control window, all of which a flooding peer would fill again and again for LINGER_MS.
 */
const MAX_DISCARDED_BYTES = 16 * 1024;

/** After full, half of the buffer must be free before onWritable: fewer and longer bursts. */
const WAKE_SHARE = 0.5;

/**
 * A Link over a byte stream: frames with a length prefix (WIRE.md, "Client edge"). Used by every
 * transport and by both sides. Whoever owns the connection calls `connectionClosed`.
 */
export class StreamLink implements Link, ByteStreamObserver {
  private observer: LinkObserver | null = null;
  private readonly decoder = new FrameDecoder();
  private paused = false;
  private bad = false;
  private blocked = false;
  /** Our side has ended: the code that the connection will be closed with. */
  private finishing: { code: ErrorCode; reason: string } | null = null;
  private peerEnded = false;
  private closing: LinkClosed | null = null;
  private closedTold = false;
  private linger: Cancel | null = null;
  private discardedBytes = 0;

  /** @param bufferBytes taken by `send` before it says full. */
  constructor(
    readonly transport: string,
    private readonly stream: ByteStream,
    private readonly carrier: ByteStreamCarrier,
    private readonly clock: Clock,
    private readonly bufferBytes: number = LINK_BUFFER_BYTES,
  ) {
    stream.bind(this);
  }

  get remoteAddress(): string {
    return this.carrier.remoteAddress;
  }

  get bufferedBytes(): number {
    return this.stream.bufferedBytes;
  }

  get partBytes(): number {
    return this.decoder.partBytes;
  }

  bind(observer: LinkObserver): void {
    this.observer = observer;
  }

  send(frame: Frame): SendResult {
    if (this.closing !== null || this.finishing !== null) return 'closed';
    if (this.stream.bufferedBytes >= this.bufferBytes) {
      if (!this.blocked) {
        this.blocked = true;
        this.stream.wakeBelow(this.bufferBytes * WAKE_SHARE);
      }
      return 'full';
    }
    this.stream.write(frame);
    return 'ok';
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.stream.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (!this.bad) this.stream.resume();
  }

  finish(code: ErrorCode, reason: string): void {
    if (this.closing !== null || this.finishing !== null) return;
    this.finishing = { code, reason };
    this.stream.end(code, reason);
    // What the peer sends is read on and thrown away, so that its end is seen.
    this.paused = false;
    this.stream.resume();
    if (this.peerEnded) this.close(code, reason);
    else this.linger = this.clock.after(LINGER_MS, () => this.close(code, reason));
  }

  close(code: ErrorCode, reason: string): void {
    this.endWith({ code, reason, by: 'local' }, code, reason);
  }

  discard(code: ErrorCode, reason: string): void {
    const { carrier } = this;
    if (carrier.discard === undefined) return this.close(code, reason);
    // Also after close: what waits there may not have left yet.
    if (this.beginClosing({ code, reason, by: 'local' }) || !this.closedTold) {
      carrier.discard(code, reason);
    }
  }

  onReadable(): void {
    const answersOurs = this.finishing !== null;
    if (!answersOurs) this.readFrames();
    // Not else: a frame may have made the observer finish.
    if (this.finishing !== null) this.throwAway(this.finishing);
    const allRead = this.finishing !== null || this.decoder.pendingBytes === 0;
    if (this.stream.readEnded && allRead) this.onPeerEnded(answersOurs);
  }

  /** A peer that does not stop talking is not listening either: it is not waited for. */
  private throwAway({ code, reason }: { code: ErrorCode; reason: string }): void {
    for (let chunk = this.stream.read(); chunk !== null; chunk = this.stream.read()) {
      this.discardedBytes += chunk.length;
      if (this.discardedBytes <= MAX_DISCARDED_BYTES) continue;
      this.stream.pause();
      // What was said before the end still has to leave.
      if (this.stream.bufferedBytes === 0) this.close(code, reason);
      return;
    }
  }

  private readFrames(): void {
    while (!this.paused && this.closing === null && this.finishing === null) {
      const frame = this.decoder.next();
      if (frame !== null) {
        this.observer?.onFrame(frame);
      } else if (this.decoder.failure !== null) {
        this.refuse();
        return;
      } else {
        const chunk = this.stream.read();
        if (chunk === null) break;
        this.decoder.feed(chunk);
      }
    }
    // What is left belongs to a buffer that others read into next.
    if (this.decoder.pendingBytes > 0) this.decoder.detach();
  }

  onDrained(): void {
    if (!this.blocked || this.closing !== null) return;
    this.blocked = false;
    if (this.finishing === null) this.observer?.onWritable();
  }

  onAborted(): void {
    if (this.closing !== null) return;
    const reason = 'the peer broke the stream off';
    this.endWith({ code: 0, reason, by: 'peer' }, ErrorCode.None, reason);
  }

  /** For the owner of the connection: it ended. */
  connectionClosed(closed: LinkClosed): void {
    if (this.closedTold) return;
    this.closedTold = true;
    this.linger?.();
    const told = this.closing ?? closed;
    this.closing = told;
    this.observer?.onClosed(told);
    this.observer = null;
  }

  private refuse(): void {
    if (this.bad) return;
    this.bad = true;
    const failure = this.decoder.failure;
    // Reading on would only throw bytes away; they stay with the peer.
    this.stream.pause();
    if (failure !== null) this.observer?.onBadFrame(failure.code, failure.reason);
  }

  /**
   * The peer's FIN. After our own end it is the answer we waited for; one that was read together with the frame
   * that made us end is none, and a close now would take our last frame along. Else nothing follows from the
   * peer: we end our side too and give it time to close with its code, more than it gives us.
   */
  private onPeerEnded(answersOurs: boolean): void {
    if (this.peerEnded || this.closing !== null) return;
    this.peerEnded = true;
    if (this.finishing !== null) {
      const { code, reason } = this.finishing;
      if (answersOurs || code === ErrorCode.None) this.close(code, reason);
      return;
    }
    const ended: LinkClosed = { code: 0, reason: 'peer finished', by: 'peer' };
    this.finishing = { code: ErrorCode.None, reason: ended.reason };
    this.stream.end(ErrorCode.None, ended.reason);
    this.linger = this.clock.after(2 * LINGER_MS, () =>
      this.endWith(ended, ErrorCode.None, ended.reason),
    );
  }

  private endWith(closed: LinkClosed, code: ErrorCode, reason: string): void {
    if (this.beginClosing(closed)) this.carrier.close(code, reason);
  }

  /** @returns whether it is for the caller to close the carrier now. */
  private beginClosing(closed: LinkClosed): boolean {
    if (this.closing !== null) return false;
    this.closing = closed;
    this.linger?.();
    return true;
  }
}
