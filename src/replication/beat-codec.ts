import { Beat, NodeRole, decodeMessage, encodeMessage } from '../wire/messages.js';
import type { Identity, NodeStanding } from '../wire/messages.js';
import type { SyncMode } from './confirmation-gate.js';
import type { Role, Standing, Word } from './standing.js';

/** What a node reports beside its standing; for operators and clients, decides nothing. */
export interface Report {
  readonly sessions: number;
  readonly lagFrames: number;
  readonly healthy: boolean;
  /** server.advertise_addr: where clients of the wrong node are sent. */
  readonly advertiseAddr: string;
  /** It asks to be primary again (backup.failback). */
  readonly prefersPrimary: boolean;
  /** Empty where the version does not say. */
  readonly syncMode: SyncMode | '';
  /** Planned switches that did not come about since the process began, and why the last one did not. */
  readonly switchesFailed: number;
  readonly switchFailure: string;
}

/** What the gateway reports of itself; the rest its replicator knows. */
export type GatewayReport = Omit<Report, 'lagFrames' | 'switchesFailed' | 'switchFailure'>;

const SYNC_MODES: readonly string[] = ['async', 'degrade', 'refuse'] satisfies SyncMode[];

const ROLES: readonly Role[] = ['starting', 'backup', 'primary'];

export function encodeBeat(identity: Identity, word: Word, report: Report): Uint8Array {
  return encodeMessage(
    Beat,
    new Beat({
      identity,
      standing: encodeStanding(word),
      sequence: word.sequence,
      inSyncBoot: word.inSyncBoot,
      handingOver: word.handingOver,
      takeOver: word.takeOver,
      leaving: word.leaving,
      refuses: word.refuses,
      timeoutMs: word.timeout,
      report: {
        sessions: report.sessions,
        lagFrames: report.lagFrames,
        healthy: report.healthy,
        advertiseAddr: report.advertiseAddr,
        prefersPrimary: report.prefersPrimary,
        syncMode: report.syncMode,
        switchesFailed: report.switchesFailed,
        switchFailure: report.switchFailure,
      },
    }),
  );
}

/** @throws {Error} where the bytes are no Beat. */
export function decodeBeat(bytes: Uint8Array): {
  readonly identity: Beat['identity'];
  readonly word: Word;
  readonly report: Report;
} {
  const beat = decodeMessage(Beat, bytes);
  const { identity, report } = beat;
  const word = {
    ...decodeStanding(identity?.serverId ?? '', beat.standing),
    sequence: beat.sequence,
    inSyncBoot: beat.inSyncBoot,
    handingOver: beat.handingOver,
    takeOver: beat.takeOver,
    leaving: beat.leaving,
    refuses: beat.refuses,
    timeout: beat.timeoutMs,
  };
  return {
    identity,
    word,
    report: {
      sessions: report?.sessions ?? 0,
      lagFrames: report?.lagFrames ?? 0,
      healthy: report?.healthy ?? false,
      advertiseAddr: report?.advertiseAddr ?? '',
      prefersPrimary: report?.prefersPrimary ?? false,
      syncMode: knownSyncMode(report?.syncMode),
      switchesFailed: report?.switchesFailed ?? 0,
      switchFailure: report?.switchFailure ?? '',
    },
  };
}

export function encodeStanding(standing: Standing): Partial<NodeStanding> {
  return {
    role: NodeRole[standing.role.toUpperCase() as 'STARTING' | 'BACKUP' | 'PRIMARY'],
    wasPrimary: standing.wasPrimary,
    epoch: standing.epoch,
    position: standing.position,
    boot: standing.boot,
    recovered: standing.recovered,
    inSync: standing.inSync,
  };
}

/** @throws {RangeError} where the role is unknown or the boot id missing. */
export function decodeStanding(
  serverId: string,
  standing: Partial<Record<keyof NodeStanding, unknown>> | null | undefined,
): Standing {
  const { role = 0, boot = 0 } = (standing ?? {}) as Partial<NodeStanding>;
  const known = ROLES[role ?? 0];
  if (known === undefined || !boot) throw new RangeError('a standing without role or boot id');
  const given = standing as Partial<NodeStanding>;
  return {
    serverId,
    role: known,
    wasPrimary: given.wasPrimary ?? false,
    epoch: given.epoch ?? 0,
    position: given.position ?? 0,
    boot,
    recovered: given.recovered ?? false,
    inSync: given.inSync ?? false,
  };
}

function knownSyncMode(text: string | null | undefined): SyncMode | '' {
  return SYNC_MODES.includes(text ?? '') ? (text as SyncMode) : '';
}
