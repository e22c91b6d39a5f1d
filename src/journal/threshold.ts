import { RingQueue } from '../base/ring-queue.js';

/** Why what waited may not happen. */
export interface WaitFailure {
  /** error_code of a push that waited. */
  readonly pushError: 'REPLICATION_LAG' | 'JOURNAL_FAILED';
  /** One line for whoever waited. */
  readonly reason: string;
}

/** Waits until the journal has come to a position; one of the two is called, once. */
export interface ThresholdWaiter {
  onReached(): void;
  onFailed(failure: WaitFailure): void;
}

/** One party that must have an entry before something may happen: the disk log, the standby. */
export interface ThresholdBar {
  /** It has everything up to `position`. Never goes back. */
  raise(position: number): void;
  /** Positions count anew from here: another history has taken the place of the former. */
  restart(position: number): void;
  /** What waits for positions up to this one will not come about. */
  fail(position: number, failure: WaitFailure): void;
  /** Nothing waits for this party any more. */
  remove(): void;
}

interface Waiting {
  readonly position: number;
  readonly waiter: ThresholdWaiter;
}

/**
 * A position of the journal that entries must have reached before something may happen. Every party
 * that must have them holds a bar; the lowest counts, and without one nothing waits.
 *
 * Who waits is called in the order of coming. The queue is as long as what it waits for: callers
 * bound it by what they take in (`JournalWriter.obstacle`).
 */
export class Threshold {
  private readonly bars = new Set<Bar>();
  private readonly waiting = new RingQueue<Waiting>();
  private current = Infinity;

  /** Entries up to this position are free to take effect. */
  get position(): number {
    return this.current;
  }

  /** How many wait. */
  get length(): number {
    return this.waiting.length;
  }

  /** A new party, which has everything up to `position`. */
  hold(position: number): ThresholdBar {
    const bar = new Bar(position, this);
    this.bars.add(bar);
    this.settle();
    return bar;
  }

  /** To be asked only where `position` is above this one's. */
  wait(position: number, waiter: ThresholdWaiter): void {
    this.waiting.push({ position, waiter });
  }

  /** Only for bars. */
  drop(bar: Bar): void {
    if (this.bars.delete(bar)) this.settle();
  }

  /** Only for bars: looks which of them is the lowest now, and lets go of what waited below. */
  settle(): void {
    let lowest = Infinity;
    for (const { position } of this.bars) if (position < lowest) lowest = position;
    this.current = lowest;
    for (;;) {
      const first = this.waiting.at(0);
      if (first === undefined || first.position > this.current) return;
      this.waiting.shift();
      first.waiter.onReached();
    }
  }

  /** Nobody will reach anything: the history that all waited for is not this gateway's any more. */
  abandon(failure: WaitFailure): void {
    this.fail(Infinity, failure);
  }

  /** Only for bars. Whoever waits again meanwhile is not asked again. */
  fail(position: number, failure: WaitFailure): void {
    for (let left = this.waiting.length; left > 0; left--) {
      const first = this.waiting.shift();
      if (first === undefined) return;
      if (first.position <= position) first.waiter.onFailed(failure);
      else this.waiting.push(first);
    }
  }
}

class Bar implements ThresholdBar {
  constructor(
    public position: number,
    private readonly threshold: Threshold,
  ) {}

  raise(position: number): void {
    if (position <= this.position) return;
    this.position = position;
    this.threshold.settle();
  }

  restart(position: number): void {
    this.position = position;
    this.threshold.settle();
  }

  fail(position: number, failure: WaitFailure): void {
    this.threshold.fail(position, failure);
  }

  remove(): void {
    this.threshold.drop(this);
  }
}
