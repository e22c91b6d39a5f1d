import { sleep } from '../base/clock.js';
import type { Cancel, Clock } from '../base/clock.js';
import { CodedError, messageOf } from '../base/errors.js';
import type { TurnPace } from '../base/turn-pace.js';
import type { Config } from '../config/config.js';
import type { GrpcServer } from '../grpc/grpc-server.js';
import type { Readiness, ReadyState } from '../ops/ops-source.js';
import type { GatewayReport } from '../replication/beat-codec.js';
import { backupStats, primaryAddress } from '../replication/backup-stats.js';
import type { BackupStats } from '../replication/backup-stats.js';
import { syncModeOf } from '../replication/confirmation-gate.js';
import { FAILBACK_LOOK_MS, Failback, failbackSubject } from '../replication/failback.js';
import type { Replicator } from '../replication/replicator.js';
import type { RoleChange } from '../replication/role-options.js';
import type { ZoneRouter } from '../routing/zone-router.js';
import type { ServingGate } from '../session/serving-gate.js';
import type { SessionService } from '../session/session-service.js';
import type { Logger } from '../telemetry/log.js';
import type { ReplicationMetrics } from '../telemetry/replication-metrics.js';
import { ConfirmedEffects } from './confirmed-effects.js';
import type { GrpcSide } from './grpc-side.js';
import type { JournalSide } from './journal-side.js';
import { PairEpochs } from './pair-epochs.js';
import { PairHistory } from './pair-history.js';
import { PairOffers } from './pair-offers.js';
import { addressText, clusterIdOf, isPeerProven, pairReplicator } from './pair-replicator.js';
import type { RoleEffects } from './pair-replicator.js';
import { isRoleLost } from './pair-role-store.js';
import { pairWarnings } from './pair-warnings.js';
import type { StateKeeper } from './state-keeper.js';

/** How often a primary that may not serve looks whether it may again, ms. */
const SILENCE_POLL_MS = 10;
/** How often a switch looks how far it has come, ms. */
const SWITCH_POLL_MS = 20;

interface PairParts {
  readonly sessions: SessionService;
  readonly router: ZoneRouter;
  /** Keeps what a graceful stop leaves where there is no log on disk, and the number ceiling. */
  readonly state: StateKeeper;
}

/**
 * This gateway as one of a pair: its Replicator, what it ships and follows, and what its role means for
 * everything else. `stop` is idempotent.
 */
export class PairSide implements ServingGate {
  /** Turns of client connections stand still while a primary may not serve. */
  readonly pace: TurnPace;
  readonly epochs: PairEpochs;
  private replicator: Replicator | null = null;
  private effects: ConfirmedEffects | null = null;
  private servers: GrpcServer[] = [];
  private handingOver = false;
  private switching = false;
  private routing = false;
  private cancelFailback: Cancel | null = null;
  private saveState: (() => Promise<void>) | null = null;

  constructor(
    private readonly config: Config,
    private readonly grpc: GrpcSide,
    private readonly journal: JournalSide,
    private readonly metrics: ReplicationMetrics,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    const { clusterSecret } = config.backup;
    const machine = () => this.replicator?.machine ?? null;
    this.epochs = new PairEpochs(clusterSecret, clusterIdOf(config), machine);
    this.pace = {
      mayRun: () => this.replicator?.machine.role !== 'primary' || this.serves,
      wait: (run) => void clock.after(SILENCE_POLL_MS, run),
    };
  }

  get serves(): boolean {
    return this.replicator !== null && this.replicator.accepting;
  }

  get accepts(): boolean {
    return this.serves && !this.handingOver;
  }

  get numbers(): boolean {
    return this.replicator?.machine.handOver.offered !== true;
  }

  get primaryAddress(): string {
    return this.replicator === null ? '' : primaryAddress(this.replicator);
  }

  /** Null before `start`. */
  get stats(): BackupStats | null {
    return this.replicator === null ? null : backupStats(this.replicator, this.clock.now());
  }

