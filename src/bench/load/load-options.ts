import { parseArgs } from 'node:util';
import { startLeango, startOurs } from './contestant.js';
import type { Starter, UpstreamPath } from './contestant.js';
import { HOSTILE_KINDS } from './hostile-crowd.js';
import type { HostileKind } from './hostile-crowd.js';

/** The command line of the benchmarks of a whole gateway. A number that is missing is the mode's own. */
export interface LoadOptions {
  readonly mode: string;
  /** Ours by the ways asked for, then the peer. */
  readonly starters: readonly Starter[];
  /** Ours only, by the given way. */
  readonly ours: (path: UpstreamPath) => Starter;
  readonly rounds: number | undefined;
  readonly kind: HostileKind;
  readonly counts: readonly number[] | undefined;
  readonly rates: readonly (number | 'half')[] | undefined;
  /** Of the modes failover, replication and transports: those that are played, by name. */
  readonly cases: readonly string[] | undefined;
  /** Where the result is written as JSON. */
  readonly out: string | undefined;
  readonly number: (name: NumberOption) => number | undefined;
}

const NUMBERS = {
  sessions: { type: 'string' },
  'in-flight': { type: 'string' },
  requests: { type: 'string' },
  warmup: { type: 'string' },
  hold: { type: 'string' },
  ramp: { type: 'string' },
  heartbeat: { type: 'string' },
  hostile: { type: 'string' },
  returns: { type: 'string' },
  minutes: { type: 'string' },
  rate: { type: 'string' },
  audience: { type: 'string' },
  broadcasts: { type: 'string' },
  restarts: { type: 'string' },
  pushes: { type: 'string' },
  idle: { type: 'string' },
  active: { type: 'string' },
} as const;
export type NumberOption = keyof typeof NUMBERS;

/** @throws {TypeError} on an option that does not exist; {Error} on a value that cannot be. */
export function parseLoadOptions(argv: readonly string[]): LoadOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      ...NUMBERS,
      peer: { type: 'string' },
      rounds: { type: 'string' },
      kind: { type: 'string', default: 'mixed' },
      counts: { type: 'string' },
      rates: { type: 'string' },
      profile: { type: 'string' },
      cases: { type: 'string' },
      out: { type: 'string' },
      // How ours calls its upstream; both: in turn. The peer knows unary only.
      'upstream-path': { type: 'string', default: 'unary' },
      set: { type: 'string', multiple: true, default: [] },
    },
  });
  const { peer, profile, 'upstream-path': way } = values;
  const settings = Object.fromEntries(values.set.map(keyAndValue));
  const ours = (path: UpstreamPath) => () => startOurs(settings, profile, path);
  const starters: Starter[] = pathsOf(way).map(ours);
  if (peer !== undefined) starters.push(() => startLeango(peer));
  const kind = HOSTILE_KINDS.find((known) => known === values.kind);
  if (kind === undefined) throw new Error(`--kind is one of ${HOSTILE_KINDS.join(', ')}`);
  return {
    mode: positionals[0] ?? 'echo',
    starters,
    ours,
    kind,
    rounds: numberOf('rounds', values.rounds),
    counts: values.counts?.split(',').map((text) => Number(numberOf('counts', text))),
    rates: values.rates?.split(',').map((text) => (text === 'half' ? text : Number(text))),
    cases: values.cases?.split(','),
    out: values.out,
    number: (name) => numberOf(name, values[name]),
  };
}

function pathsOf(way: string): UpstreamPath[] {
  if (way === 'both') return ['unary', 'stream'];
  if (way === 'unary' || way === 'stream') return [way];
  throw new Error('--upstream-path is unary, stream or both');
}

function keyAndValue(text: string): [string, string] {
  return [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)];
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text === '' || !(value >= 0)) throw new Error(`--${name} must be a number, not ${text}`);
  return value;
}
