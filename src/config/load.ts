import { readFileSync, statSync } from 'node:fs';
import { StartupError } from '../base/errors.js';
import { checkTogether } from './checks.js';
import type { Config, Draft } from './config.js';
import { derive } from './derive.js';
import { givenSettings } from './given-settings.js';
import type { GivenSetting } from './given-settings.js';
import { Leaf, StructuredLeaf } from './leaf.js';
import { schema } from './schema.js';
import type { Section } from './schema.js';
import { readEnvironment, readFlags } from './source.js';
import type { Findings, Setting, Settings } from './source.js';
import { readYaml } from './yaml-source.js';

/** A configuration is a page or two; anything larger is some other file. */
const MAX_FILE_BYTES = 1024 * 1024;
/** More lines than anyone reads at once. */
const MAX_PROBLEMS = 50;

export interface ConfigSources {
  /** Path of a YAML file; without one the defaults hold. */
  readonly file?: string | undefined;
  /** process.env, or a part of it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Path of a key (`server.quic_addr`) -> its text. */
  readonly flags?: Readonly<Record<string, string>>;
}

export interface LoadedConfig {
  readonly config: Config;
  /** One line each, for the log. */
  readonly warnings: readonly string[];
  /** What differs from the defaults, and who said so. */
  readonly given: readonly GivenSetting[];
}

/**
 * Reads, merges (flags over environment over file over defaults), validates and freezes the
 * configuration.
 * @throws {StartupError} CONFIG_INVALID naming every problem, one line each, or CONFIG_UNREADABLE.
 */
export function loadConfig(sources: ConfigSources = {}): LoadedConfig {
  const findings: Findings = { problems: [], warnings: [] };
  const settings: Settings = new Map([
    ...(sources.file === undefined ? [] : readFile(sources.file, findings)),
    ...readEnvironment(sources.env ?? {}, findings),
    ...readFlags(sources.flags ?? {}, findings),
  ]);
  const draft = build(schema, '', settings, findings.problems) as unknown as Draft;
  refuse(findings.problems);
  const config = derive(draft, findings);
  checkTogether(config, findings);
  refuse(findings.problems);
  return {
    config: freeze(config),
    warnings: findings.warnings,
    given: givenSettings(settings),
  };
}

/**
 * As loadConfig, while a gateway runs with what these sources said before.
 * @throws {StartupError} as loadConfig does, and CONFIG_UNREADABLE where the file is a pipe. What that said is
 * spent: one without a writer reads as a file without any key, and a named one is waited for.
 */
export function reloadConfig(sources: ConfigSources): LoadedConfig {
  const { file } = sources;
  if (file !== undefined && statSync(file, { throwIfNoEntry: false })?.isFIFO() === true) {
    const fault = 'a pipe cannot be read again; name a file, or start anew';
    throw new StartupError('CONFIG_UNREADABLE', `cannot read configuration ${file}: ${fault}`);
  }
  return loadConfig(sources);
}

/**
 * @param broken read what can be made out of a file that is no YAML as a whole.
 * @throws {StartupError} CONFIG_UNREADABLE.
 */
export function readFile(path: string, findings: Findings, broken = false): Settings {
  let text: string;
  try {
    if (statSync(path).size > MAX_FILE_BYTES) throw new Error('it is larger than 1 MiB');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : error;
    const fault = reason instanceof Error ? reason.message : reason;
    throw new StartupError('CONFIG_UNREADABLE', `cannot read configuration ${path}: ${fault}`);
  }
  return readYaml(text, path, findings, broken);
}

/** Parses every leaf; a section becomes an object with its keys in camel case. */
function build(
  section: Section,
  prefix: string,
  settings: Settings,
  problems: string[],
): Record<string, unknown> {
  const built: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(section)) {
    const path = prefix + key;
    built[camelCase(key)] =
      entry instanceof Leaf
        ? parseLeaf(entry, path, settings.get(path), problems)
        : build(entry, `${path}.`, settings, problems);
  }
  return built;
}

/** @returns what the setting says, else the default; undefined where a problem was found, or it follows from others. */
export function parseLeaf(
  leaf: Leaf<unknown>,
  path: string,
  setting: Setting | undefined,
  problems: string[],
): unknown {
  const text = setting?.text ?? leaf.fallback;
  if (text === null) return undefined;
  const parsed = leaf.schema.safeParse(text);
  if (parsed.success) return parsed.data;
  const where = setting?.where ?? 'default';
  if (leaf instanceof StructuredLeaf) {
    for (const { message } of parsed.error.issues) problems.push(`${where}: ${path} ${message}`);
    return undefined;
  }
  const fault = innermost(parsed.error.issues[0]);
  const shown = leaf.secret ? '' : `, not ${JSON.stringify(text.slice(0, 80))}`;
  problems.push(`${where}: ${path} ${fault}${shown}`);
  return undefined;
}

interface Issue {
  readonly message: string;
  readonly errors?: readonly (readonly Issue[])[];
}

/** Of a union (empty, or a value) the complaint about the value is the one that helps. */
function innermost(issue: Issue | undefined): string {
  const inner = issue?.errors?.at(-1)?.[0];
  return inner === undefined ? (issue?.message ?? 'is invalid') : innermost(inner);
}

export function camelCase(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const shown = problems.slice(0, MAX_PROBLEMS);
  if (problems.length > shown.length) shown.push(`and ${problems.length - shown.length} more`);
  throw new StartupError('CONFIG_INVALID', shown.join('\n'));
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  }
  return value;
}
