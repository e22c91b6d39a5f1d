import { lookup } from 'node:dns/promises';
import { formatAddress } from '../base/address.js';
import type { Clock } from '../base/clock.js';
import type { Address, Config } from '../config/config.js';
import type { StreamOpener } from '../grpc/message-stream.js';
import type { UnaryCaller } from '../grpc/unary-caller.js';
import type { JournalWriter } from '../journal/journal-writer.js';
import { PeerGate } from '../replication/peer-gate.js';
import type { PushOffers } from '../replication/push-offers.js';
import type { ReplicatorParts } from '../replication/replicator-parts.js';
import { Replicator } from '../replication/replicator.js';
import type { Logger } from '../telemetry/log.js';
import type { ReplicationMetrics } from '../telemetry/replication-metrics.js';
import type { GrpcSide } from './grpc-side.js';
import type { PairHistory } from './pair-history.js';
import { loggedRoleStore } from './pair-role-store.js';

/** What both gateways call their pair where backup.cluster_id says nothing. */
const DEFAULT_CLUSTER = 'gatesvr';

/** What the Replicator asks and tells the rest of the gateway. */
export type RoleEffects = Pick<
  ReplicatorParts,
  'report' | 'onRole' | 'drain' | 'undrain' | 'onDegraded'
>;

interface PairReplicatorParts {
  readonly config: Config;
  readonly grpc: GrpcSide;
  readonly writer: JournalWriter;
  readonly history: PairHistory;
  readonly offers: PushOffers;
  /** Whether the history is complete. */
  readonly recovered: boolean;
  readonly metrics: ReplicationMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The Replicator as the configuration wants it. @throws {StartupError} where the role file is damaged */
export function pairReplicator(parts: PairReplicatorParts, effects: RoleEffects): Replicator {
  const { config, grpc, writer, history, offers, recovered, metrics, clock, log } = parts;
  const { backup } = config;
  const { mode, onPeerLoss, promoteStale, heartbeat, sync, clusterSecret: secret } = backup;
  const serverId = backup.serverId ?? '';
  const logged = history.position > 0 ? history : null;
  const resumes = mode === 'primary' && onPeerLoss === 'continue';
  const callers = grpc.replicationCallers(heartbeat);
  return new Replicator(
    { serverId, mode, onPeerLoss, promoteStale, heartbeat, sync, secret },
    {
      store: loggedRoleStore(backup.roleFile ?? '', serverId, logged, resumes, config.journal.path),
      source: writer,
      follower: history,
      recovered,
      heartbeatCaller: dial(callers, heartbeat.peerAddr),
      syncOpener: dial(callers, sync.peerAddr),
      gate: peerGate(serverId, parts),
      metrics,
      clock,
      log,
      offers,
      ...effects,
    },
  );
}

/** What both gateways call their pair. */
export function clusterIdOf({ backup }: Config): string {
  return backup.clusterId ?? DEFAULT_CLUSTER;
}

/** Whether the peer proves who it is; else it is known by its address only. */
export function isPeerProven({ backup, grpc }: Config): boolean {
  return backup.clusterSecret !== null || grpc.tls.clientCaFile !== null;
}

/** `host:port`; empty where there is none. */
export function addressText(address: Address | null): string {
  return address === null ? '' : formatAddress(address.host, address.port);
}

function peerGate(
  serverId: string,
  { config, clock, metrics, log }: PairReplicatorParts,
): PeerGate {
  return new PeerGate(
    {
      serverId,
      clusterId: clusterIdOf(config),
      peerHost: config.backup.heartbeat.peerAddr?.host ?? null,
      proven: isPeerProven(config),
    },
    async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    clock,
    metrics.refused,
    log,
  );
}

function dial(
  callers: ReturnType<GrpcSide['replicationCallers']>,
  address: Address | null,
): (UnaryCaller & StreamOpener) | null {
  return address === null ? null : (callers(addressText(address)) as UnaryCaller & StreamOpener);
}
