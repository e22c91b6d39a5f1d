import { RingQueue } from '../base/ring-queue.js';
import { messageOf } from '../base/errors.js';
import { codeInError, quiche } from './quiche.js';
import type { QuicheConnection } from './quiche.js';

/** What a stream tells its reader and writer, always from within a turn of its connection. */
export interface QuicStreamObserver {
  /** There may be bytes, or the end: call `read` until it returns null. */
  onReadable(): void;
  /** What waits to be sent fell to the mark of `wakeBelow`; once per call of that. */
  onDrained(): void;
  /** The peer reset its side or asked us to stop; nothing follows in that direction. */
  onAborted(code: number): void;
  /** Instead of onAborted where the peer asked us to stop, for who still reads what the peer sends. */
  onStopped?(code: number): void;
}

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly quiche: QuicheConnection;
  /** Streams copy small writes together here; shared by all, contents do not last. */
  readonly gatherBuffer: Buffer;
  /** Streams read into it; shared by all, valid until the next read of any stream. */
  readonly readBuffer: Buffer;
  requestFlush(): void;
  requestDelivery(): void;
  countRead(bytes: number): void;
  forget(stream: QuicStream): void;
}

/** A chunk of this size is handed over as it is; smaller ones are copied together first. */
const GATHER_BELOW_BYTES = 4_096;

const NOTHING = Buffer.alloc(0);

/** One stream of a connection: ordered bytes each way, with the peer's flow control. */
export class QuicStream {
  /** The peer's FIN was read; nothing follows. */
  readEnded = false;
  /** Bytes given to `write` and not yet to quiche. */
  bufferedBytes = 0;
  private observer: QuicStreamObserver | null = null;
  private readonly queue = new RingQueue<Uint8Array>();
  private headOffset = 0;
  private wakeMark = -1;
  private paused = false;
  private resumed = false;
  private mayHaveMore = false;
  /** quiche knows a stream that we opened only once something was sent on it. */
  private known: boolean;
  private finWanted = false;
  private readDone = false;
  private givenBack: Uint8Array | null = null;
  /** FIN or a reset was sent, or the stream is the peer's alone. */
  private writeDone = false;

  constructor(
    private readonly host: StreamHost,
    readonly id: number,
    openedByPeer: boolean,
  ) {
    this.known = openedByPeer;
    // A peer's unidirectional stream cannot be written, one of ours cannot be read.
    if ((id & 2) !== 0) {
      if (openedByPeer) this.writeDone = true;
      else this.readDone = true;
    }
  }

  /** Whether quiche, and with its next packet the peer, knows of this stream. */
  get announced(): boolean {
    return this.known;
  }

  get bidi(): boolean {
    return (this.id & 2) === 0;
  }

  /** Whether anything waits to be sent. */
  get wantsToSend(): boolean {
    return this.bufferedBytes > 0 || (this.finWanted && !this.writeDone);
  }

  /** Whether the peer's side is still read and not paused. */
  private get reading(): boolean {
    return this.known && !this.paused && !this.readDone;
  }

  /** Whether the reader asked to be called again. */
  get wantsDelivery(): boolean {
    return this.resumed && !this.paused;
  }

  /** Who hears of this stream. Called once, inside onStream or right after opening it. */
  bind(observer: QuicStreamObserver): void {
    this.observer = observer;
  }

  /**
   * The next bytes, or null when there are none now (or the end was reached: `readEnded`). A view of
   * a shared buffer, valid until the next read of any stream.
   */
  read(): Uint8Array | null {
    if (this.givenBack !== null && !this.paused) {
      const bytes = this.givenBack;
      this.givenBack = null;
      return bytes;
    }
    if (!this.reading || !this.mayHaveMore) return null;
    try {
      const result = this.host.quiche.streamRecv(this.id, this.host.readBuffer);
      if (result === null) {
        this.mayHaveMore = false;
        return null;
      }
      const [length, fin] = result;
      this.mayHaveMore = !fin && length === this.host.readBuffer.length;
      if (fin) {
        this.readEnded = true;
        this.endReading();
      }
      this.host.countRead(length);
      return length === 0 ? null : this.host.readBuffer.subarray(0, length);
    } catch (error) {
      this.failReading(error);
      return null;
    }
  }

  /** Gives bytes back, to be read first, by whoever is bound in the next turn; they are copied. */
  unread(bytes: Uint8Array): void {
    if (bytes.length > 0) this.givenBack = Buffer.from(bytes);
    this.resumed = true;
    this.host.requestDelivery();
  }

  /** Sends a chunk in order; its bytes must not change afterwards. Ignored after `end` or `reset`. */
  write(chunk: Uint8Array): void {
    if (this.finWanted || this.writeDone || chunk.length === 0) return;
    this.queue.push(chunk);
    this.bufferedBytes += chunk.length;
    this.host.requestFlush();
  }