  /** The ports that were bound. */
  get ports(): { readonly heartbeat: number; readonly sync: number } {
    const [heartbeat, sync] = this.servers;
    return { heartbeat: heartbeat?.port ?? 0, sync: sync?.port ?? 0 };
  }

  /** For /ready: `serving`, `starting`, `backup`, or `silent` for a primary that may not serve. */
  get state(): ReadyState {
    if (this.accepts) return 'serving';
    const role = this.replicator?.machine.role ?? 'starting';
    return role === 'primary' ? 'silent' : role;
  }

  /** What an operator should know, one line each. */
  warnings(): string[] {
    const streamLostFor = this.replicator?.streamLostFor ?? null;
    const strandedBy = this.replicator?.strandedBy ?? null;
    const peerTimeout = this.replicator?.peer?.word.timeout ?? 0;
    return pairWarnings(
      this.stats,
      { proven: isPeerProven(this.config), streamLostFor, peerTimeout, strandedBy },
      this.config.backup,
    );
  }

  /**
   * Binds both ports, reads what the last process left, and asks the peer who serves.
   * @throws {StartupError} where a port, the role file or the journal cannot be used.
   */
  async start({ sessions, router, state }: PairParts): Promise<void> {
    const offers = new PairOffers(sessions.pushes, this.metrics, this.log);
    const history = new PairHistory(this.journal, sessions, router, state, offers);
    const whole = await history.recover();
    const recovered = whole && !isRoleLost(this.config.backup.roleFile ?? '', history);
    await this.journal.begin(recovered);
    this.saveState = () => history.save();
    const replicator = this.build(history, offers, recovered, {
      report: () => this.report(history, sessions),
      onRole: (change) => this.onRole(change, history, router),
      drain: () => this.drain(sessions),
      undrain: () => this.undrain(sessions),
      onDegraded: () => this.effects?.onDegraded(),
    });
    const { heartbeat, sync } = this.config.backup;
    this.servers = [
      this.grpc.heartbeatServer(heartbeat.listenAddr, replicator.unary),
      this.grpc.syncServer(sync.listenAddr, replicator.streams),
    ];
    this.replicator = replicator;
    for (const server of this.servers) await server.start();
    if (!isPeerProven(this.config)) this.log.warn('the peer is known by its address only');
    await replicator.start();
    if (prefersPrimary(this.config)) this.cancelFailback = this.failback(replicator);
  }

  /**
   * Begins a planned switch; `stats` tells how it goes.
   * @param mode the role that this gateway shall have.
   * @throws {CodedError} WRONG_ROLE or NOT_IN_SYNC; then nothing has changed.
   */
  switchTo(mode: 'primary' | 'backup'): void {
    const { stats, replicator } = this;
    if (replicator === null || stats === null || stats.role === 'starting') {
      throw new CodedError('WRONG_ROLE', 'this gateway does not know its role yet');
    }
    if (stats.role === mode) throw new CodedError('WRONG_ROLE', `this gateway is ${mode} already`);
    if (!stats.in_sync) throw new CodedError('NOT_IN_SYNC', 'the backup is not in sync; wait');
    if (mode === 'primary') void replicator.switchRoles();
    else this.handOver(replicator);
  }

  /** An operator says that the peer is gone. @throws {CodedError} WRONG_ROLE or PEER_ALIVE */
  goSolo(): void {
    const { replicator } = this;
    if (replicator === null) throw new CodedError('WRONG_ROLE', 'this gateway is starting');
    replicator.machine.goSolo();
  }

  /** Before a stop: a backup in sync takes over, so that nothing is lost. Never rejects. */
  async leave(): Promise<void> {
    const { replicator, stats, clock } = this;
    if (replicator === null || stats?.role !== 'primary' || !stats.in_sync) return;
    this.handOver(replicator);
    const { server, backup } = this.config;
    const until = clock.now() + server.drainTimeout + 2 * backup.heartbeat.timeout;
    while (replicator.machine.role === 'primary' && this.switching && clock.now() < until) {
      await sleep(clock, SWITCH_POLL_MS);
    }
  }

