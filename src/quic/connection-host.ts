import type { Clock } from '../base/clock.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import type { Logger } from '../telemetry/log.js';
import type { QuicMetrics } from '../telemetry/quic-metrics.js';
import type { TransportLimits } from './limits.js';
import type { MigrationPolicy } from './peer-address.js';
import type { TurnScheduler } from './turn-scheduler.js';

/** Sends PINGs for peers that would time out before they have something to say. */
export interface KeepalivePolicy {
  /** Silence in ms before a PING. */
  readonly silence: number;
  /** Only for peers whose idle timeout is below this, ms. */
  readonly peerIdleBelow: number;
}

/** What the connections of an endpoint share. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly scheduler: TurnScheduler;
  readonly wheel: TimerWheel;
  readonly metrics: QuicMetrics;
  readonly log: Logger;
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
