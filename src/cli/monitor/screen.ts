const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
/** Colours and the like: they take no place on a line. */
const MARKS = /\p{Cc}\[\d*m/gu;
const RESET = '\u001b[0m';
const CTRL_C = '\u0003';

/** A terminal that can be drawn on, such as process.stdout. */
export interface ScreenOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

/** A keyboard, such as process.stdin. */
export interface KeyInput {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
  resume(): unknown;
  pause(): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  off(event: 'data', listener: (chunk: Buffer) => void): unknown;
}

/** What keys do. */
export interface KeyActions {
  quit(): void;
  togglePause(): void;
}

/** The terminal while a program has it whole: a page of lines that is drawn anew, and keys. */
export class Screen {
  private lines: readonly string[] = [];
  private readonly onResize = (): void => this.paint();
  private readonly onKeys = (chunk: Buffer): void => {
    for (const key of chunk.toString('utf8')) {
      if (key === 'q' || key === CTRL_C) this.actions.quit();
      else if (key === 'p') this.actions.togglePause();
    }
  };

  constructor(
    private readonly output: ScreenOutput,
    private readonly input: KeyInput,
    private readonly actions: KeyActions,
  ) {}

  open(): void {
    this.output.write(ENTER);
    this.output.on('resize', this.onResize);
    if (this.input.isTTY !== true) return;
    this.input.setRawMode?.(true);
    this.input.on('data', this.onKeys);
    this.input.resume();
  }

  /** Gives the terminal back as it was. */
  close(): void {
    this.output.off('resize', this.onResize);
    if (this.input.isTTY === true) {
      this.input.off('data', this.onKeys);
      this.input.setRawMode?.(false);
      this.input.pause();
    }
    this.output.write(LEAVE);
  }

  /** Shows these lines, as far as they fit, and says how many do not. */
  show(lines: readonly string[]): void {
    this.lines = lines;
    this.paint();
  }

  private paint(): void {
    // Some pseudo terminals say 0 by 0.
    const columns = this.output.columns || 80;
    const rows = this.output.rows || 24;
    const shown = fitting(this.lines, rows - 1).map((line) => `${cut(line, columns)}${CLEAR_LINE}`);
    this.output.write(`${HOME}${shown.join('\r\n')}${CLEAR_BELOW}`);
  }
}

function fitting(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows) return lines;
  const shown = lines.slice(0, rows - 1);
  return [...shown, `... ${lines.length - shown.length} more lines`];
}

/** A line that fits: coloured ones lose their colours where they are too long. */
function cut(line: string, columns: number): string {
  const bare = line.replace(MARKS, '');
  return bare.length <= columns ? line : `${bare.slice(0, columns)}${RESET}`;
}
