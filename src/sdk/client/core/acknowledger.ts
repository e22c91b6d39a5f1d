import type { Cancel, Clock } from '../../../base/clock.js';
import { AckScheduler } from './ack-scheduler.js';
import { SettledNumbers } from './settled-numbers.js';
import type { OpenNumber } from './settled-numbers.js';

/** Writes down that everything up to a number is settled; resolves, never rejects, when that is done. */
export type KeepSettled = (seq: number) => Promise<void>;

/**
 * Acknowledges what the application has settled. Where numbers are kept over a restart of the process
 * they are kept first and acknowledged then: the gateway must not forget what a restarted process
 * would ask for.
 */
export class Acknowledger {
  private readonly numbers = new SettledNumbers();
  private readonly scheduler: AckScheduler;
  private kept = 0;
  private keeping = false;
  private incarnation = 0;
  private cancelKeep: Cancel | null = null;
  private over = false;

  /**
   * @param delayMs longest time between a settled frame and its ACK (or its being kept), ms.
   * @param send sends an ACK; false where there is no room now.
   */
  constructor(
    private readonly clock: Clock,
    private readonly delayMs: number,
    send: (seq: number) => boolean,
    private readonly keep: KeepSettled | null,
  ) {
    this.scheduler = new AckScheduler(clock, delayMs, send);
  }

  /** What START may claim to have. */
  get claim(): number {
    return this.keep === null ? this.settled : this.kept;
  }

  /** Everything up to this number is settled. */
  get settled(): number {
    return this.numbers.upTo;
  }

  /** A connection has started whose START claimed `seq`. */
  begin(seq: number): void {
    this.scheduler.begin(seq);
    // What was kept after that START was written, or while there was no connection, is still due.
    if (this.keep !== null) this.scheduler.note(this.kept);
    this.advance();
  }

  /** The numbers of a new session, which go on above `seq`. */
  restart(seq: number): void {
    this.incarnation++;
    this.numbers.restart(seq);
    this.kept = seq;
    this.scheduler.begin(seq);
  }

  /** The next frame is one that the application need not settle. */
  pass(seq: number): void {
    this.numbers.pass(seq);
    this.advance();
  }

  receive(seq: number): OpenNumber {
    return this.numbers.receive(seq);
  }

  settle(open: OpenNumber): void {
    this.numbers.settle(open);
    this.advance();
  }

  /** Sends the ACK that is due, if any, now. */
  flush(): void {
    this.scheduler.flush();
  }

  /** The connection is gone. */
  stop(): void {
    this.scheduler.stop();
  }

  /** The client ends. */
  end(): void {
    this.over = true;
    this.stop();
    this.cancelKeep?.();
    this.cancelKeep = null;
  }

  private advance(): void {
    if (this.over) return;
    const { settled } = this;
    if (this.keep === null) this.scheduler.note(settled);
    else if (settled > this.kept && !this.keeping && this.cancelKeep === null) {
      const { keep } = this;
      this.cancelKeep = this.clock.after(this.delayMs, () => void this.keepNow(keep));
    }
  }

  private async keepNow(keep: KeepSettled): Promise<void> {
    const { settled, incarnation } = this;
    this.cancelKeep = null;
    this.keeping = true;
    await keep(settled);
    this.keeping = false;
    if (this.over) return;
    if (incarnation === this.incarnation) {
      this.kept = settled;
      this.scheduler.note(settled);
      this.scheduler.flush();
    }
    this.advance();
  }
}
