import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The program that this demo belongs to. */
const PROGRAM = fileURLToPath(new URL('../main.js', import.meta.url));

/** Lines kept of each process: enough to say why it failed. */
const KEPT_LINES = 100;

/** How long a process may take to end by itself, ms, before it is killed. */
const STOP_PATIENCE_MS = 15_000;

/** One process of the deployment: `gatesvr` with these arguments. */
export class Child {
  /** Resolves with the exit code, null where a signal ended it. */
  readonly ended: Promise<number | null>;
  private readonly process: ChildProcess;
  private readonly lines: string[] = [];
  private readonly listeners = new Set<(line: string) => void>();
  private over = false;

  constructor(
    readonly name: string,
    argv: readonly string[],
    folder: string,
  ) {
    this.process = spawn(process.execPath, [PROGRAM, ...argv], {
      cwd: folder,
      env: ownEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ended = new Promise((resolve) => {
      this.process.on('error', (error) => this.hear(`cannot start: ${error.message}`));
      this.process.on('close', (code) => {
        this.over = true;
        this.hear(`ended with exit code ${code ?? 'none'}`);
        resolve(code);
      });
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.hear(line));
    }
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.over;
  }

  /** Resolves once it printed a line like this. @throws {Error} with its last words if it ended before. */
  printed(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const listener = (line: string): void => {
        const found = pattern.test(line);
        if (!found && !this.over) return;
        this.listeners.delete(listener);
        if (found) resolve();
        else reject(new Error(`${this.name} ended: ${this.tail(3).join(' | ')}`));
      };
      this.listeners.add(listener);
      for (const line of [...this.lines]) {
        if (this.listeners.has(listener)) listener(line);
      }
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Ends it gracefully, or by force if it takes too long. */
  async stop(): Promise<number | null> {
    this.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), STOP_PATIENCE_MS);
    const code = await this.ended;
    clearTimeout(timer);
    return code;
  }

  /** The last lines that it printed. */
  tail(count: number): string[] {
    return this.lines.slice(-count);
  }

  private hear(line: string): void {
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
    for (const listener of [...this.listeners]) listener(line);
  }
}

/** The demo's deployment is configured by its file alone. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([key]) => !key.startsWith('GATESVR_'));
  return Object.fromEntries(own);
}
