import { StartupError, messageOf } from '../base/errors.js';
import type { Leaf } from './leaf.js';
import { parseLeaf, readFile } from './load.js';
import type { ConfigSources } from './load.js';
import { readEnvironment, readFlags } from './source.js';
import type { Settings } from './source.js';

/**
 * Single keys of a configuration that need not be valid as a whole, or be readable at all: what asks a gateway that runs
 * must not fail for a slip that this one has not read yet. Flags are the exception: whoever asks has just given them.
 */
export class SingleKeys {
  /** Of the sources, and of the keys that were asked for, one line each. */
  readonly problems: string[] = [];
  private readonly settings: Settings;
  private readonly flags: Settings;

  /** @throws {StartupError} CONFIG_INVALID for a flag that does not exist. */
  constructor(sources: ConfigSources) {
    const { problems } = this;
    const mistaken: string[] = [];
    this.flags = readFlags(sources.flags ?? {}, { problems: mistaken, warnings: [] });
    refuse(mistaken);
    this.settings = new Map([
      ...this.file(sources.file),
      ...readEnvironment(sources.env ?? {}, { problems, warnings: [] }),
    ]);
  }

  /**
   * @param path of the key, @param leaf its entry in the schema, without a default that follows from others.
   * @returns what the sources say; the default where that makes no sense.
   * @throws {StartupError} CONFIG_INVALID where it is a flag that makes none.
   */
  value<T>(path: string, leaf: Leaf<T>): T {
    const mistaken: string[] = [];
    const flag = this.flags.get(path);
    const given = flag ?? this.settings.get(path);
    const value = parseLeaf(leaf, path, given, mistaken);
    if (mistaken.length === 0) return value as T;
    if (flag !== undefined) refuse(mistaken);
    this.problems.push(...mistaken);
    return parseLeaf(leaf, path, undefined, []) as T;
  }

  private file(path: string | undefined): Settings {
    if (path === undefined) return new Map();
    try {
      return readFile(path, { problems: this.problems, warnings: [] }, true);
    } catch (error) {
      this.problems.push(messageOf(error));
      return new Map();
    }
  }
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new StartupError('CONFIG_INVALID', problems.join('\n'));
}
