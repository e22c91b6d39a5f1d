/** How work arrives. Closed: the next piece when one is done. Open: by the clock, come what may. */
export type Arrival =
  | { readonly kind: 'closed' }
  /** Pieces per second. */
  | { readonly kind: 'open'; readonly rate: number };

/** When no further work is begun. */
export type Extent = { readonly pieces: number } | { readonly ms: number };

/** Begins a piece of work that was due at `intendedAt`; false where there is no room for it now. */
export type BeginWork = (intendedAt: number) => boolean;

/** How often arrivals are looked at in an open loop, ms: what a timer can do. */
const TICK_MS = 1;

/** Work under way of which nothing was finished for so long is lost, ms. */
const STALL_MS = 15_000;

export interface LoopResult {
  readonly done: number;
  /** From the first piece to the end of the last, at least the time that was asked for, ms. */
  readonly elapsedMs: number;
}

/**
 * Keeps work coming and waits until all of it is done. In an open loop a piece that cannot begin
 * when it is due begins later, but its intended time stays: whoever measures from there measures
 * what a user waits, not only what the gateway takes (coordinated omission).
 */
export class WorkLoop {
  private begun = 0;
  private finished = 0;
  private startedAt = 0;
  private extent: Extent = { pieces: 0 };
  private running = false;
  private aborted = false;
  private filling = false;
  private lastProgress = 0;
  private settle: (() => void) | null = null;

  /** @param onStall hears how many pieces were lost; the loop ends then. */
  constructor(
    private readonly arrival: Arrival,
    private readonly begin: BeginWork,
    private readonly onStall: (pieces: number) => void,
  ) {}

  /** Pieces done in this run. */
  get done(): number {
    return this.finished;
  }

  /** How much of the extent is over, 0 to 1. */
  get share(): number {
    const { extent } = this;
    const passed = performance.now() - this.startedAt;
    const share = 'ms' in extent ? passed / extent.ms : this.finished / extent.pieces;
    return Math.min(1, share);
  }

  /** Resolves when the extent is reached and everything begun is done, or after abort(). */
  async run(extent: Extent): Promise<LoopResult> {
    this.extent = extent;
    this.begun = this.finished = 0;
    this.startedAt = this.lastProgress = performance.now();
    this.running = true;
    const settled = new Promise<void>((resolve) => (this.settle = resolve));
    const timer = setInterval(() => this.tick(), TICK_MS);
    this.fill();
    this.settleIfDone();
    await settled;
    clearInterval(timer);
    this.running = false;
    const elapsedMs = this.lastProgress - this.startedAt;
    return { done: this.finished, elapsedMs: Math.max(elapsedMs, 'ms' in extent ? extent.ms : 0) };
  }

  /** A piece of work is done: begins what may begin now. */
  pieceDone(): void {
    if (!this.running) return;
    this.finished++;
    this.lastProgress = performance.now();
    this.fill();
    this.settleIfDone();
  }

  /** Begins what may begin now, though no piece is done. */
  roomFreed(): void {
    if (this.running) this.fill();
  }

  /** Begins nothing more and waits for nothing. */
  abort(): void {
    this.aborted = true;
    this.settle?.();
  }

  private tick(): void {
    this.fill();
    this.settleIfDone();
    const underWay = this.begun - this.finished;
    if (underWay > 0 && performance.now() - this.lastProgress > STALL_MS) {
      this.onStall(underWay);
      this.abort();
    }
  }

  /** Begins all that is due. A piece that is done at once must not fill within filling. */
  private fill(): void {
    if (this.filling || this.aborted) return;
    this.filling = true;
    const { arrival } = this;
    if (arrival.kind === 'open') this.fillByClock(arrival.rate);
    else {
      for (let now = performance.now(); !this.over(now); now = performance.now()) {
        if (!this.begin(now)) break;
        this.begun++;
      }
    }
    this.filling = false;
  }

  private fillByClock(rate: number): void {
    const due = Math.min(this.dueAt(performance.now(), rate), this.most(rate));
    while (this.begun < due) {
      if (!this.begin(this.startedAt + (this.begun * 1000) / rate)) return;
      this.begun++;
    }
  }

  private dueAt(now: number, rate: number): number {
    return 1 + Math.floor(((now - this.startedAt) * rate) / 1000);
  }

  /** How many pieces an open loop has altogether. */
  private most(rate: number): number {
    const { extent } = this;
    return 'pieces' in extent ? extent.pieces : Math.max(1, Math.floor((extent.ms * rate) / 1000));
  }

  private over(now: number): boolean {
    const { extent } = this;
    return 'pieces' in extent ? this.begun >= extent.pieces : now - this.startedAt >= extent.ms;
  }

  private settleIfDone(): void {
    const { arrival } = this;
    const complete =
      arrival.kind === 'open'
        ? this.begun >= this.most(arrival.rate)
        : this.over(performance.now());
    if (complete && this.finished === this.begun) this.settle?.();
  }
}
