import type { Command } from 'commander';
import type { ConfigSources } from '../config/load.js';
import { leaves } from '../config/schema.js';
import { ownFlag } from '../config/source.js';
import { keyValue } from './option-values.js';

/** Names the file where --config does not: for containers, whose health check must read the same one. */
export const CONFIG_VARIABLE = 'GATESVR_CONFIG';

/** How a command is told the configuration. */
export interface ConfigOptions {
  readonly config?: string;
  readonly set?: Record<string, string>;
  readonly [flag: string]: unknown;
}

/** Adds --config, --set, and the flags that keys have of their own. */
export function addConfigOptions(command: Command): Command {
  command
    .option('-c, --config <file>', `YAML configuration (or variable ${CONFIG_VARIABLE})`)
    .option('--set <key=value>', 'set any key, such as session.offline_ttl=10m', keyValue);
  for (const [path, leaf] of leaves()) {
    const name = ownFlag(path);
    if (name !== null) command.option(`${name} <value>`, `${leaf.description} (${leaf.kind})`);
  }
  return command;
}

/** Where loadConfig finds what they and the environment say. */
export function sourcesOf(options: ConfigOptions): ConfigSources {
  // An empty variable counts as unset, as for keys.
  const file = options.config ?? (process.env[CONFIG_VARIABLE] || undefined);
  return { file, env: process.env, flags: given(options) };
}

/** The keys that flags of their own and `--set` name; `--set` wins, for it is the more explicit. */
function given(options: ConfigOptions): Record<string, string> {
  const flags: Record<string, string> = {};
  for (const [path] of leaves()) {
    const name = ownFlag(path)?.slice(2) ?? '';
    const value = options[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
    if (typeof value === 'string') flags[path] = value;
  }
  return { ...flags, ...options.set };
}
