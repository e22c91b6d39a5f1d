import type { Clock } from '../base/clock.js';
import type { StreamOpener } from '../grpc/message-stream.js';
import type { UnaryCaller } from '../grpc/unary-caller.js';
import type { JournalFollower, JournalSource } from '../journal/journal.js';
import type { ReplicationMetrics } from '../telemetry/replication-metrics.js';
import type { Logger } from '../telemetry/log.js';
import type { GatewayReport } from './beat-codec.js';
import type { GateOptions } from './confirmation-gate.js';
import type { PeerGate } from './peer-gate.js';
import type { PushOffers } from './push-offers.js';
import type { RoleStore } from './role-file.js';
import type { RoleChange } from './role-options.js';
import type { ShipperOptions } from './shipper.js';

/** What the configuration says of a pair, as far as the Replicator needs it; times in ms. */
export interface ReplicatorOptions {
  readonly serverId: string;
  /** backup.mode: the role of a node that never ran. */
  readonly mode: 'primary' | 'backup';
  readonly onPeerLoss: 'continue' | 'step_down';
  readonly promoteStale: boolean;
  readonly heartbeat: { readonly interval: number; readonly timeout: number };
  readonly sync: GateOptions & ShipperOptions;
  /** backup.cluster_secret. */
  readonly secret: string | null;
}

/** What the gateway gives its Replicator. */
export interface ReplicatorParts {
  readonly store: RoleStore;
  /** As a primary: what is shipped. */
  readonly source: JournalSource;
  /** As a backup: what is built. Its position is also that of a node that still starts. */
  readonly follower: JournalFollower;
  /** Whether the follower holds what the last process had (disk journal, complete state). */
  readonly recovered: boolean;
  /** To the peer's heartbeat address; null where none is configured. */
  readonly heartbeatCaller: UnaryCaller | null;
  /** To the peer's sync address. */
  readonly syncOpener: (StreamOpener & { close(): void }) | null;
  readonly gate: PeerGate;
  readonly metrics: ReplicationMetrics;
  readonly clock: Clock;
  readonly log: Logger;
  report(): GatewayReport;
  /**
   * Called with every change of role, before anything is accepted in it. As a promoted primary the
   * source must go on where the follower ends, with the promotion as its first entry; numbers jump
   * where `jump` says so. As a backup no link may stay open.
   */
  onRole(change: RoleChange): void;
  /** Planned switch: nothing new is taken; resolves when requests under way have been answered. */
  drain(): Promise<void>;
  /** The planned switch did not come about: serve on. */
  undrain(): void;
  /** In sync mode the standby's confirmations stopped, or count again. */
  onDegraded?(): void;
  /** Pushes that only one of the two holds. Default: none are offered, none accepted. */
  readonly offers?: PushOffers;
}
