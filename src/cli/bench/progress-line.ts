import type { BenchProgress } from '../../bench/client/bench-run.js';

/** A terminal that can be drawn on, such as process.stderr. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const REDRAW_MS = 100;
/** A gateway that is there and not overwhelmed answers sooner, ms. */
const UNUSUAL_MS = 2_000;
const BAR_WIDTH = 30;
const BACK_AND_CLEAR = '\r\u001b[K';

/**
 * A bar on one line that is drawn again and again, and leaves nothing behind. Where the output is no
 * terminal: nothing, or one line that says whom the run waits for.
 */
export class ProgressLine {
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly output: ProgressOutput,
    private readonly read: () => BenchProgress,
  ) {}

  /** Draws until stop(). */
  start(): void {
    if (this.output.isTTY !== true) {
      this.timer = setTimeout(() => this.sayWhoIsMissing(), UNUSUAL_MS);
      return;
    }
    this.timer = setInterval(() => {
      this.output.write(`${BACK_AND_CLEAR}${progressText(this.read())}`);
    }, REDRAW_MS);
  }

  stop(): void {
    if (this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
    if (this.output.isTTY === true) this.output.write(BACK_AND_CLEAR);
  }

  private sayWhoIsMissing(): void {
    const { waitingFor } = this.read();
    if (waitingFor === null) return;
    this.output.write(
      `gatesvr: no answer from ${waitingFor} yet; --timeout says how long to wait\n`,
    );
  }
}

/** `measuring   [######........]  45 %  1,234`, or whom it waits for. */
function progressText({ phase, share, done, waitingFor }: BenchProgress): string {
  if (waitingFor !== null) return `${phase.padEnd(10)} waiting for ${waitingFor}`;
  const filled = Math.round(share * BAR_WIDTH);
  const bar = '#'.repeat(filled).padEnd(BAR_WIDTH, '.');
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  return `${phase.padEnd(10)} [${bar}] ${percent}  ${done.toLocaleString('en-US')}`;
}
