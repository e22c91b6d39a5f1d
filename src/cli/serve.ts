import type { Command } from 'commander';
import { messageOf } from '../base/errors.js';
import type { Config } from '../config/config.js';
import { loadConfig } from '../config/load.js';
import type { LoadedConfig } from '../config/load.js';
import { routingTable } from '../config/routing/table.js';
import { leaves } from '../config/schema.js';
import { ownFlag } from '../config/source.js';
import { keyValue } from './option-values.js';
import type { Terminal } from './program.js';
import { UntilSignal } from './until-signal.js';
import type { SignalSource } from './until-signal.js';

/** What `serve` runs. Both are idempotent; a failed start leaves nothing behind after stop. */
export interface RunnableGateway {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Takes over what may change while it runs, and says what may not. */
  reload(config: Config): Promise<void>;
}

export type CreateGateway = (loaded: LoadedConfig) => Promise<RunnableGateway>;

interface ServeOptions {
  readonly config?: string;
  readonly set?: Record<string, string>;
  readonly check?: boolean;
  readonly [flag: string]: unknown;
}

/** `gatesvr serve`: configuration to a gateway that runs until it is told to stop. */
export function registerServeCommand(
  program: Command,
  terminal: Terminal,
  createGateway: CreateGateway,
  signals: SignalSource = process,
): void {
  const command = program
    .command('serve')
    .description(
      'run the gateway until SIGTERM or SIGINT (a second one ends it at once); SIGHUP reloads',
    )
    .option('-c, --config <file>', 'YAML configuration')
    .option('--set <key=value>', 'set any key, such as session.offline_ttl=10m', keyValue)
    .option('--check', 'check the configuration and exit');
  for (const [path, leaf] of leaves()) {
    const name = ownFlag(path);
    if (name !== null) command.option(`${name} <value>`, `${leaf.description} (${leaf.kind})`);
  }
  command.action(async (options: ServeOptions) => {
    const load = () =>
      loadConfig({ file: options.config, env: process.env, flags: given(options) });
    const loaded = load();
    for (const warning of loaded.warnings) terminal.err(`gatesvr: warning: ${warning}\n`);
    if (options.check === true) reportValid(loaded.config, terminal);
    else await runUntilSignal(await createGateway(loaded), load, terminal, signals);
  });
}

function reportValid({ routing }: Config, terminal: Terminal): void {
  terminal.out('the configuration is valid\n');
  if (routing.rules.length === 0) return;
  for (const line of routingTable(routing.rules)) terminal.out(`${line}\n`);
}

/** The keys that flags of their own and `--set` name; `--set` wins, for it is the more explicit. */
function given(options: ServeOptions): Record<string, string> {
  const flags: Record<string, string> = {};
  for (const [path] of leaves()) {
    const name = ownFlag(path)?.slice(2) ?? '';
    const value = options[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
    if (typeof value === 'string') flags[path] = value;
  }
  return { ...flags, ...options.set };
}

/** Resolves after a graceful stop; the second signal exits without waiting for it. */
async function runUntilSignal(
  gateway: RunnableGateway,
  load: () => LoadedConfig,
  terminal: Terminal,
  signals: SignalSource,
): Promise<void> {
  const signal = new UntilSignal(signals);
  const reload = (): void => void reloadInto(gateway, load, terminal);
  signals.on('SIGHUP', reload);
  // A promise alone does not keep the process alive while nothing else does.
  const alive = setInterval(() => undefined, 2 ** 30);
  try {
    await gateway.start();
    await signal.told;
  } finally {
    try {
      await gateway.stop();
    } finally {
      clearInterval(alive);
      signals.off('SIGHUP', reload);
      signal.end();
    }
  }
}

/** SIGHUP: a configuration with problems changes nothing. */
async function reloadInto(
  gateway: RunnableGateway,
  load: () => LoadedConfig,
  terminal: Terminal,
): Promise<void> {
  try {
    const { config, warnings } = load();
    for (const warning of warnings) terminal.err(`gatesvr: warning: ${warning}\n`);
    await gateway.reload(config);
  } catch (error) {
    const lines = messageOf(error).split('\n');
    for (const line of lines) terminal.err(`gatesvr: not reloaded: ${line}\n`);
  }
}
