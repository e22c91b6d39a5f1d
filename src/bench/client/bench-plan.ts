import type { GatewayAccess } from '../../sdk/upstream/index.js';
import type { LoadTarget } from './session-pool.js';
import type { Arrival } from './work-loop.js';

export const BENCH_MODES = ['echo', 'push', 'broadcast', 'connect', 'idle'] as const;
export type BenchMode = (typeof BENCH_MODES)[number];

/** Sessions that one broadcast can name (MAX_NAMED of src/upstream/push-check.ts). */
export const MAX_BROADCAST_SESSIONS = 10_000;

/** The gateway's gRPC side. */
export interface PushAddress {
  /** host:port */
  readonly address: string;
  readonly access: GatewayAccess;
}

/** What a bench does; durations in ms. */
export interface BenchPlan {
  readonly mode: BenchMode;
  readonly target: LoadTarget;
  readonly gateway: PushAddress;
  /** Who holds the sessions; in connect mode, who takes turns in connecting. */
  readonly openids: readonly string[];
  /** How long a session may take to open, START included, and what upstreams of this process need to register. */
  readonly timeout: number;
  /** Over this time the sessions are opened; 0: as fast as it goes. */
  readonly ramp: number;
  readonly warmup: number;
  readonly duration: number;
  readonly arrival: Arrival;
  /** Echo: per session. Push and connect: altogether. Without meaning for broadcast and idle. */
  readonly inFlight: number;
  /** Size of the data of a request or push. */
  readonly bytes: number;
  readonly action: string;
  /** How often an idle session sends a heartbeat. */
  readonly heartbeat: number;
  /** A broadcast goes to every session of the gateway, not only to those of the bench. */
  readonly everyone: boolean;
  /** Pushes go by a call each, rather than over one PushStream. */
  readonly unary: boolean;
  /** Upstreams of this process take part in all zones and answer the echo. */
  readonly ownUpstreams: boolean;
  readonly token: (openid: string) => string;
}
