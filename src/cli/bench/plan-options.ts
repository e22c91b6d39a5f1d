import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { parseAddress } from '../../base/address.js';
import { CodedError } from '../../base/errors.js';
import { BENCH_MODES, MAX_BROADCAST_SESSIONS } from '../../bench/client/bench-plan.js';
import type { BenchMode, BenchPlan } from '../../bench/client/bench-plan.js';
import { MIN_PAYLOAD_BYTES } from '../../bench/client/payload.js';
import { numbered } from '../../bench/client/openids.js';
import { accessOf, addAccessOptions } from '../gateway-access.js';
import type { AccessOptions } from '../gateway-access.js';
import { addTrustOptions, readFor, trustOf } from '../gateway-trust.js';
import type { TrustOptions } from '../gateway-trust.js';
import { duration, hostPort, whole } from '../option-values.js';
import { UsageError, refuseGiven } from '../usage-error.js';

export interface BenchOptions extends TrustOptions, AccessOptions {
  readonly mode: BenchMode;
  readonly addr: string;
  readonly sessions: number;
  readonly timeout: number;
  readonly duration: number;
  readonly warmup: number;
  readonly ramp: number;
  readonly rate?: number;
  readonly inFlight?: number;
  readonly size: number;
  readonly action: string;
  readonly heartbeat: number;
  readonly everyone?: boolean;
  readonly unary?: boolean;
  readonly ownUpstreams?: boolean;
  readonly token: string;
  readonly tokens?: string;
  readonly json?: boolean;
}

/** One process holds no more: local ports, memory, and one core set the limit before. */
const MAX_SESSIONS = 100_000;
/** What one frame carries, less what is around the data. */
const MAX_BYTES = 1_000_000;
/** Without --in-flight: enough to keep a gateway busy, too little to drown it. */
const IN_FLIGHT: Record<BenchMode, number> = {
  echo: 8,
  push: 64,
  broadcast: 1,
  connect: 32,
  idle: 1,
};

/** Options that a mode has no use for. */
const WITHOUT_MEANING: Record<BenchMode, readonly (keyof BenchOptions)[]> = {
  echo: ['heartbeat', 'everyone', 'unary'],
  push: ['heartbeat', 'everyone', 'action'],
  broadcast: ['heartbeat', 'inFlight', 'action', 'unary'],
  connect: ['heartbeat', 'everyone', 'action', 'ramp', 'size', 'unary'],
  idle: ['rate', 'inFlight', 'warmup', 'size', 'everyone', 'action', 'unary'],
};

/** Adds all options of `gatesvr bench` but --json. */
export function addPlanOptions(command: Command): Command {
  command
    .addOption(
      new Option('--mode <mode>', 'what the sessions do').choices(BENCH_MODES).default('echo'),
    )
    .option('--addr <address>', 'gateway, host:port', hostPort, '127.0.0.1:8453')
    .option('--sessions <count>', 'sessions to open', whole(1, MAX_SESSIONS), 100)
    .option(
      '--timeout <time>',
      'how long to wait for a session to open, or for own upstreams to register',
      moreThanNone,
      10_000,
    )
    .option('--duration <time>', 'how long to measure, seconds or 500ms, 2m', moreThanNone, 10_000)
    .option('--warmup <time>', 'work before that does not count', duration, 2_000)
    .option('--ramp <time>', 'open the sessions evenly over this time', duration, 0)
    .option('--rate <per second>', 'open loop: so much work, however slow the gateway is', rate)
    .option(
      '--in-flight <count>',
      'most work under way: per session in echo (8), altogether in push (64) and connect (32)',
      whole(1, 100_000),
    )
    .option('--size <bytes>', 'data of a request or push', whole(MIN_PAYLOAD_BYTES, MAX_BYTES), 100)
    .option('--action <action>', 'the action that answers with its data', 'echo')
    .option('--heartbeat <time>', 'how often an idle session sends one', moreThanNone, 30_000)
    .option(
      '--everyone',
      'broadcast to every session of the gateway, not only to those of this run',
    )
    .option('--unary', 'push by a call each (PushToClient), not over one PushStream')
    .option('--own-upstreams', 'serve the echo: register upstreams for all zones at --gateway')
    .option('--token <token>', 'the token of all sessions', 'default-token')
    .option('--tokens <file>', 'lines of openid and token: the sessions to open');
  return addAccessOptions(addTrustOptions(command));
}

/**
 * @param command tells which options were given and which are defaults.
 * @throws {UsageError} where options do not fit; {CodedError} where a file cannot be read.
 */
export function planOf(options: BenchOptions, command: Command): BenchPlan {
  const { mode, sessions, everyone = false, ownUpstreams = false } = options;
  const tokens = options.tokens === undefined ? null : readTokens(options.tokens);
  const { host, port } = parseAddress(options.addr) ?? { host: '', port: 0 };
  const { serverName, ...trust } = trustOf(options);
  if (mode === 'broadcast' && !everyone && sessions > MAX_BROADCAST_SESSIONS) {
    const most = `a broadcast names at most ${MAX_BROADCAST_SESSIONS} sessions`;
    throw new UsageError(`${most}: open fewer, or say --everyone`);
  }
  refuseMeaningless(mode, command);
  const openids = tokens === null ? ownOpenids(sessions) : [...tokens.keys()].slice(0, sessions);
  return {
    mode,
    target: { host, port, trust, ...(serverName === undefined ? {} : { serverName }) },
    gateway: { address: options.gateway, access: accessOf(options) },
    openids,
    timeout: options.timeout,
    ramp: options.ramp,
    warmup: options.warmup,
    duration: options.duration,
    arrival: options.rate === undefined ? { kind: 'closed' } : { kind: 'open', rate: options.rate },
    inFlight: options.inFlight ?? IN_FLIGHT[mode],
    bytes: options.size,
    action: options.action,
    heartbeat: options.heartbeat,
    everyone,
    unary: options.unary ?? false,
    ownUpstreams,
    token: (openid) => tokens?.get(openid) ?? options.token,
  };
}

function refuseMeaningless(mode: BenchMode, command: Command): void {
  const advice = mode === 'idle' ? '; --heartbeat says how often each session sends one' : '';
  refuseGiven(command, WITHOUT_MEANING[mode], `to --mode ${mode}: leave it out${advice}`);
}

/** Nobody else's, not even those of another run: a session that waits would be resumed. */
function ownOpenids(count: number): string[] {
  return numbered(`bench-${process.pid}-${Date.now().toString(36)}`, count);
}

function readTokens(file: string): Map<string, string> {
  const tokens = new Map<string, string>();
  const lines = readFor('--tokens', file).toString('utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const [openid, token, more] = line.trim().split(/\s+/);
    if (openid === undefined || token === undefined || more !== undefined) {
      throw new CodedError('BAD_TOKENS', `${file}:${index + 1}: write an openid and its token`);
    }
    tokens.set(openid, token);
  }
  if (tokens.size === 0) throw new CodedError('BAD_TOKENS', `${file} has no openid and token`);
  return tokens;
}

function moreThanNone(text: string): number {
  const ms = duration(text);
  if (ms > 0) return ms;
  throw new InvalidArgumentError('give more than 0.');
}

function rate(text: string): number {
  const value = Number(text);
  if (text !== '' && value > 0 && value <= 1e6) return value;
  throw new InvalidArgumentError('give how many per second, up to a million.');
}
