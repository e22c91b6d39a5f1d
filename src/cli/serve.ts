import type { Command } from 'commander';
import { isatty } from 'node:tty';
import { messageOf } from '../base/errors.js';
import type { Config } from '../config/config.js';
import { loadConfig, reloadConfig } from '../config/load.js';
import type { ConfigSources, LoadedConfig } from '../config/load.js';
import { checkConfig } from './check-config.js';
import { addConfigOptions, sourcesOf } from './config-options.js';
import type { ConfigOptions } from './config-options.js';
import { HeldSignal } from './held-signal.js';
import type { Terminal } from './program.js';
import { UntilSignal } from './until-signal.js';
import type { SignalSource } from './until-signal.js';

/** What `serve` runs. Both are idempotent; a failed start leaves nothing behind after stop. */
export interface RunnableGateway {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Takes over what may change while it runs, and says what may not. */
  reload(config: Config, warnings: readonly string[]): Promise<void>;
  /** A reload came to nothing, for these problems, one line each. */
  notReloaded(problems: readonly string[]): void;
}

export type CreateGateway = (loaded: LoadedConfig) => Promise<RunnableGateway>;

interface ServeOptions extends ConfigOptions {
  readonly check?: boolean;
}

const STDIN = 0;

/** `gatesvr serve`: configuration to a gateway that runs until it is told to stop. */
export function registerServeCommand(
  program: Command,
  terminal: Terminal,
  createGateway: CreateGateway,
  signals: SignalSource = process,
  isTerminal: () => boolean = () => isatty(STDIN),
): void {
  const command = program
    .command('serve')
    .description(
      'run the gateway until SIGTERM or SIGINT (a second one ends it at once), or its terminal closes; SIGHUP reloads',
    )
    .option('--check', 'check the configuration and exit, as gatesvr check-config does');
  addConfigOptions(command).action(async (options: ServeOptions) => {
    if (options.check === true) return checkConfig(options, terminal);
    const hangups = new HeldSignal(signals, 'SIGHUP');
    const atTerminal = isTerminal();
    try {
      const sources = sourcesOf(options);
      const loaded = loadConfig(sources);
      for (const warning of loaded.warnings) terminal.err(`gatesvr: warning: ${warning}\n`);
      const gateway = await createGateway(loaded);
      const onHangup = (stop: () => void): void => {
        // A terminal that closes sends SIGHUP too, and is none from then on.
        if (atTerminal && !isTerminal()) stop();
        else void reloadInto(gateway, sources, terminal);
      };
      await runUntilSignal(gateway, signals, (stop) => hangups.deliver(() => onHangup(stop)));
    } finally {
      hangups.end();
    }
  });
}

/**
 * Resolves after a graceful stop; the second signal exits without waiting for it.
 * @param listen is given what stops the gateway as the first signal does.
 */
async function runUntilSignal(
  gateway: RunnableGateway,
  signals: SignalSource,
  listen: (stop: () => void) => void,
): Promise<void> {
  const signal = new UntilSignal(signals);
  listen(() => signal.tellNow());
  try {
    await gateway.start();
    await signal.told;
  } finally {
    try {
      await gateway.stop();
    } finally {
      signal.end();
    }
  }
}

/** SIGHUP: a configuration with problems changes nothing. */
async function reloadInto(
  gateway: RunnableGateway,
  sources: ConfigSources,
  terminal: Terminal,
): Promise<void> {
  try {
    const { config, warnings } = reloadConfig(sources);
    for (const warning of warnings) terminal.err(`gatesvr: warning: ${warning}\n`);
    await gateway.reload(config, warnings);
  } catch (error) {
    const problems = messageOf(error).split('\n');
    for (const line of problems) terminal.err(`gatesvr: not reloaded: ${line}\n`);
    gateway.notReloaded(problems);
  }
}
