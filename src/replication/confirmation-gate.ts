import type { Cancel, Clock } from '../base/clock.js';
import { RingQueue } from '../base/ring-queue.js';

export interface GateOptions {
  readonly mode: 'async' | 'sync';
  readonly onTimeout: 'degrade' | 'refuse';
  /** Longest wait for a confirmation, ms. */
  readonly timeout: number;
}

/** backup.sync.mode and backup.sync.on_timeout in one: what becomes of what is not confirmed. */
export type SyncMode = 'async' | 'degrade' | 'refuse';

export function syncModeOf({ mode, onTimeout }: Pick<GateOptions, 'mode' | 'onTimeout'>): SyncMode {
  return mode === 'async' ? 'async' : onTimeout;
}

/**
 * confirmed: the standby has it. released: go on, it may be lost with this gateway. refused: the
 * standby does not confirm, and `on_timeout: refuse` forbids to go on (REPLICATION_LAG, 503).
 */
export type GateVerdict = 'confirmed' | 'released' | 'refused';

interface Waiting {
  readonly position: number;
  readonly due: number;
  readonly pass: (verdict: GateVerdict) => void;
}

/**
 * Holds back what depends on journal entries until the standby has confirmed them (sync.mode: sync).
 * What waits is bounded by what sessions may have in flight: whoever waits holds a place there.
 */
export class ConfirmationGate {
  private readonly waiting = new RingQueue<Waiting>();
  private confirmedUpTo = 0;
  /** Nobody waits: there is no standby, or it is far behind. */
  private open = true;
  private lagging = true;
  /** What must be confirmed before anybody waits again, and before nothing released is unconfirmed. */
  private mark = Number.POSITIVE_INFINITY;
  private releasedUpTo = 0;
  private cancelTimer: Cancel | null = null;

  /** @param onDegraded hears each time that the standby's confirmations stop, or count again. */
  constructor(
    private readonly options: GateOptions,
    private readonly position: () => number,
    private readonly clock: Clock,
    private readonly onDegraded: (degraded: boolean) => void = () => undefined,
  ) {}

  /** In sync mode: success promises no more than in async mode, or is refused. */
  get degraded(): boolean {
    return this.options.mode === 'sync' && this.lagging;
  }

  /** Whether new pushes and requests must be refused at once. */
  get refusing(): boolean {
    return this.degraded && this.options.onTimeout === 'refuse';
  }

  get confirmed(): number {
    return this.confirmedUpTo;
  }

  /** Calls `pass` once, now or later: when the entries up to `position` may have effects. */
  whenConfirmed(position: number, pass: (verdict: GateVerdict) => void): void {
    if (this.options.mode === 'async') pass('released');
    else if (this.open) pass(this.verdictWithout());
    else if (position <= this.confirmedUpTo) pass('confirmed');
    else this.wait(position, pass);
  }

  /** A standby begins with a snapshot: once it has everything up to here, waiting makes sense again. */
  begin(position: number): void {
    this.confirmedUpTo = 0;
    this.mark = position;
  }

  /** The standby has everything up to `position`. @returns whether it has caught up. */
  confirm(position: number): boolean {
    this.confirmedUpTo = Math.max(this.confirmedUpTo, position);
    while ((this.waiting.at(0)?.position ?? Number.POSITIVE_INFINITY) <= this.confirmedUpTo) {
      this.waiting.shift()?.pass('confirmed');
    }
    if (this.confirmedUpTo < this.mark) return false;
    if (this.open) {
      this.open = false;
      this.releasedUpTo = this.position();
    }
    if (this.confirmedUpTo < this.releasedUpTo) return this.options.mode === 'async';
    if (this.lagging) {
      this.lagging = false;
      if (this.options.mode === 'sync') this.onDegraded(false);
    }
    return true;
  }

  /** The standby's stream is lost: it may come back within the timeout of whoever waits. */
  disconnected(): void {
    this.mark = Number.POSITIVE_INFINITY;
  }

  /** Another role, or the end: nobody waits, and what was confirmed was another history's. */
  release(): void {
    this.disconnected();
    this.confirmedUpTo = 0;
    this.lapse();
  }

  private wait(position: number, pass: (verdict: GateVerdict) => void): void {
    this.waiting.push({ position, due: this.clock.now() + this.options.timeout, pass });
    this.armTimer();
  }

  /** One timer for the oldest: its like times out for all behind it. */
  private armTimer(): void {
    const oldest = this.waiting.at(0);
    if (oldest === undefined || this.cancelTimer !== null) return;
    this.cancelTimer = this.clock.after(Math.max(0, oldest.due - this.clock.now()), () => {
      this.cancelTimer = null;
      const head = this.waiting.at(0);
      if (head !== undefined && head.due <= this.clock.now()) this.lapse();
      this.armTimer();
    });
  }

  /** The standby will not confirm in time: nobody waits until it has caught up. */
  lapse(): void {
    const was = this.lagging;
    this.open = this.lagging = true;
    if (this.mark !== Number.POSITIVE_INFINITY) this.mark = this.position();
    const verdict = this.verdictWithout();
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      next.pass(verdict);
    }
    if (!was && this.options.mode === 'sync') this.onDegraded(true);
  }

  private verdictWithout(): GateVerdict {
    return this.options.onTimeout === 'refuse' ? 'refused' : 'released';
  }
}
