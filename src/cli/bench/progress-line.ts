import type { BenchProgress } from '../../bench/client/bench-run.js';

/** A terminal that can be drawn on, such as process.stderr. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const REDRAW_MS = 100;
const BAR_WIDTH = 30;
const BACK_AND_CLEAR = '\r\u001b[K';

/** A bar on one line that is drawn again and again, and leaves nothing behind. */
export class ProgressLine {
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly output: ProgressOutput,
    private readonly read: () => BenchProgress,
  ) {}

  /** Draws until stop(); nothing where the output is no terminal. */
  start(): void {
    if (this.output.isTTY !== true) return;
    this.timer = setInterval(() => {
      this.output.write(`${BACK_AND_CLEAR}${progressText(this.read())}`);
    }, REDRAW_MS);
  }

  stop(): void {
    if (this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
    this.output.write(BACK_AND_CLEAR);
  }
}

/** `measuring   [######........]  45 %  1,234`. */
function progressText({ phase, share, done }: BenchProgress): string {
  const filled = Math.round(share * BAR_WIDTH);
  const bar = '#'.repeat(filled).padEnd(BAR_WIDTH, '.');
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  return `${phase.padEnd(10)} [${bar}] ${percent}  ${done.toLocaleString('en-US')}`;
}
