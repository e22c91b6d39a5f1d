import type { Logger } from '../telemetry/log.js';

/** The next warning comes only after the load fell below this share of its threshold: no flicker. */
const CLEAR_SHARE = 0.9;

/** How many requests may await upstreams at once, and how large they may be. */
export interface ConcurrencyLimits {
  /** At so many the next is refused with 503. */
  readonly max: number;
  /** And at so many bytes of them together: each is kept until its answer. The last may go beyond. */
  readonly maxBytes: number;
  /** At so many one warning is logged; the next one after it clearly fell below. */
  readonly warnAt: number;
}

/** Admits requests up to the limits of what awaits upstreams. */
export class RequestGate {
  private inside = 0;
  private bytesInside = 0;
  private warned = false;
  private stopping = false;
  private ended = false;
  private aside = false;
  private idleWaiters: (() => void)[] = [];

  constructor(
    private readonly limits: ConcurrencyLimits,
    private readonly logger: Logger,
  ) {}

  get concurrent(): number {
    return this.inside;
  }

  /** Of the requests inside, encoded. */
  get bytes(): number {
    return this.bytesInside;
  }

  /** Whether what is inside is to end as well, sent or not. */
  get cancelled(): boolean {
    return this.ended || this.aside;
  }

  /** @returns null, or why the next request may not come in (a label of gatesvr_upstream_rejected_total). */
  refuses(): 'stopping' | 'concurrency' | 'bytes' | null {
    if (this.stopping) return 'stopping';
    if (this.inside >= this.limits.max) return 'concurrency';
    return this.bytesInside >= this.limits.maxBytes ? 'bytes' : null;
  }

  /** For a request that it does not refuse. */
  enter(bytes: number): void {
    this.inside++;
    this.bytesInside += bytes;
    if (this.inside >= this.limits.warnAt && !this.warned) this.warn();
  }

  /** @param bytes as it entered with. */
  leave(bytes: number): void {
    this.inside--;
    this.bytesInside -= bytes;
    if (this.warned && this.inside < this.limits.warnAt * CLEAR_SHARE) this.warned = false;
    if (this.inside === 0) this.wakeIdle();
  }

  /** Admits nothing more. */
  close(): void {
    this.stopping = true;
  }

  /** As close, and nothing more of what is inside is sent. */
  cancel(): void {
    this.stopping = true;
    this.ended = true;
  }

  /** Another gateway serves: nothing of what is inside is sent, until `resume`. */
  standDown(): void {
    this.aside = true;
  }

  resume(): void {
    this.aside = false;
  }

  /** Resolves when nothing is inside. */
  idle(): Promise<void> {
    if (this.inside === 0) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  private warn(): void {
    this.warned = true;
    this.logger.warn(
      { concurrent: this.inside, max: this.limits.max },
      'many requests await upstreams; upstreams are slow or too few',
    );
  }

  private wakeIdle(): void {
    const waiters = this.idleWaiters;
    this.idleWaiters = [];
    for (const wake of waiters) wake();
  }
}
