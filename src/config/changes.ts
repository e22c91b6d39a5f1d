import type { Config } from './config.js';
import { camelCase } from './load.js';
import { leaves } from './schema.js';

/**
 * The keys, as they are written in YAML, whose values differ between two configurations and that a reload does not
 * take over.
 */
export function keysAwaitingRestart(before: Config, after: Config): string[] {
  return leaves()
    .filter(([, leaf]) => !leaf.isReloaded)
    .map(([path]) => path)
    .filter((path) => valueText(before, path) !== valueText(after, path));
}

function valueText(config: Config, path: string): string {
  let value: unknown = config;
  for (const key of path.split('.')) value = (value as Record<string, unknown>)[camelCase(key)];
  return JSON.stringify(value) ?? 'undefined';
}
