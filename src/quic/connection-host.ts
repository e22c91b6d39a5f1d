import type { Clock } from '../base/clock.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import type { Logger } from '../telemetry/log.js';
import type { QuicMetrics } from '../telemetry/quic-metrics.js';
import type { TransportLimits } from './limits.js';
import type { MigrationPolicy } from './peer-address.js';
import type { SendErrors } from './send-errors.js';
import type { TurnScheduler } from './turn-scheduler.js';

/** Sends PINGs over connections that would time out before anybody has something to say. */
export interface KeepalivePolicy {
  /** Silence in ms before a PING; two thirds of the idle timeout where that is less. */
  readonly silence: number;
  /** Only for connections whose idle timeout, the smaller one of both sides, is below this, ms. */
  readonly idleBelow: number;
}

/**
 * Deployed clients heartbeat every 30 s and time out after 30 s: a race (REPLICATION.md). Where two
 * heartbeats fall into the idle timeout a PING would double what an idle session costs, for nothing.
 */
export const DEFAULT_KEEPALIVE: KeepalivePolicy = Object.freeze({
  silence: 20_000,
  idleBelow: 60_000,
});

/** What the connections of an endpoint share. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly scheduler: TurnScheduler;
  readonly wheel: TimerWheel;
  readonly metrics: QuicMetrics;
  readonly log: Logger;
  readonly sendErrors: SendErrors;
  readonly limits: TransportLimits;
  readonly migration: MigrationPolicy;
  readonly keepalive: KeepalivePolicy | null;
  /** Where streams copy small writes together; shared, contents do not last. */
  readonly gatherBuffer: Buffer;
  /** Where streams are read into; shared, valid until the next read. */
  readonly readBuffer: Buffer;
  /** Where packets are written; another one after a packet that the kernel has not taken yet. */
  readonly sendBuffer: Buffer;
  /** Sends the first `length` bytes of sendBuffer. */
  transmit(length: number, port: number, host: string): void;
}
