import { RingQueue } from '../../../base/ring-queue.js';
import type { Push } from './payload.js';
import type { AckMode, Delivery } from './delivery.js';

export interface PushesOptions {
  /** Ends the loop: it throws the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * What becomes of pushes when the last loop was left. `keep` (default): they wait, within the limits
   * and unacknowledged, for the next loop. `discard`: those that wait are acknowledged untaken, and
   * later ones go to listeners only; for programs that need no more of them.
   */
  readonly onLeave?: 'keep' | 'discard';
}

/** Where an iterator gets its pushes. */
export interface PushSource {
  readonly ack: AckMode;
  take(): Delivery | undefined;
  release(delivery: Delivery): void;
  left(iterator: PushIterator, discard: boolean): void;
}

interface Reader {
  resolve(result: IteratorResult<Push, undefined>): void;
  reject(error: unknown): void;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** One loop over the pushes of a client: `for await (const push of client.pushes())`. */
export class PushIterator implements AsyncIterableIterator<Push, undefined> {
  private readonly readers = new RingQueue<Reader>();
  /** Taken and, with `ack: 'handled'`, still being handled. */
  private taken: Delivery[] = [];
  private ended = false;
  /** To be thrown once. */
  private error: unknown = null;
  private readonly onAbort = (): void => this.leave(this.options.signal?.reason);

  constructor(
    private readonly source: PushSource,
    private readonly options: PushesOptions,
  ) {
    const { signal } = options;
    if (signal?.aborted === true) this.end(signal.reason);
    else signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next push, as soon as there is one. Asking for it says that those before are handled. */
  next(): Promise<IteratorResult<Push, undefined>> {
    this.releaseTaken();
    if (this.ended) return this.outcome();
    return new Promise((resolve, reject) => {
      this.readers.push({ resolve, reject });
      this.wake();
    });
  }

  /** The loop is left; pushes taken count as handled. */
  return(): Promise<IteratorResult<Push, undefined>> {
    this.leave(null);
    return Promise.resolve(DONE);
  }

  throw(error?: unknown): Promise<IteratorResult<Push, undefined>> {
    this.leave(null);
    return Promise.reject(error as Error);
  }

  /** There may be pushes. */
  wake(): void {
    while (this.readers.length > 0) {
      const delivery = this.source.take();
      if (delivery === undefined) return;
      const reader = this.readers.shift();
      if (this.source.ack === 'handled') this.taken.push(delivery);
      reader?.resolve({ done: false, value: delivery.push });
      if (this.source.ack === 'received') this.source.release(delivery);
    }
  }

  /** Nothing comes any more. @param error what the loop throws, null for a plain end. */
  end(error: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.error = error;
    this.options.signal?.removeEventListener('abort', this.onAbort);
    for (let reader = this.readers.shift(); reader !== undefined; reader = this.readers.shift()) {
      this.outcome().then(reader.resolve, reader.reject);
    }
  }

  private leave(error: unknown): void {
    if (this.ended) return;
    this.end(error);
    this.releaseTaken();
    this.source.left(this, this.options.onLeave === 'discard');
  }

  private outcome(): Promise<IteratorResult<Push, undefined>> {
    const { error } = this;
    this.error = null;
    return error === null ? Promise.resolve(DONE) : Promise.reject(error as Error);
  }

  private releaseTaken(): void {
    const { taken } = this;
    if (taken.length === 0) return;
    this.taken = [];
    for (const delivery of taken) this.source.release(delivery);
  }
}