  /** FIN after everything written so far; idempotent. */
  end(): void {
    if (this.finWanted || this.writeDone) return;
    this.finWanted = true;
    this.host.requestFlush();
  }

  /** Drops what waits and tells the peer that no more comes. */
  reset(code: number): void {
    if (this.writeDone) return;
    this.shutdown(quiche.Shutdown.Write, code);
    this.dropWrites();
    // The peer never heard of it, and will never end its side.
    if (!this.known) this.endReading();
    this.host.requestFlush();
  }

  /** Drops what the peer sent and asks it to stop. */
  stopReading(code: number): void {
    this.givenBack = null;
    if (this.readDone) return;
    if (this.known) this.shutdown(quiche.Shutdown.Read, code);
    this.endReading();
    this.host.requestFlush();
  }

  /** Stops reading; flow control then holds the peer. */
  pause(): void {
    this.paused = true;
  }

  /** Reads on, in the next turn. */
  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    // Also after the end was read: the reader may have kept bytes that it did not get to.
    this.resumed = true;
    this.host.requestDelivery();
  }

  /** Asks for onDrained once, when at most `bytes` wait to be sent. */
  wakeBelow(bytes: number): void {
    this.wakeMark = bytes;
    if (this.bufferedBytes <= bytes) this.host.requestFlush();
  }

  /** For the connection: the first half of a turn. */
  deliver(): void {
    if (!this.reading && !this.wantsDelivery) return;
    this.resumed = false;
    this.mayHaveMore = true;
    this.observer?.onReadable();
  }

  /** For the connection: gives quiche as much as it takes. */
  writeOut(): void {
    try {
      this.writeChunks();
      if (this.finWanted && !this.writeDone && this.bufferedBytes === 0) this.sendFin();
      // With both directions ended the connection knows it no more at the end of the turn.
      if (this.writeDone) this.wake();
    } catch (error) {
      this.dropWrites();
      const code = codeInError(messageOf(error));
      if (this.observer?.onStopped === undefined) this.observer?.onAborted(code);
      else this.observer.onStopped(code);
    }
  }

  /** For the connection: the end of a turn. */
  wake(): void {
    if (this.wakeMark < 0 || this.bufferedBytes > this.wakeMark) return;
    this.wakeMark = -1;
    this.observer?.onDrained();
  }

  private writeChunks(): void {
    while (this.bufferedBytes > 0) {
      const bytes = this.gather();
      const last = this.finWanted && bytes.length === this.bufferedBytes;
      const taken = this.host.quiche.streamSend(this.id, bytes, last);
      if (taken === null) return;
      this.known = true;
      this.consume(taken);
      if (taken < bytes.length) return;
      if (last) this.endWriting();
    }
  }

  private sendFin(): void {
    if (this.host.quiche.streamSend(this.id, NOTHING, true) === null) return;
    this.known = true;
    this.endWriting();
  }

  /** The next bytes to hand over: one large chunk as it is, or small ones copied together. */
  private gather(): Uint8Array {
    const head = this.queue.at(0) as Uint8Array;
    const rest = this.headOffset === 0 ? head : head.subarray(this.headOffset);
    if (this.queue.length === 1 || rest.length >= GATHER_BELOW_BYTES) return rest;
    const target = this.host.gatherBuffer;
    target.set(rest, 0);
    let length = rest.length;
    for (let index = 1; index < this.queue.length && length < target.length; index++) {
      const chunk = this.queue.at(index) as Uint8Array;
      const room = target.length - length;
      target.set(chunk.length <= room ? chunk : chunk.subarray(0, room), length);
      length += Math.min(chunk.length, room);
    }
    return target.subarray(0, length);
  }

  private consume(bytes: number): void {
    this.bufferedBytes -= bytes;
    let left = bytes + this.headOffset;
    while (left > 0) {
      const head = this.queue.at(0) as Uint8Array;
      if (left < head.length) break;
      left -= head.length;
      this.queue.shift();
    }
    this.headOffset = left;
  }

  private failReading(error: unknown): void {
    // A reset stays readable in quiche, which then keeps the stream and never allows the peer another.
    this.shutdown(quiche.Shutdown.Read, 0);
    this.endReading();
    this.observer?.onAborted(codeInError(messageOf(error)));
  }

  private shutdown(direction: number, code: number): void {
    try {
      this.host.quiche.streamShutdown(this.id, direction, code);
    } catch {
      // The stream is gone already, which is all that was asked for.
    }
  }

  private dropWrites(): void {
    this.queue.clear();
    this.bufferedBytes = this.headOffset = 0;
    this.finWanted = true;
    this.endWriting();
  }

  private endWriting(): void {
    this.writeDone = true;
    if (this.readDone) this.host.forget(this);
  }

  private endReading(): void {
    this.readDone = true;
    if (this.writeDone) this.host.forget(this);
  }
}
