import { CatchUp } from './catch-up.js';
import type { Reading } from './catch-up.js';
import { STALL_MS } from './clock.js';
import type { Cancel, Clock } from './clock.js';

const SLOTS = 1024;

/** Where a timer is that is in no slot: not armed, or about to fire. */
const NOWHERE = -1;
const DUE = -2;

/**
 * Timers fire for so long in one turn of the event loop, ms: thousands that are due together, as sessions are whose clients
 * were cut off together, must not hold up everybody else, nor look to the watchdog like a loop.
 */
const FIRING_MS = 10;

/** Under a flood, where reading is behind for good, timers are late by this, ms: less than any of them matters. */
const MAX_BEHIND_MS = 200;

/**
 * One timer of a wheel. Arming it again only moves its deadline: a timer pushed back on every
 * frame costs a store, not a relink; the wheel looks at it again when its old slot comes round.
 */
export class WheelTimer {
  /** Owned by the wheel. */
  deadline = 0;
  /** Owned by the wheel: the slot this timer is linked in, NOWHERE when it is not armed, DUE when it is about to fire. */
  slot = NOWHERE;
  next: WheelTimer | null = null;
  previous: WheelTimer | null = null;

  constructor(
    private readonly wheel: TimerWheel,
    readonly fire: () => void,
  ) {}

  get armed(): boolean {
    return this.slot !== NOWHERE;
  }

  /**
   * Fires once, `delay` ms from now, never early and about two ticks late at most, unless the process stalls or very
   * many are due together.
   */
  arm(delay: number): void {
    this.wheel.arm(this, delay);
  }

  /** Makes sure that it fires within `delay` ms; an earlier deadline stays. */
  armWithin(delay: number): void {
    this.wheel.armWithin(this, delay);
  }

  disarm(): void {
    this.wheel.disarm(this);
  }
}

/**
 * Coarse timers for everything that exists once per session or connection: one timer of the clock serves them all,
 * and wakes the process for a slot that holds some, or to notice a stall; while nothing is armed it does not.
 * Arming and disarming are O(1). After a stall, and while reading is behind, they fire once what waited in the
 * sockets was read, for most of them mean that a peer was silent.
 */
export class TimerWheel {
  private readonly slots: (WheelTimer | null)[] = new Array<WheelTimer | null>(SLOTS).fill(null);
  /** Ticks that it sleeps at most: how late it wakes tells of a stall, so it may not sleep through one. */
  private readonly longestSleep: number;
  private armedCount = 0;
  private lastTick = 0;
  /** When it looks again, where `cancelWake` is not null. */
  private wakeTick = 0;
  private cancelWake: Cancel | null = null;
  private running = false;
  /** About to fire, in order; those of them that are not DUE any more are passed over. */
  private due: WheelTimer[] = [];
  private nextDue = 0;
  private readonly soon: (run: () => void) => void;
  private readonly catchUp: CatchUp;
  private readonly isBehind: () => boolean;
  private readonly onWake = (): void => this.wake();
  private readonly onCaughtUp = (): void => this.runDue();
  private readonly onNextTurn = (): void => {
    if (this.due.length > 0) this.fireDue();
  };

  /** @param tick resolution in ms. */
  constructor(
    private readonly clock: Clock,
    private readonly tick: number,
    reading: Reading = {},
  ) {
    this.catchUp = new CatchUp(clock, reading);
    this.isBehind = reading.isBehind ?? (() => false);
    this.soon = reading.soon ?? ((run) => void setImmediate(run));
    this.longestSleep = Math.ceil(STALL_MS / tick);
  }

  /** A timer of this wheel, not armed yet. */
  timer(fire: () => void): WheelTimer {
    return new WheelTimer(this, fire);
  }

  /** Timers that are armed now. */
  get size(): number {
    return this.armedCount;
  }

  arm(timer: WheelTimer, delay: number): void {
    const now = this.clock.now();
    const earlier = timer.deadline;
    timer.deadline = now + Math.max(0, delay);
    if (timer.slot === DUE) {
      this.takeOut(timer);
    } else if (timer.slot !== NOWHERE) {
      if (timer.deadline >= earlier) return;
      this.unlink(timer);
    }
    if (this.asleep) this.lastTick = Math.floor(now / this.tick);
    const due = this.link(timer);
    if (this.asleep) this.sleep();
    else if (this.cancelWake !== null && due < this.wakeTick) this.wakeAt(due);
  }

  armWithin(timer: WheelTimer, delay: number): void {
    if (timer.slot === NOWHERE || timer.deadline > this.clock.now() + delay) this.arm(timer, delay);
  }

