import { RingQueue } from '../../../base/ring-queue.js';
import type { ClientEvents } from './client-events.js';
import type { AckMode, Delivery } from './delivery.js';
import type { EventEmitter } from './events.js';
import type { Push } from './payload.js';
import { PushIterator } from './push-iterator.js';
import type { PushesOptions } from './push-iterator.js';

export interface IntakeLimits {
  /** Pushes that wait for a loop or are being handled, before reading pauses. */
  readonly maxWaitingPushes: number;
  /** Bytes of them. */
  readonly maxWaitingBytes: number;
}

/** What a push costs beside its data, roughly. */
const PUSH_COST_BYTES = 256;

/** At this share of the limits reading goes on: fewer and longer bursts. */
const LOW_WATER = 0.5;

/** What an intake tells the client that owns it. */
export interface IntakeOwner {
  /** A push is done with: there may be room again. */
  onTaken(): void;
}

/**
 * Pushes between the connection and the application. Listeners are called at once; loops over
 * `pushes()` share one bounded buffer, of which each push is taken once.
 */
export class PushIntake {
  private readonly buffer = new RingQueue<Delivery>();
  private readonly iterators = new Set<PushIterator>();
  /** Whether pushes wait for a loop: since the first `pushes()`. */
  private pulled = false;
  private count = 0;
  private bytes = 0;
  private over: { readonly error: Error | null } | null = null;

  constructor(
    readonly ack: AckMode,
    private readonly limits: IntakeLimits,
    private readonly events: EventEmitter<ClientEvents>,
    private readonly owner: IntakeOwner,
  ) {}

  /** Pushes that wait or are being handled. */
  get waiting(): number {
    return this.count;
  }

  get full(): boolean {
    const { maxWaitingPushes, maxWaitingBytes } = this.limits;
    return this.count >= maxWaitingPushes || this.bytes >= maxWaitingBytes;
  }

  /** Whether there is room for many more. */
  get roomy(): boolean {
    const { maxWaitingPushes, maxWaitingBytes } = this.limits;
    return this.count <= maxWaitingPushes * LOW_WATER && this.bytes <= maxWaitingBytes * LOW_WATER;
  }

  /** A push has arrived; `deliver` follows in its turn. @param settled when it is done with. */
  arrive(push: Push, settled: () => void): Delivery {
    const bytes = PUSH_COST_BYTES + push.data.length;
    this.count++;
    this.bytes += bytes;
    return { push, bytes, holders: 1, settled };
  }

  deliver(delivery: Delivery): void {
    const handling = this.events.emitToHandlers('push', delivery.push);
    if (handling !== null && this.ack === 'handled') {
      delivery.holders++;
      void handling.then(() => this.release(delivery));
    }
    if (this.pulled && this.over === null) {
      delivery.holders++;
      this.buffer.push(delivery);
      for (const iterator of this.iterators) {
        if (this.buffer.length === 0) break;
        iterator.wake();
      }
    }
    this.release(delivery);
  }

  /** A new loop; from the first one on pushes wait for a loop to take them. */
  iterate(options: PushesOptions): PushIterator {
    this.pulled = true;
    const iterator = new PushIterator(this, options);
    if (this.over === null) this.iterators.add(iterator);
    else iterator.end(this.over.error);
    return iterator;
  }

  /** The oldest push that waits; the taker releases it. */
  take(): Delivery | undefined {
    return this.buffer.shift();
  }

  /** One holder is done with it. */
  release(delivery: Delivery): void {
    if (--delivery.holders > 0) return;
    this.count--;
    this.bytes -= delivery.bytes;
    if (this.over !== null) return;
    delivery.settled();
    this.owner.onTaken();
  }

  /** A loop was left. */
  left(iterator: PushIterator, discard: boolean): void {
    this.iterators.delete(iterator);
    if (!discard || this.iterators.size > 0) return;
    this.pulled = false;
    for (let next = this.take(); next !== undefined; next = this.take()) this.release(next);
  }

  /**
   * The client ends: loops end, with the error where there is one. What nobody has taken is not
   * acknowledged: the gateway keeps it.
   */
  end(error: Error | null): void {
    this.over = { error };
    this.buffer.clear();
    for (const iterator of [...this.iterators]) iterator.end(error);
    this.iterators.clear();
  }
}
