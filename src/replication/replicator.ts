import { sleep } from '../base/clock.js';
import type { Cancel } from '../base/clock.js';
import { CodedError, messageOf } from '../base/errors.js';
import { memoised } from '../base/lifecycle.js';
import type { StreamMethod, UnaryMethod } from '../grpc/server-method.js';
import type { Report } from './beat-codec.js';
import { ClusterSeal } from './cluster-seal.js';
import { ConfirmationGate, syncModeOf } from './confirmation-gate.js';
import { ConfirmationNews } from './confirmation-news.js';
import { Heartbeats } from './heartbeats.js';
import type { PeerNews } from './heartbeats.js';
import { PlannedSwitch } from './planned-switch.js';
import { NO_OFFERS } from './push-offers.js';
import type { ReplicatorOptions, ReplicatorParts } from './replicator-parts.js';
import { RoleFailures } from './role-failures.js';
import { RoleMachine } from './role-machine.js';
import type { RoleChange } from './role-options.js';
import { Shipper } from './shipper.js';
import type { ShipperLink } from './shipper.js';
import { NO_LAG, StandbyLag } from './standby-lag.js';
import type { Lag } from './standby-lag.js';
import { SyncClient } from './sync-client.js';
import { SyncServer } from './sync-server.js';

/** A tick per so many of a timeout. */
const TICKS_PER_TIMEOUT = 20;
const LONGEST_TICK_MS = 250;

/**
 * One gateway of a pair: its role, its heartbeats, the stream to or from the peer, and the gates that
 * wait for confirmations. `start` and `stop` are idempotent. The composition root serves `unary` on the
 * heartbeat address and `streams` on the sync address.
 */
export class Replicator {
  readonly machine: RoleMachine;
  /** What waits for the standby's confirmation. */
  readonly confirmations: ConfirmationGate;
  readonly unary: readonly UnaryMethod[];
  readonly streams: readonly StreamMethod[];
  readonly stop = memoised(() => this.end());
  readonly plannedSwitch = new PlannedSwitch();

  private readonly heartbeats: Heartbeats;
  private readonly server: SyncServer;
  private readonly client: SyncClient;
  private readonly tickPeriod: number;
  private readonly failures: RoleFailures;
  private cancelTick: Cancel | null = null;
  private readonly news: ConfirmationNews;
  private readonly standby: StandbyLag;
  private switching: Promise<void> | null = null;
  private stopped = false;

  /** @throws {StartupError} where the stored role is damaged; {CodedError} ROLE_UNWRITABLE */
  constructor(
    private readonly options: ReplicatorOptions,
    private readonly parts: ReplicatorParts,
  ) {
    const { heartbeat, sync } = options;
    const { clock, gate, log, metrics, source } = parts;
    this.tickPeriod = Math.min(LONGEST_TICK_MS, heartbeat.timeout / TICKS_PER_TIMEOUT);
    this.news = new ConfirmationNews(sync, log);
    this.failures = new RoleFailures(clock, log);
    this.machine = this.buildMachine();
    gate.holdTo(() => this.machine.heldPeer);
    this.confirmations = new ConfirmationGate(
      sync,
      () => source.position,
      clock,
      (degraded) => this.onDegraded(degraded),
    );
    const seal = new ClusterSeal(options.secret);
    const { machine, failures } = this;
    this.heartbeats = new Heartbeats(heartbeat, {
      machine,
      caller: parts.heartbeatCaller,
      seal,
      gate,
      report: () => this.report(),
      fenced: metrics.fenced,
      failures,
      clock,
      log,
    });
    this.standby = new StandbyLag(source, this.confirmations, clock);
    const offers = parts.offers ?? NO_OFFERS;
    const host = {
      ship: (link: ShipperLink) => this.ship(link),
      offers,
      lag: this.standby,
      fenced: metrics.fenced,
      clock,
      helloTimeout: heartbeat.timeout,
    };
    this.server = new SyncServer(this.machine, host, seal, gate);
    const { syncOpener: opener, follower } = parts;
    const shared = { machine, seal, gate, metrics, clock, log };
    this.client = new SyncClient({ ...shared, opener, follower, offers });
    this.unary = [this.heartbeats.method()];
    this.streams = [this.server.method()];
    metrics.observe({
      isPrimary: () => this.machine.role === 'primary',
      isDegraded: () => this.machine.role === 'primary' && this.confirmations.degraded,
      isInSync: () => this.machine.paired,
      epoch: () => this.machine.epoch,
      lag: () => this.lag,
    });
  }

