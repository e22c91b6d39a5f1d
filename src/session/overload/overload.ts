import type { Cancel, Clock } from '../../base/clock.js';
import type { Logger } from '../../telemetry/log.js';
import { ErrorCode } from '../../wire/error-catalogue.js';
import { retryAfter } from '../../wire/retry-after.js';
import { addressKey } from './address-key.js';
import { AddressLimits } from './address-limits.js';
import type { AddressRefusal } from './address-limits.js';
import { EventLoopProbe } from './event-loop-probe.js';
import { LoadWarning } from './load-warning.js';
import type { OverloadOptions } from './options.js';
import { SlidingWindow } from './sliding-window.js';
import { SpentAllowances } from './spent-allowances.js';
import { BucketLimit, TokenBucket } from '../../base/token-bucket.js';

/** How often the rate of requests is held against its warning threshold, ms. */
const WARNING_PERIOD_MS = 1_000;

/** What share of address_connections may be open beyond it, to be heard whether they take another's place. */
const SURPLUS_SHARE = 0.1;

/** Why a new connection is not taken. */
export interface ConnectionRefusal {
  readonly code: ErrorCode;
  readonly reason: string;
  /** Label of gatesvr_connections_rejected_total. */
  readonly label: string;
}

/** The load as operators see it. */
export interface OverloadView {
  /** Business requests admitted per second, over the window. */
  readonly qps: number;
  /** Infinity: no limit. */
  readonly maxQps: number;
  /** Milliseconds. */
  readonly eventLoopDelay: number;
  /** New connections are refused because the event loop is late. */
  readonly shedding: boolean;
  /** Addresses that limits are kept for. */
  readonly addresses: number;
}

const LATE: ConnectionRefusal = {
  code: ErrorCode.Overloaded,
  reason: 'overloaded, try again later',
  label: 'event_loop_delay',
};

function tooMany({ limit, retryAfter: wait }: AddressRefusal): ConnectionRefusal {
  return { code: ErrorCode.TooManyRequests, reason: retryAfter(wait), label: limit };
}

/**
 * Decides what the gateway takes on: connections by address and by the lateness of the event loop,
 * business requests by their rate, all together and per session. What it has taken on it never drops.
 */
export class Overload {
  private readonly requests: SlidingWindow;
  private readonly requestLimit: number;
  private readonly sessionLimit: BucketLimit | null;
  private readonly spent = new SpentAllowances();
  private readonly addresses: AddressLimits | null;
  /** Of connections that are none of a client yet, which may be as many again. */
  private readonly waiting: AddressLimits | null;
  private readonly probe: EventLoopProbe;
  private readonly connectionWarning: LoadWarning;
  private readonly requestWarning: LoadWarning;
  private stopWatching: Cancel | null = null;

  constructor(
    private readonly options: OverloadOptions,
    private readonly clock: Clock,
    log: Logger,
  ) {
    const { qpsWindow, maxQps, sessionQps, sessionBurst, addressConnections } = options;
    this.requests = new SlidingWindow(qpsWindow);
    this.requestLimit = (maxQps * qpsWindow) / 1000;
    this.sessionLimit = sessionQps > 0 ? new BucketLimit(sessionQps, sessionBurst) : null;
    const byAddress = addressConnections > 0 || options.addressConnectionRate > 0;
    this.addresses = byAddress ? new AddressLimits(options) : null;
    this.waiting = byAddress ? new AddressLimits(options) : null;
    this.probe = new EventLoopProbe(options.maxEventLoopDelay, clock, log);
    this.connectionWarning = new LoadWarning('connections', options.connectionWarning, log);
    this.requestWarning = new LoadWarning('requests per second', options.qpsWarning, log);
  }

  /**
   * Begins to measure; before that nothing is late. Idempotent.
   * @param onShedding called when new connections begin to be refused for lateness, and when that ends:
   *   where they come from they are refused more cheaply still.
   */
  start(onShedding: (shedding: boolean) => void = () => undefined): void {
    this.probe.start(onShedding);
    this.stopWatching ??= this.clock.every(WARNING_PERIOD_MS, () =>
      this.requestWarning.observe(this.currentQps()),
    );
  }

  stop(): void {
    this.probe.stop();
    this.stopWatching?.();
    this.stopWatching = null;
  }

  /** What connections of this address are counted under; empty where addresses are not limited. */
  keyOf(remoteAddress: string): string {
    return this.addresses === null ? '' : addressKey(remoteAddress);
  }

  /**
   * Takes a connection on, which `connectionClosed` must be called for, or says why not. Some more of an address are
   * taken on than it may have, to be heard: `surplusOf` tells which.
   */
  admitConnection(key: string): ConnectionRefusal | null {
    if (this.probe.overloaded) return LATE;
    const surplus = Math.ceil(this.options.addressConnections * SURPLUS_SHARE);
    const refusal = this.addresses?.enter(key, this.clock.now(), surplus) ?? null;
    return refusal && tooMany(refusal);
  }

  /** Why the newest connection of an address is one too many, or null. */
  surplusOf(key: string): ConnectionRefusal | null {
    const refusal = this.addresses?.surplusOf(key) ?? null;
    return refusal && tooMany(refusal);
  }

  /**
   * Lets a connection wait to become one of a client, which `admitConnection` is asked about then.
   * @returns what to call once it waits no more, or why it may not.
   */
  admitWaiting(remoteAddress: string): (() => void) | ConnectionRefusal {
    const { waiting } = this;
    if (waiting === null) return () => undefined;
    const key = addressKey(remoteAddress);
    const refusal = waiting.enter(key, this.clock.now());
    return refusal === null ? () => waiting.leave(key) : tooMany(refusal);
  }

  connectionClosed(key: string): void {
    this.addresses?.leave(key);
  }

  /** The number of open connections changed. */
  noteConnections(open: number): void {
    this.connectionWarning.observe(open);
  }

  /** Counts a business request; false, and not counted, where there were too many. @param now monotonic ms. */
  admitRequest(now: number): boolean {
    return this.requests.tryAdd(now, this.requestLimit);
  }

  /**
   * The allowance of requests of a session that begins, or null where sessions are not limited. What the
   * openid's last session had spent counts.
   */
  sessionRate(openid: string): TokenBucket | null {
    const { sessionLimit } = this;
    return sessionLimit && (this.spent.take(openid) ?? new TokenBucket(sessionLimit));
  }

  /** A session has ended. @param rate what `sessionRate` gave it. */
  sessionEnded(openid: string, rate: TokenBucket | null): void {
    if (rate !== null) this.spent.keep(openid, rate, this.clock.now());
  }

  currentQps(): number {
    return this.requests.rate(this.clock.now());
  }

  view(): OverloadView {
    return {
      qps: this.currentQps(),
      maxQps: this.options.maxQps,
      eventLoopDelay: this.probe.delay,
      shedding: this.probe.overloaded,
      addresses: this.addresses?.size ?? 0,
    };
  }

  /** What an operator should look at, one line each. */
  warnings(): string[] {
    const late = this.probe.overloaded
      ? 'event loop overloaded: new connections are refused'
      : null;
    const lines = [this.connectionWarning.line, this.requestWarning.line, late];
    return lines.filter((line) => line !== null);
  }
}
