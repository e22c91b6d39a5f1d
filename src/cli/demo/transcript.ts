import { messageOf } from '../../base/errors.js';

/** Longest a claim may take to come true, ms: far more than any does on a slow and busy machine. */
const PATIENCE_MS = 60_000;

const BOLD = '\u001b[1m';
const DIM = '\u001b[2m';
const GREEN = '\u001b[32m';
const RED = '\u001b[31m';
const RESET = '\u001b[0m';

/** Thrown where a claim failed that the rest of the story stands on. */
export class StoryEnds extends Error {}

/** A check: it throws where the claim is false, and may return a detail worth reading. */
export type Check = () => Promise<string | undefined> | Promise<void> | string | undefined;

/**
 * What the audience reads: numbered chapters, and one line per claim with a check mark for what was
 * verified, the time it took, and the reason where it was not.
 */
export class Transcript {
  private chapters = 0;
  private passedClaims = 0;
  private failedClaims = 0;

  /** @param colours ANSI colours; only for a terminal. */
  constructor(
    private write: (text: string) => void,
    private readonly colours: boolean,
  ) {}

  get failed(): number {
    return this.failedClaims;
  }

  title(text: string): void {
    this.write(`${this.paint(BOLD, text)}\n`);
  }

  chapter(title: string): void {
    this.chapters++;
    this.write(`\n${this.paint(BOLD, `${this.chapters}. ${title}`)}\n`);
  }

  /** A line that tells what happens; nothing is claimed. */
  tell(text: string): void {
    this.write(`   ${this.paint(DIM, text)}\n`);
  }

  /** Verifies and prints one claim; a false one is counted, and the story goes on. */
  async claim(text: string, check: Check): Promise<boolean> {
    const start = performance.now();
    let detail: string | undefined;
    let failure: string | null = null;
    try {
      detail = (await patiently(check)) ?? undefined;
    } catch (error) {
      failure = messageOf(error);
    }
    const took = `${Math.round(performance.now() - start)} ms`;
    if (failure === null) this.passedClaims++;
    else this.failedClaims++;
    const mark = failure === null ? this.paint(GREEN, '✓') : this.paint(RED, '✗');
    const more = detail === undefined ? '' : `: ${detail}`;
    this.write(`   ${mark} ${text}${more} ${this.paint(DIM, `(${took})`)}\n`);
    if (failure !== null) this.write(`     ${this.paint(RED, failure)}\n`);
    return failure === null;
  }

  /** As claim, for what everything after it needs. @throws {StoryEnds} */
  async must(text: string, check: Check): Promise<void> {
    if (!(await this.claim(text, check))) throw new StoryEnds(text);
  }

  /** The last line: how many claims held. */
  summary(seconds: number): void {
    const counts = `${this.passedClaims} passed, ${this.failedClaims} failed`;
    this.write(`\n${this.paint(DIM, `played in ${seconds.toFixed(1)} s`)}\n`);
    this.write(`${this.paint(this.failedClaims === 0 ? GREEN : RED, counts)}\n`);
  }

  /** Nothing is written any more: the curtain has fallen. */
  mute(): void {
    this.write = () => undefined;
  }

  private paint(colour: string, text: string): string {
    return this.colours ? `${colour}${text}${RESET}` : text;
  }
}

async function patiently(check: Check): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `did not come true within ${PATIENCE_MS / 1000} s`;
    timer = setTimeout(() => reject(new Error(message)), PATIENCE_MS);
  });
  try {
    return (await Promise.race([check(), late])) ?? undefined;
  } finally {
    clearTimeout(timer);
  }
}
