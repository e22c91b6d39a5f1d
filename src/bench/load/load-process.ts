import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a part says; `value` is what it was asked for. */
interface PartReply {
  readonly value: unknown;
}

/** Starting may mean thousands of handshakes, ms. */
const PATIENCE_MS = 120_000;

/**
 * A part of the load in a process of its own, so that its work delays nobody's clock but its own: a
 * script of this folder that calls `servePart`.
 */
export class LoadProcess {
  private constructor(
    private readonly child: ChildProcess,
    /** What the script gave to servePart. */
    readonly info: unknown,
  ) {}

  /** @throws {Error} where the script ends, or is not ready in time. */
  static async start(script: string, args: readonly string[]): Promise<LoadProcess> {
    const file = fileURLToPath(new URL(`./${script}`, import.meta.url));
    const child = fork(file, [...args]);
    try {
      return new LoadProcess(child, await nextValue(child, script, PATIENCE_MS));
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /**
   * Has the script do what it calls `name`.
   * @param patience how long that may take, ms.
   * @throws {Error} where it ends before it answers, or takes longer.
   */
  async ask(name: string, patience = PATIENCE_MS): Promise<unknown> {
    const value = nextValue(this.child, name, patience);
    this.child.send(name);
    return value;
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    this.child.kill('SIGKILL');
    await ended;
  }
}

/**
 * For the script: tells that it is ready, and answers what it is asked. It ends with its parent.
 * @param info what the parent must know, such as a port.
 */
export function servePart(info: unknown, answers: Record<string, () => unknown>): void {
  const reply = (value: unknown): void => void process.send?.({ value } satisfies PartReply);
  process.on('message', (name: string) => {
    void Promise.resolve(answers[name]?.()).then(reply);
  });
  process.once('disconnect', () => process.exit(0));
  reply(info ?? null);
}

function nextValue(child: ChildProcess, what: string, timeout: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      child.off('exit', onExit);
      child.off('message', onMessage);
    };
    const onExit = (code: number | null): void => {
      settle();
      reject(new Error(`${what}: the process ended with ${code}`));
    };
    const onMessage = (message: unknown): void => {
      settle();
      resolve((message as PartReply).value);
    };
    const timer = setTimeout(() => {
      settle();
      reject(new Error(`${what}: no answer within ${timeout / 1000} s`));
    }, timeout);
    child.once('exit', onExit);
    child.once('message', onMessage);
  });
}
