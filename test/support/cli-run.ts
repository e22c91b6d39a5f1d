import { EventEmitter } from 'node:events';
import type { Command } from 'commander';
import { createProgram, runProgram } from '../../src/cli/program.js';
import type { Terminal } from '../../src/cli/program.js';
import type { SignalSource } from '../../src/cli/until-signal.js';

/** Signals that a test sends; exit does nothing. */
export class TestSignals extends EventEmitter implements SignalSource {
  exit(): void {
    return;
  }
}

/** One command line in this process, with what it printed. */
export class CliRun {
  out = '';
  err = '';
  readonly signals = new TestSignals();
  /** The exit code. */
  readonly code: Promise<number>;

  constructor(
    argv: readonly string[],
    register: (program: Command, terminal: Terminal, signals: SignalSource) => void,
  ) {
    const terminal: Terminal = {
      out: (data) => void (this.out += Buffer.from(data).toString()),
      err: (text) => void (this.err += text),
      debug: false,
    };
    const program = createProgram(terminal);
    register(program, terminal, this.signals);
    this.code = runProgram(program, argv, terminal);
  }

  /** Its standard output as JSON. */
  json(): Record<string, unknown> {
    return JSON.parse(this.out) as Record<string, unknown>;
  }
}
