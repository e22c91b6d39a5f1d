import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.js';
import type { LoadedConfig } from '../config/load.js';
import { leaves } from '../config/schema.js';
import { ownFlag } from '../config/source.js';
import type { Terminal } from './program.js';
import { UntilSignal } from './until-signal.js';
import type { SignalSource } from './until-signal.js';

/** What `serve` runs. Both are idempotent; a failed start leaves nothing behind after stop. */
export interface RunnableGateway {
  start(): Promise<void>;
  stop(): Promise<void>;
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
    .description('run the gateway until SIGTERM or SIGINT (a second one ends it at once)')
    .option('-c, --config <file>', 'YAML configuration')
    .option('--set <key=value>', 'set any key, such as session.offline_ttl=10m', collect)
    .option('--check', 'check the configuration and exit');
  for (const [path, leaf] of leaves()) {
    const name = ownFlag(path);
    if (name !== null) command.option(`${name} <value>`, `${leaf.description} (${leaf.kind})`);
  }
  command.action(async (options: ServeOptions) => {
    const loaded = loadConfig({ file: options.config, env: process.env, flags: given(options) });
    for (const warning of loaded.warnings) terminal.err(`gatesvr: warning: ${warning}\n`);
    if (options.check === true) terminal.out('the configuration is valid\n');
    else await runUntilSignal(await createGateway(loaded), signals);
  });
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

function collect(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('write it as key=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Resolves after a graceful stop; the second signal exits without waiting for it. */
async function runUntilSignal(gateway: RunnableGateway, signals: SignalSource): Promise<void> {
  const signal = new UntilSignal(signals);
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
      signal.end();
    }
  }
}
