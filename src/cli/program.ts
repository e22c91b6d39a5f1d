import { Command, CommanderError } from 'commander';
import { CodedError, messageOf } from '../base/errors.js';
import { VERSION } from '../config/version.js';
import { fromGoFlags } from './go-flags.js';
import { UsageError } from './usage-error.js';

/** Exit codes: what went wrong is the operator's to mend, or the command line was. */
export const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

/** Where a program writes; the process's own streams, or a test's. */
export interface Terminal {
  /** Bytes go as they are. */
  out(data: string | Uint8Array): void;
  err(text: string): void;
  /** The stack behind an error, too. */
  readonly debug: boolean;
}

const EXAMPLES = `
Examples:
  gatesvr demo                                watch a whole deployment work, on this machine
  gatesvr serve                               run with defaults and a development certificate
  gatesvr serve --config gatesvr.yaml         run a configuration
  gatesvr check-config --config gatesvr.yaml  check it, and all files that it names
  gatesvr healthcheck                         ask the gateway on this machine whether it lives
  gatesvr upstream --zone 001 --addr :9001    a demo service that registers at localhost:8092
  gatesvr client                              talk to a gateway at localhost:8453
  gatesvr monitor                             watch a gateway at localhost:8080
  gatesvr trace --openid alice                follow one client of it
  gatesvr switch                              let the gateways of a pair change roles
  gatesvr bench --own-upstreams               load a gateway on this machine and measure it
  gatesvr certs --hosts gate.example.org      make a certificate for another name

Exit codes: 0 done, 1 it went wrong, 2 a wrong command line.
docs/CONFIGURATION.md has every key. GATESVR_DEBUG=1 shows the stack behind an error.`;

/**
 * The frame that commands register in: help, version, one-line errors. Register with
 * `program.command(...)`, which inherits all of that.
 */
export function createProgram(terminal: Terminal): Command {
  return new Command('gatesvr')
    .description('A QUIC session gateway: clients in front, gRPC upstreams behind.')
    .version(`gatesvr ${VERSION}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES)
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      outputError: (text, write) => write(`gatesvr: ${usageLine(text)}\n`),
    })
    .exitOverride();
}

/** Commander says `error: ...`, and its suggestion on a line of its own. */
function usageLine(text: string): string {
  return text
    .replace(/^error: /, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ');
}

/**
 * Runs one command line and never throws.
 * @param argv without node and script.
 * @returns the exit code: 0, EXIT_FAILURE or EXIT_USAGE.
 */
export async function runProgram(
  program: Command,
  argv: readonly string[],
  terminal: Terminal,
): Promise<number> {
  if (argv.length === 0) {
    program.outputHelp();
    return 0;
  }
  try {
    await program.parseAsync(fromGoFlags(argv), { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    for (const line of describe(error)) terminal.err(`gatesvr: ${line}\n`);
    if (terminal.debug && error instanceof Error) terminal.err(`${error.stack ?? ''}\n`);
    return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILURE;
  }
}

/** The lines of an error that was written for the operator; one line of any other. */
function describe(error: unknown): string[] {
  if (error instanceof CodedError) return error.message.split('\n');
  return [`${messageOf(error).split('\n')[0]} (GATESVR_DEBUG=1 shows where)`];
}
