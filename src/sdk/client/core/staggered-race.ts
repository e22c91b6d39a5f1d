import type { Cancel, Clock } from '../../../base/clock.js';
import { messageOf } from '../../../base/errors.js';
import type { Link } from '../../../link/link.js';
import { ErrorCode } from '../../../wire/error-catalogue.js';

/** One way to a Link. */
export interface Contender {
  /** For messages. */
  readonly name: string;
  /** @param signal when it fires the attempt is given up; a Link that comes later is closed. */
  open(signal: AbortSignal): Promise<Link>;
}

export interface RaceOptions {
  readonly clock: Clock;
  /** How long contender `index` may stay silent before the one behind it starts too, ms. */
  readonly headStart: (index: number) => number;
  /** What the failure of one does: the next starts at once, or none does before its time. */
  readonly onFailure: 'next' | 'wait';
}

/** The Link that was ready first, and whose it is. */
export interface Winner {
  readonly link: Link;
  readonly index: number;
}

/**
 * Several ways to one Link, the next started beside those that stay silent; who is ready first wins
 * ("happy eyeballs", RFC 8305 section 5). Only Links are raced: nothing is written on one before it
 * has won, and the others are given up or closed.
 */
export class StaggeredRace {
  private readonly attempts: AbortController[] = [];
  private readonly failures: string[] = [];
  private cancelNext: Cancel | null = null;
  private settled = false;
  private resolve: (winner: Winner) => void = () => undefined;
  private reject: (reason: Error) => void = () => undefined;

  constructor(
    private readonly contenders: readonly Contender[],
    private readonly options: RaceOptions,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Runs the race; once.
   * @throws the signal's reason; or, when all that were started have failed, why: the error of the
   * only one as it is, of several one that names each.
   */
  run(): Promise<Winner> {
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      if (this.signal.aborted) {
        this.onAbort();
        return;
      }
      this.signal.addEventListener('abort', this.onAbort, { once: true });
      this.startNext();
    });
  }

  private readonly onAbort = (): void => {
    this.settle();
    for (const attempt of this.attempts) attempt.abort(this.signal.reason);
    this.reject(this.signal.reason as Error);
  };

  private readonly startNext = (): void => {
    this.cancelNext?.();
    this.cancelNext = null;
    const index = this.attempts.length;
    const contender = this.contenders[index];
    if (contender === undefined) return;
    const attempt = new AbortController();
    this.attempts.push(attempt);
    if (index + 1 < this.contenders.length) {
      const { clock, headStart } = this.options;
      this.cancelNext = clock.after(headStart(index), this.startNext);
    }
    contender.open(attempt.signal).then(
      (link) => this.onReady(link, index),
      (error: unknown) => this.onFailed(error, contender),
    );
  };

  private onReady(link: Link, index: number): void {
    if (this.settled) {
      link.close(ErrorCode.None, 'connected too late');
      return;
    }
    this.settle();
    this.attempts.forEach((attempt, other) => {
      if (other !== index) attempt.abort(new Error('another was faster'));
    });
    this.resolve({ link, index });
  }

  private onFailed(error: unknown, { name }: Contender): void {
    if (this.settled) return;
    this.failures.push(`${name}: ${messageOf(error)}`);
    if (this.options.onFailure === 'next') this.startNext();
    const { failures, attempts } = this;
    if (failures.length < attempts.length) return;
    this.settle();
    this.reject(
      failures.length === 1 ? (error as Error) : new Error(failures.join('; '), { cause: error }),
    );
  }

  private settle(): void {
    this.settled = true;
    this.cancelNext?.();
    this.signal.removeEventListener('abort', this.onAbort);
  }
}