  /** Asks the peer, and decides from then on. The ports must be bound. */
  async start(): Promise<void> {
    if (this.cancelTick !== null || this.stopped) return;
    this.cancelTick = this.parts.clock.every(this.tickPeriod, () => this.tick());
    if (this.options.secret === null) await this.parts.gate.lookUp();
    if (!this.stopped) this.heartbeats.start();
  }

  /** Whether anything may be accepted, dispatched, answered with success or sent at this instant. */
  get accepting(): boolean {
    return this.machine.accepting;
  }

  /** What was last heard of the peer; its `advertiseAddr` is where clients of a backup belong. */
  get peer(): PeerNews | null {
    return this.heartbeats.news;
  }

  /** Where this gateway does not serve and hears nothing of its peer: why that one does not answer; else null. */
  get strandedBy(): string | null {
    return this.machine.isStranded ? this.heartbeats.failure : null;
  }

  /** What the standby has not confirmed; nothing where this gateway is no primary, or knows of no standby. */
  get lag(): Lag {
    const { shipper } = this.server;
    return shipper === null && !this.hasStandby ? NO_LAG : this.standby.of(shipper);
  }

  /** How long the standby that this primary knows of has had no stream, ms; null while it has. */
  get streamLostFor(): number | null {
    return this.hasStandby && this.server.shipper === null ? this.standby.lostFor : null;
  }

  /** Whether this is a primary that knows of a standby: it may be away, but has not said goodbye. */
  private get hasStandby(): boolean {
    const word = this.peer?.word;
    return this.isPrimary() && word?.role === 'backup' && !word.leaving;
  }

  /**
   * Planned switch. On the primary: drains, ships everything, hands over; resolves once offered. On the
   * backup: asks the primary to.
   * @throws {CodedError} WRONG_ROLE, NOT_IN_SYNC or SWITCH_FAILED; then this gateway serves on.
   */
  switchRoles(): Promise<void> {
    if (this.machine.role === 'backup') {
      this.machine.askToTakeOver();
      this.plannedSwitch.begin(this.peer?.switchesFailed);
      return Promise.resolve();
    }
    if (!this.machine.accepting || !this.machine.paired) {
      return this.refuseSwitch('no backup is in sync; wait');
    }
    this.switching ??= this.handOver().finally(() => (this.switching = null));
    return this.switching;
  }

  private buildMachine(): RoleMachine {
    const { options, parts } = this;
    const history = {
      recovered: parts.recovered,
      position: (): number => (this.isPrimary() ? parts.source.position : parts.follower.position),
    };
    return new RoleMachine(
      {
        serverId: options.serverId,
        mode: options.mode,
        timeout: options.heartbeat.timeout,
        tickPeriod: this.tickPeriod,
        onPeerLoss: options.onPeerLoss,
        promoteStale: options.promoteStale,
        refuses: syncModeOf(options.sync) === 'refuse',
      },
      parts.store,
      history,
      {
        onRole: (change) => this.onRole(change),
        onTakeOverAsked: () => this.onTakeOverAsked(),
        onHandOverFailed: () => this.onHandOverFailed(),
        onAlone: (reason) => this.onAlone(reason),
        onDeparted: () => this.onDeparted(),
      },
      parts.clock,
      parts.log,
    );
  }

  /** Also asked while the machine is being built. */
  private isPrimary(): boolean {
    return (this.machine as RoleMachine | undefined)?.role === 'primary';
  }

  private onRole(change: RoleChange): void {
    const { log, metrics } = this.parts;
    const { role, epoch, reason, promoted, planned } = change;
    log.warn({ role, epoch, reason }, 'the role of this gateway has changed');
    if (promoted) metrics.promotions.add(planned ? 'planned' : 'failover');
    this.plannedSwitch.end();
    this.client.stop();
    this.server.dropAll(`this gateway is ${role} now`);
    this.news.forget();
    this.confirmations.release();
    this.standby.forget();
    this.parts.onRole(change);
    if (role === 'backup') this.client.start();
    // The peer should hear of it at once.
    queueMicrotask(() => this.heartbeats.send());
  }

