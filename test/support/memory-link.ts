import type { ErrorCode } from '../../src/wire/error-catalogue.js';
import { FrameDecoder } from '../../src/wire/frame-decoder.js';
import type { Frame } from '../../src/wire/frame-encoder.js';
import { LINGER_MS, LINK_BUFFER_BYTES } from '../../src/link/link.js';
import type { Link, LinkClosed, LinkObserver, SendResult } from '../../src/link/link.js';
import { RingQueue } from '../../src/base/ring-queue.js';

/** What moves the bytes of a pair of memory links; a test that wants time under control passes its own. */
export interface MemoryScheduler {
  soon(run: () => void): void;
  after(delay: number, run: () => void): void;
}

const realScheduler: MemoryScheduler = {
  soon: (run) => void setImmediate(run),
  after: (delay, run) => void setTimeout(run, delay).unref(),
};

/** Two Links in one process, connected to each other: what one sends the other receives. */
export function memoryLinkPair(
  scheduler: MemoryScheduler = realScheduler,
  bufferBytes: number = LINK_BUFFER_BYTES,
  clientAddress = 'memory:1',
): [MemoryLink, MemoryLink] {
  const left = new MemoryLink(scheduler, bufferBytes, clientAddress);
  const right = new MemoryLink(scheduler, bufferBytes, 'memory:2');
  left.connect(right);
  right.connect(left);
  return [left, right];
}

type Delivery = Frame | 'fin';

/** One end of a pair. Frames wait in the sender's queue until the receiver reads them. */
export class MemoryLink implements Link {
  readonly transport = 'memory';
  private peer: MemoryLink | null = null;
  private observer: LinkObserver | null = null;
  private readonly outgoing = new RingQueue<Delivery>();
  private readonly decoder = new FrameDecoder();
  private buffered = 0;
  private wantsRoom = false;
  private paused = false;
  private bad = false;
  private scheduled = false;
  private finishing: LinkClosed | null = null;
  private closed: LinkClosed | null = null;

  constructor(
    private readonly scheduler: MemoryScheduler,
    private readonly limit: number,
    readonly remoteAddress: string,
  ) {}

  get bufferedBytes(): number {
    return this.buffered;
  }

  /** Joins this end to the other one. */
  connect(peer: MemoryLink): void {
    this.peer = peer;
  }

  bind(observer: LinkObserver): void {
    this.observer = observer;
    this.peer?.pump();
  }

  send(frame: Frame): SendResult {
    if (this.closed !== null || this.finishing !== null) return 'closed';
    if (this.buffered >= this.limit) {
      this.wantsRoom = true;
      return 'full';
    }
    this.buffered += frame.length;
    this.outgoing.push(frame);
    this.pump();
    return 'ok';
  }

  /** Raw bytes as a stream transport would carry them: for frames that `send` would never make. */
  sendBytes(bytes: Uint8Array): void {
    this.send(bytes);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.peer?.pump();
  }

  finish(code: ErrorCode, reason: string): void {
    if (this.closed !== null || this.finishing !== null) return;
    this.finishing = { code, reason, by: 'local' };
    this.outgoing.push('fin');
    // Frames of the peer are thrown away from here on, but its end must be seen.
    this.resume();
    this.pump();
    this.scheduler.after(LINGER_MS, () => this.close(code, reason));
  }

  close(code: ErrorCode, reason: string): void {
    if (this.closed !== null) return;
    this.end({ code, reason, by: 'local' });
    this.peer?.scheduleEnd({ code, reason, by: 'peer' });
  }

  /** Ends both sides as a lost network would: nobody closed, nothing more arrives. */
  lose(): void {
    const closed: LinkClosed = { code: 0, reason: 'connection lost', by: 'loss' };
    this.end(closed);
    this.peer?.end(closed);
  }

  private scheduleEnd(closed: LinkClosed): void {
    this.scheduler.soon(() => this.end(closed));
  }

  private end(closed: LinkClosed): void {
    if (this.closed !== null) return;
    this.closed = closed;
    this.outgoing.clear();
    this.buffered = 0;
    this.scheduler.soon(() => this.observer?.onClosed(closed));
  }

  private pump(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.scheduler.soon(() => {
      this.scheduled = false;
      this.deliver();
    });
  }

  private deliver(): void {
    const peer = this.peer;
    if (peer === null || peer.observer === null) return;
    while (!peer.paused && this.closed === null && peer.closed === null) {
      if (peer.deliverFrame()) continue;
      const item = this.outgoing.shift();
      if (item === undefined) break;
      if (item === 'fin') {
        peer.onFin();
        return;
      }
      this.buffered -= item.length;
      peer.decoder.feed(item);
    }
    if (this.wantsRoom && this.buffered < this.limit && this.closed === null) {
      this.wantsRoom = false;
      this.observer?.onWritable();
    }
  }

  private deliverFrame(): boolean {
    const frame = this.decoder.next();
    if (frame !== null) {
      if (this.finishing === null) this.observer?.onFrame(frame);
      return true;
    }
    const bad = this.decoder.failure;
    if (bad !== null && !this.bad) {
      this.bad = true;
      if (this.finishing === null) this.observer?.onBadFrame(bad.code, bad.reason);
    }
    return false;
  }

  /** The peer's FIN ends both sides with the code it finished with, as the answered FIN of a stream would. */
  private onFin(): void {
    const { code, reason } = this.peer?.finishing ?? { code: 0, reason: 'peer finished' };
    this.end({ code, reason, by: 'peer' });
    this.peer?.scheduleEnd({ code, reason, by: 'local' });
  }
}
