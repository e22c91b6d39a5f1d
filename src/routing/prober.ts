import type { Cancel, Clock } from '../base/clock.js';
import type { UpstreamInstance } from './upstream-instance.js';

/** When instances are probed; all in ms. */
export interface ProbeTimes {
  /** To the first probe: an upstream registers before it listens. */
  readonly first: number;
  /** Between probes of a healthy instance that shows no other sign of life. */
  readonly interval: number;
  /** What a probe may take. */
  readonly timeout: number;
  /** After a failure: doubled with every further one, up to backoffMax. */
  readonly backoffFirst: number;
  readonly backoffMax: number;
}

/** DESIGN.md, "Upstreams": first probe after 10 s, backoff up to 30 s. */
export const DEFAULT_PROBE_TIMES: ProbeTimes = {
  first: 10_000,
  interval: 10_000,
  timeout: 3_000,
  backoffFirst: 1_000,
  backoffMax: 30_000,
};

/** Asks one instance again and again whether it lives, from a start to a stop. */
export class Prober {
  private cancel: Cancel | null = null;
  private due = Infinity;
  private failedProbes = 0;
  private stopped = false;
  /** Whether the first probe was made. */
  private probed = false;

  /** @param onResult gets null for alive, else why not. */
  constructor(
    private readonly instance: UpstreamInstance,
    private readonly clock: Clock,
    private readonly times: ProbeTimes,
    private readonly onResult: (failure: string | null) => void,
  ) {}

  /** Begins with the first probe; also again, after a stop too. */
  start(): void {
    this.stopped = false;
    this.probed = false;
    this.failedProbes = 0;
    this.schedule(this.times.first);
  }

  /**
   * A request failed: do not wait out the interval to learn more. The first probe keeps its time, for it may not
   * listen yet; but once it is taken for dead, that it listens must not go unseen for so long.
   */
  hasten(): void {
    if (this.failedProbes > 0 || (!this.probed && !this.instance.health.dead)) return;
    if (this.due - this.clock.now() > this.times.backoffFirst) {
      this.schedule(this.times.backoffFirst);
    }
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
    this.cancel = null;
  }

  private schedule(delay: number): void {
    if (this.stopped) return;
    this.cancel?.();
    this.due = this.clock.now() + delay;
    this.cancel = this.clock.after(delay, () => this.probe());
  }

  private probe(): void {
    this.cancel = null;
    this.probed = true;
    // While a probe is under way nothing is due, and `hasten` has nothing to hasten.
    this.due = -Infinity;
    if (this.provenByTraffic()) {
      this.schedule(this.times.interval);
      return;
    }
    this.instance.client.probe(this.times.timeout, (result) => {
      if (this.stopped) return;
      this.failedProbes = result.alive ? 0 : this.failedProbes + 1;
      this.onResult(result.alive ? null : result.reason);
      this.schedule(this.nextDelay());
    });
  }

  private provenByTraffic(): boolean {
    const { health } = this.instance;
    return health.failures === 0 && this.clock.now() - health.lastAlive < this.times.interval;
  }

  private nextDelay(): number {
    if (this.failedProbes === 0) return this.times.interval;
    return Math.min(this.times.backoffMax, this.times.backoffFirst * 2 ** (this.failedProbes - 1));
  }
}