  async stop(): Promise<void> {
    this.cancelFailback?.();
    await this.replicator?.stop();
    this.effects?.end();
    for (const server of this.servers) await server.stop();
    await this.saveState?.();
    this.saveState = null;
  }

  private failback(replicator: Replicator): Cancel {
    const after = this.config.backup.failbackAfter;
    const failback = new Failback(after, failbackSubject(replicator), this.clock, this.log);
    return this.clock.every(FAILBACK_LOOK_MS, () => failback.look());
  }

  private handOver(replicator: Replicator): void {
    this.switching = true;
    replicator.switchRoles().catch((error: unknown) => {
      this.switching = false;
      this.log.warn({ reason: messageOf(error) }, 'the switch did not come about');
    });
  }

  private build(
    history: PairHistory,
    offers: PairOffers,
    recovered: boolean,
    effects: RoleEffects,
  ): Replicator {
    const { config, clock, log, metrics, grpc } = this;
    const { writer } = this.journal;
    if (writer === null) throw new CodedError('NO_JOURNAL', 'a gateway of a pair has a journal');
    const parts = { config, grpc, writer, history, offers, recovered, metrics, clock, log };
    const replicator = pairReplicator(parts, effects);
    if (config.backup.sync.mode === 'sync') {
      const serves = () => this.serves;
      this.effects = new ConfirmedEffects(writer, replicator.confirmations, serves, clock);
    }
    return replicator;
  }

  /** What the peer is told of this gateway. */
  private report(history: PairHistory, sessions: SessionService): GatewayReport {
    const { advertiseAddr } = this.config.server;
    return {
      sessions: history.sessionCount,
      healthy: this.journal.isHealthy && !sessions.overload.view().shedding,
      advertiseAddr: addressText(advertiseAddr),
      prefersPrimary: prefersPrimary(this.config),
      syncMode: syncModeOf(this.config.backup.sync),
    };
  }

  private onRole(change: RoleChange, history: PairHistory, router: ZoneRouter): void {
    this.handingOver = this.switching = false;
    if (change.role !== 'primary') {
      this.grpc.health.set(false);
      history.standDown();
      this.effects?.end();
      return;
    }
    // Where numbers jump, or a former process of this gateway goes on, nobody says what the other one has.
    const known = change.promoted && !change.jump ? history.position : 0;
    history.takeOver(change);
    this.effects?.begin(known);
    if (this.routing) router.resume();
    else void router.start();
    this.routing = true;
    history.askAgain();
    this.grpc.health.set(true);
  }

  /** Clients are told to move, then nothing new is taken and what was is settled. */
  private async drain(sessions: SessionService): Promise<void> {
    const { clock, config } = this;
    await sessions.drain(config.server.drainTimeout);
    this.handingOver = true;
    const { writer } = this.journal;
    const until = clock.now() + config.backup.heartbeat.timeout;
    while ((writer?.settled.length ?? 0) > 0 && clock.now() < until) {
      await sleep(clock, SWITCH_POLL_MS);
    }
  }

  private undrain(sessions: SessionService): void {
    this.handingOver = this.switching = false;
    sessions.undrain();
  }
}

/** The part of a gateway that is one of a pair; null where `backup.enabled` is not set. */
export function pairSide(...parts: ConstructorParameters<typeof PairSide>): PairSide | null {
  return parts[0].backup.enabled ? new PairSide(...parts) : null;
}

/** Whether clients should be sent here: what the phase of the process says, then its role. */
export function readinessOf(phase: ReadyState, pair: PairSide | null): Readiness {
  const state = phase === 'serving' && pair !== null ? pair.state : phase;
  return { ready: state === 'serving', state };
}

function prefersPrimary({ backup }: Config): boolean {
  return backup.mode === 'primary' && backup.failback === 'auto';
}
