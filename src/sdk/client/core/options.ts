import type { Clock } from '../../../base/clock.js';
import { MAX_OPENID_BYTES } from '../../../wire/limits.js';
import type { BackoffOptions } from './backoff.js';
import type { ClientMetrics } from './client-metrics.js';
import type { ConnectionOptions } from './connection.js';
import { HoldingClock } from './holding-clock.js';
import type { RequestLimits } from './pending-requests.js';
import type { AckMode } from './delivery.js';
import type { IntakeLimits } from './push-intake.js';
import type { ResumeStore } from './resume-store.js';
import type { Transport } from './transport.js';

/** Gives the token for every START; asked again at each reconnect, so that it may expire. */
export type TokenSource = () => string | Promise<string>;

/** What every client is given, whatever its transport. Durations in ms. */
export interface CoreClientOptions
  extends
    Partial<BackoffOptions>,
    Partial<ConnectionOptions>,
    Partial<RequestLimits>,
    Partial<IntakeLimits> {
  /** `host:port` of a gateway. This or `addresses`. */
  readonly address?: string;
  /** Several gateways, tried in turn; see nextAddressAfterMs. */
  readonly addresses?: readonly string[];
  /** Who this client is: 1 to 128 bytes of UTF-8. */
  readonly openid: string;
  /** Proves it; a text, or a function asked at every connect. Default: empty. */
  readonly token?: string | TokenSource;
  /** How long a request waits for its answer, reconnects included; 0 = for ever. Default 10,000. */
  readonly requestTimeoutMs?: number;
  /** How long connect() tries; 0 = for ever. Default 15,000. */
  readonly connectTimeoutMs?: number;
  /** How long one connection may take to open. Default 5,000. */
  readonly openTimeoutMs?: number;
  /**
   * How long an address may be silent before the next one is tried beside it; four times as long
   * where the session is expected. From openTimeoutMs on: one after the other. Default 500.
   */
  readonly nextAddressAfterMs?: number;
  /** Longest time between a frame and its acknowledgement. Default 5. */
  readonly ackDelayMs?: number;
  /** When a push is acknowledged. Default `received`. */
  readonly ack?: AckMode;
  /** Keeps the session over a restart of the process. Default: it is forgotten. */
  readonly store?: ResumeStore;
  /** Told of connections, requests, pushes and bytes. */
  readonly metrics?: ClientMetrics;
  /** How often a request that was refused unexecuted (429, 503) is sent again by itself. Default 2. */
  readonly refusedRetries?: number;
  /** For tests: the source of time. */
  readonly clock?: Clock;
  /** For tests: uniform in [0, 1). */
  readonly random?: () => number;
}

/** The options with every default filled in. */
export interface ResolvedOptions
  extends BackoffOptions, ConnectionOptions, RequestLimits, IntakeLimits {
  readonly transport: Transport;
  readonly addresses: readonly string[];
  readonly openid: string;
  readonly token: TokenSource;
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly openTimeoutMs: number;
  readonly nextAddressAfterMs: number;
  readonly ackDelayMs: number;
  readonly ack: AckMode;
  readonly store: ResumeStore | null;
  readonly metrics: ClientMetrics;
  readonly refusedRetries: number;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Those of the options, in order. */
export function givenAddresses({
  address,
  addresses = address === undefined ? [] : [address],
}: Pick<CoreClientOptions, 'address' | 'addresses'>): readonly string[] {
  return addresses;
}

/** @throws {RangeError} that names the option which cannot be. */
export function resolveOptions(options: CoreClientOptions, transport: Transport): ResolvedOptions {
  const { openid, token = '' } = options;
  const addresses = givenAddresses(options);
  const openidBytes = new TextEncoder().encode(openid).length;
  if (openidBytes < 1 || openidBytes > MAX_OPENID_BYTES) {
    throw new RangeError(`openid of ${openidBytes} bytes; it must have 1 to ${MAX_OPENID_BYTES}`);
  }
  if (addresses.length === 0) {
    throw new RangeError('no gateway address; give `address` or `addresses`, such as "host:8453"');
  }
  return {
    transport,
    addresses,
    openid,
    token: typeof token === 'string' ? () => token : token,
    requestTimeoutMs: atLeast('requestTimeoutMs', options.requestTimeoutMs ?? 10_000, 0),
    connectTimeoutMs: atLeast('connectTimeoutMs', options.connectTimeoutMs ?? 15_000, 0),
    openTimeoutMs: atLeast('openTimeoutMs', options.openTimeoutMs ?? 5_000, 1),
    // Above a handshake over a slow network; RFC 8305 section 8 allows up to 2 s.
    nextAddressAfterMs: atLeast('nextAddressAfterMs', options.nextAddressAfterMs ?? 500, 1),
    // What deployed clients wait (WIRE.md, "What a deployed client does").
    startTimeoutMs: atLeast('startTimeoutMs', options.startTimeoutMs ?? 10_000, 1),
    // REPLICATION.md, "What clients need".
    pingAfterMs: atLeast('pingAfterMs', options.pingAfterMs ?? 1_000, 1),
    deadAfterMs: atLeast('deadAfterMs', options.deadAfterMs ?? 3_000, 1),
    minDelayMs: atLeast('minDelayMs', options.minDelayMs ?? 100, 0),
    maxDelayMs: atLeast('maxDelayMs', options.maxDelayMs ?? 10_000, 0),
    ackDelayMs: atLeast('ackDelayMs', options.ackDelayMs ?? 5, 0),
    ack: ackMode(options.ack ?? 'received'),
    store: options.store ?? null,
    metrics: options.metrics ?? {},
    // With a large frame each, about what the gateway would keep of one session by default.
    maxWaitingPushes: atLeast('maxWaitingPushes', options.maxWaitingPushes ?? 256, 1),
    maxWaitingBytes: atLeast('maxWaitingBytes', options.maxWaitingBytes ?? 4 * 1024 * 1024, 1),
    refusedRetries: atLeast('refusedRetries', options.refusedRetries ?? 2, 0),
    // The gateway reads no further beyond 64 by default (docs/SESSIONS.md, "Upstream: requests").
    maxInFlight: atLeast('maxInFlight', options.maxInFlight ?? 64, 1),
    maxQueued: atLeast('maxQueued', options.maxQueued ?? 1_000, 1),
    maxQueuedBytes: atLeast('maxQueuedBytes', options.maxQueuedBytes ?? 16 * 1024 * 1024, 1),
    clock: options.clock ?? new HoldingClock(),
    random: options.random ?? Math.random,
  };
}

function ackMode(mode: AckMode): AckMode {
  if (mode === 'received' || mode === 'handled') return mode;
  throw new RangeError(`ack is ${String(mode)}; it must be received or handled`);
}

function atLeast(name: string, value: number, least: number): number {
  if (Number.isFinite(value) && value >= least) return value;
  throw new RangeError(`${name} is ${value}; it must be a number of at least ${least}`);
}
