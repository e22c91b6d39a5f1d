import { nearest } from './nearest.js';
import { environmentName, leaves } from './schema.js';

/** What one source says about one key. */
export interface Setting {
  readonly text: string;
  /** Where it stands, for messages: `gatesvr.yaml:12`, `GATESVR_QUIC_ADDR`, `--quic-addr`. */
  readonly where: string;
}

/** What one source says: path of the key -> setting. */
export type Settings = Map<string, Setting>;

/** Lines for the operator; problems stop the start, warnings do not. */
export interface Findings {
  readonly problems: string[];
  readonly warnings: string[];
}

/** Variables of ours that are no keys. */
const OTHER_VARIABLES = new Set(['GATESVR_CONFIG', 'GATESVR_DEBUG']);

/**
 * Reads the variables GATESVR_*. An empty one counts as unset. One that is unknown is no error, for
 * orchestrators inject names of their own (GATESVR_SERVICE_HOST); one that looks like a slip of the
 * pen is a warning.
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  findings: Findings,
): Settings {
  const paths = new Map(leaves().map(([path]) => [environmentName(path), path]));
  const settings: Settings = new Map();
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('GATESVR_') || text === undefined || text === '') continue;
    const path = paths.get(name);
    if (path !== undefined) settings.set(path, { text, where: name });
    else if (!OTHER_VARIABLES.has(name)) warnOfSlip(name, [...paths.keys()], findings);
  }
  return settings;
}

function warnOfSlip(name: string, known: readonly string[], findings: Findings): void {
  const near = nearest(name, known);
  if (near !== null) findings.warnings.push(`${name}: not a known variable; did you mean ${near}?`);
}

/**
 * Reads flags by their path (`server.quic_addr`), as the command line parsed them.
 * @param flags path -> text; a path that does not exist is a problem.
 */
export function readFlags(flags: Readonly<Record<string, string>>, findings: Findings): Settings {
  const known = new Set(leaves().map(([path]) => path));
  const settings: Settings = new Map();
  for (const [path, text] of Object.entries(flags)) {
    if (known.has(path)) settings.set(path, { text, where: flagName(path) });
    else findings.problems.push(`${flagName(path)}: ${unknownKey(path, known)}`);
  }
  return settings;
}

/** Sections whose keys have flags of their own; `--set` gives any other. */
const FLAG_SECTIONS = ['server', 'log'];

/** The flag of a key: `--quic-addr` for server.*, `--log-level` for log.*; null for all others. */
export function ownFlag(path: string): string | null {
  if (!FLAG_SECTIONS.some((section) => path.startsWith(`${section}.`))) return null;
  return `--${path.replace(/^server\./, '').replaceAll(/[._]/g, '-')}`;
}

function flagName(path: string): string {
  return ownFlag(path) ?? `--set ${path}`;
}

/** The message for a key that does not exist, with the one that was probably meant. */
export function unknownKey(path: string, known: Iterable<string>): string {
  const all = [...known];
  const last = path.slice(path.lastIndexOf('.') + 1);
  const elsewhere = all.find((other) => other.endsWith(`.${last}`) && other !== path);
  const near = elsewhere ?? nearest(path, all);
  return near === null ? `unknown key ${path}` : `unknown key ${path}; did you mean ${near}?`;
}