  private onHandOverFailed(): void {
    this.plannedSwitch.fail('the backup did not take over; this gateway serves on');
    this.parts.undrain();
  }

  private tick(): void {
    if (this.machine.role === 'backup') this.followSwitch();
    if (!this.hasStandby && this.server.shipper === null) this.standby.forget();
    try {
      // Not only when a confirmation comes: a quiet journal would never be in sync again.
      const boot = this.confirmations.degraded ? 0 : this.server.caughtUpBoot;
      if (boot !== 0) this.machine.onCaughtUp(boot);
      this.machine.tick();
    } catch (error) {
      this.failures.tell(error);
    }
  }

  /** How the switch goes that this backup asked for. */
  private followSwitch(): void {
    const { machine, plannedSwitch, peer } = this;
    // The request to the primary is withdrawn for that.
    if (plannedSwitch.underWay && !machine.paired) {
      plannedSwitch.fail('this backup is not in sync any more');
    }
    if (peer !== null && plannedSwitch.hear(peer.switchesFailed, peer.switchFailure)) {
      machine.askNoMore();
    }
  }

  private ship(link: ShipperLink): Shipper {
    const { source, metrics, clock, log } = this.parts;
    const { epoch } = this.machine;
    const gate = this.confirmations;
    return new Shipper(this.options.sync, { source, epoch, gate, link, metrics, clock, log });
  }

  private onDegraded(degraded: boolean): void {
    if (this.isPrimary() && !this.stopped) this.news.tell(degraded ? 'silent' : 'confirms');
    this.parts.onDegraded?.();
  }

  private onAlone(reason: string): void {
    this.news.alone(this.machine.epoch, reason);
    this.confirmations.lapse();
  }

  private onDeparted(): void {
    this.server.dropAll('the backup has said goodbye');
    this.confirmations.lapse();
  }

  private onTakeOverAsked(): void {
    // It asks more than once.
    if (this.plannedSwitch.underWay) return;
    const asked =
      this.server.caughtUpBoot === 0
        ? this.refuseSwitch('the backup has not caught up; wait')
        : this.switchRoles();
    asked.catch((error: unknown) =>
      this.parts.log.warn({ reason: messageOf(error) }, 'the switch did not come about'),
    );
  }

  private refuseSwitch(reason: string): Promise<never> {
    if (!this.plannedSwitch.underWay) this.plannedSwitch.fail(reason);
    return Promise.reject(new CodedError('NOT_IN_SYNC', reason));
  }

  private report(): Report {
    const { failures: switchesFailed, failure: switchFailure } = this.plannedSwitch;
    const lagFrames = this.lag.frames;
    return { ...this.parts.report(), lagFrames, switchesFailed, switchFailure };
  }

  private async handOver(): Promise<void> {
    this.plannedSwitch.begin();
    try {
      await this.parts.drain();
      this.machine.fallSilent();
      await this.shipped();
      if (!this.machine.handOver.offer()) {
        throw new CodedError('SWITCH_FAILED', 'the backup has gone; this gateway serves on');
      }
    } catch (error) {
      this.plannedSwitch.fail(messageOf(error));
      this.machine.handOver.withdraw();
      this.parts.undrain();
      throw error;
    }
    this.heartbeats.send();
  }

  /** Resolves when the standby has everything, or there is nobody to hand over to any more. */
  private async shipped(): Promise<void> {
    const { clock, source } = this.parts;
    const until = clock.now() + this.options.heartbeat.timeout;
    const { handOver } = this.machine;
    while (handOver.begun && this.confirmations.confirmed < source.position) {
      if (clock.now() >= until) {
        throw new CodedError(
          'SWITCH_FAILED',
          'the backup does not confirm; this gateway serves on',
        );
      }
      await sleep(clock, this.tickPeriod);
    }
  }

  private async end(): Promise<void> {
    this.stopped = true;
    this.cancelTick?.();
    this.machine.leave();
    if (this.machine.role !== 'starting') await this.heartbeats.sayGoodbye();
    this.heartbeats.stop();
    this.client.stop();
    this.server.dropAll('this gateway stops');
    this.confirmations.release();
    this.parts.syncOpener?.close();
  }
}
