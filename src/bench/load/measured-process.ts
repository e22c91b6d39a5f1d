import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Clock ticks per second of /proc/PID/stat. */
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** How long a process may take to say that it is ready, ms: the machine may be slow and busy. */
const START_PATIENCE_MS = 60_000;

/** A child process whose CPU time and memory are read from the system's own accounting (Linux). */
export class MeasuredProcess {
  private readonly child: ChildProcess;
  private output = '';

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk: Buffer) => {
      this.output = (this.output + chunk.toString()).slice(-20_000);
    };
    this.child.stdout?.on('data', keep);
    this.child.stderr?.on('data', keep);
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the process did not start');
    return this.child.pid;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Null while it runs, and where a signal ended it. */
  get exitCode(): number | null {
    return this.child.exitCode;
  }

  /** Waits for a line of output. @throws {Error} with the output, where it does not come in time. */
  async waitFor(pattern: RegExp, timeout = START_PATIENCE_MS): Promise<RegExpExecArray> {
    for (const deadline = Date.now() + timeout; Date.now() < deadline;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (!this.alive) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`no ${String(pattern)} in the output of process ${this.pid}: ${this.output}`);
  }

  /** CPU seconds used so far, user and system. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  }

  /** Resident memory, bytes. */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? NaN) * 1024;
  }

  /** SIGKILL, at once. */
  kill(): void {
    if (this.alive) this.child.kill('SIGKILL');
  }

  /** SIGTERM, then SIGKILL after twenty seconds: a gateway may drain for ten. */
  async stop(): Promise<void> {
    if (!this.alive) return;
    const ended = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    this.child.kill('SIGTERM');
    const force = setTimeout(() => this.child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(force);
  }
}
