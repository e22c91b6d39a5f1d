import type { Config } from './config.js';
import type { Leaf } from './leaf.js';
import { camelCase } from './load.js';
import { leaves } from './schema.js';

/** The keys, as they are written in YAML, whose values differ between two configurations. */
export function changedKeys(before: Config, after: Config): string[] {
  return changes(before, after).map(([path]) => path);
}

/** Those of them that a reload does not take over. */
export function keysAwaitingRestart(before: Config, after: Config): string[] {
  return changes(before, after)
    .filter(([, leaf]) => !leaf.isReloaded)
    .map(([path]) => path);
}

function changes(before: Config, after: Config): [string, Leaf<unknown>][] {
  return leaves().filter(([path]) => valueText(before, path) !== valueText(after, path));
}

function valueText(config: Config, path: string): string {
  let value: unknown = config;
  for (const key of path.split('.')) value = (value as Record<string, unknown>)[camelCase(key)];
  return JSON.stringify(value) ?? 'undefined';
}