  disarm(timer: WheelTimer): void {
    if (timer.slot === DUE) this.takeOut(timer);
    else if (timer.slot !== NOWHERE) this.unlink(timer);
  }

  /** Disarms nothing but ends the ticking; the wheel starts again at the next arm. */
  stop(): void {
    this.cancelWake?.();
    this.cancelWake = null;
    this.catchUp.cancel();
    if (this.running) return;
    for (const timer of this.due) {
      if (timer.slot !== DUE) continue;
      this.takeOut(timer);
      this.link(timer);
    }
    this.forgetDue();
  }

  /** Whether nothing will make it look at its slots. */
  private get asleep(): boolean {
    return this.cancelWake === null && this.due.length === 0 && !this.catchUp.waiting;
  }

  /** @returns the tick at which it is looked at. */
  private link(timer: WheelTimer): number {
    // A deadline already passed waits for the next tick, so that firing never re-enters the caller.
    const due = Math.max(Math.ceil(timer.deadline / this.tick), this.lastTick + 1);
    const slot = due % SLOTS;
    const head = this.slots[slot] ?? null;
    timer.slot = slot;
    timer.previous = null;
    timer.next = head;
    if (head !== null) head.previous = timer;
    this.slots[slot] = timer;
    this.armedCount++;
    return due;
  }

  private unlink(timer: WheelTimer): void {
    if (timer.previous !== null) timer.previous.next = timer.next;
    else this.slots[timer.slot] = timer.next;
    if (timer.next !== null) timer.next.previous = timer.previous;
    timer.next = timer.previous = null;
    this.takeOut(timer);
  }

  private takeOut(timer: WheelTimer): void {
    timer.slot = NOWHERE;
    this.armedCount--;
  }

  /** Until the next slot that holds a timer, or as long as it may. */
  private sleep(): void {
    let next = this.lastTick + 1;
    const latest = this.lastTick + this.longestSleep;
    while (next < latest && this.slots[next % SLOTS] === null) next++;
    this.wakeAt(next);
  }

  private wakeAt(tick: number): void {
    this.cancelWake?.();
    this.wakeTick = tick;
    this.cancelWake = this.clock.after(tick * this.tick - this.clock.now(), this.onWake);
  }

  private wake(): void {
    this.cancelWake = null;
    const late = this.clock.now() - this.wakeTick * this.tick;
    // The platform counts from the beginning of its turn, and in whole ms.
    if (late < 0) return this.wakeAt(this.wakeTick);
    const wait = late < STALL_MS ? this.behindFor() : late;
    if (wait === 0) this.runDue();
    else this.catchUp.begin(wait, this.onCaughtUp);
  }

  /** How long timers may wait for what is known to lie in the sockets, ms. */
  private behindFor(): number {
    return this.isBehind() ? MAX_BEHIND_MS : 0;
  }

  private runDue(): void {
    const now = this.clock.now();
    const target = Math.floor(now / this.tick);
    // After a pause longer than one turn every slot is due once; more turns would find nothing new.
    const from = Math.max(this.lastTick + 1, target - SLOTS + 1);
    this.lastTick = Math.max(this.lastTick, target);
    for (let tick = from; tick <= target; tick++) this.empty(tick % SLOTS, now);
    this.fireDue();
  }

  /** Those of a slot that are due wait to be fired, the others are linked anew. */
  private empty(slot: number, now: number): void {
    let timer = this.slots[slot] ?? null;
    this.slots[slot] = null;
    while (timer !== null) {
      const next: WheelTimer | null = timer.next;
      timer.next = timer.previous = null;
      if (timer.deadline <= now) {
        timer.slot = DUE;
        this.due.push(timer);
      } else {
        this.takeOut(timer);
        this.link(timer);
      }
      timer = next;
    }
  }

  /** As many as a turn has time for, the others in the next one. A callback may arm or disarm any timer. */
  private fireDue(): void {
    const end = this.clock.now() + FIRING_MS;
    this.running = true;
    try {
      while (this.nextDue < this.due.length) {
        const timer = this.due[this.nextDue++] as WheelTimer;
        if (timer.slot !== DUE) continue;
        this.takeOut(timer);
        timer.deadline = 0;
        timer.fire();
        if (this.clock.now() >= end) break;
      }
    } finally {
      this.running = false;
      this.afterFiring();
    }
  }

  private afterFiring(): void {
    if (this.nextDue < this.due.length) return this.soon(this.onNextTurn);
    this.forgetDue();
    if (this.armedCount > 0) this.sleep();
  }

  private forgetDue(): void {
    this.due = [];
    this.nextDue = 0;
  }
}
