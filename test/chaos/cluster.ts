import type { Edge } from './players.js';
import type { Fault } from './schedule.js';

/** The gateways under test, one or two. */
export interface Cluster extends Edge {
  /** Of the gRPC sides, in the order of the gateways. */
  readonly grpcAddresses: readonly string[];
  readonly names: readonly string[];
  start(): Promise<void>;
  /** Does it and resolves when it is over; faults that are no business of gateways are ignored. */
  apply(fault: Fault): Promise<void>;
  /** An operator ends the session of a client; nothing happens where it has none. */
  kick(openid: string): Promise<void>;
  /** Whether pushes are kept for somebody who has no session. */
  readonly keepsOffline: boolean;
  /** Resolves when all that was done to gateways is undone and they serve. */
  heal(): Promise<void>;
  /** The last output of every gateway. */
  lastWords(): Promise<string>;
  stop(): Promise<void>;
}
