import type { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../base/errors.js';
import { EXIT_FAILURE } from './program.js';
import type { Terminal } from './program.js';

/** As of a process that died of SIGPIPE, which is what a shell expects of one whose reader left. */
const EXIT_READER_GONE = 141;
/** How long a gateway that has stopped waits for whoever reads its log, ms. */
const LAST_LINES_MS = 1_000;

/** The process's own output as commands see it. What cannot be written to standard error is lost. */
export class StandardStreams implements Terminal {
  private outlived = false;

  /** @param exit ends the process, the command half done. */
  constructor(
    private readonly stdout: Writable,
    private readonly stderr: Writable,
    readonly debug: boolean,
    private readonly exit: (code: number) => void,
  ) {
    stdout.on('error', (error) => this.cut(error));
    stderr.on('error', () => undefined);
  }

  out(data: string | Uint8Array): void {
    this.stdout.write(data);
  }

  err(text: string): void {
    this.stderr.write(text);
  }

  /** A gateway serves on, whoever read its output has gone or has not. */
  outlive(): void {
    this.outlived = true;
  }

  /** Resolves once everything has left the process, or never will. */
  async drained(): Promise<void> {
    const written = [this.stdout, this.stderr].map(
      (stream) => new Promise<void>((resolve) => stream.write('', () => resolve())),
    );
    const patience = this.outlived ? [pause(LAST_LINES_MS)] : [];
    await Promise.race([Promise.all(written), ...patience]);
  }

  private cut(error: Error & { code?: string }): void {
    if (this.outlived) return;
    if (error.code === 'EPIPE') return this.exit(EXIT_READER_GONE);
    this.err(`gatesvr: standard output: ${messageOf(error)}\n`);
    this.exit(EXIT_FAILURE);
  }
}
