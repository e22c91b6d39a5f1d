import type { Clock } from '../base/clock.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import type { JournalWriter } from '../journal/journal-writer.js';
import type { NumberCeiling } from '../journal/number-ceiling.js';
import type { Link, LinkClosed } from '../link/link.js';
import type { Router } from '../routing/router.js';
import type { Logger } from '../telemetry/log.js';
import type { SessionMetrics } from '../telemetry/session-metrics.js';
import type { LabelledTally } from '../telemetry/tally.js';
import { ErrorCode, errorName } from '../wire/error-catalogue.js';
import { StopRequest } from '../wire/messages.js';
import type { Authenticator } from './authenticator.js';
import { ClientConnection } from './client-connection.js';
import type { ConnectionHost } from './client-connection.js';
import { ClientDesk } from './client-desk.js';
import { Drain } from './drain.js';
import { LONE_EPOCHS } from './epochs.js';
import type { Epochs } from './epochs.js';
import { IdempotencyKeys } from './idempotency-keys.js';
import { OfflineQueues } from './offline-queues.js';
import type { SessionOptions } from './options.js';
import { NO_LIMITS } from './overload/options.js';
import type { OverloadOptions } from './overload/options.js';
import { Overload } from './overload/overload.js';
import type { ConnectionRefusal } from './overload/overload.js';
import { LateOutcomes } from './late-outcomes.js';
import { AT_CAPACITY, DRAINING, STARTING } from './link-refusals.js';
import { OutboxTotal } from './outbox-total.js';
import { PushService } from './push-service.js';
import type { Session } from './session.js';
import { SessionArchive } from './session-archive.js';
import type { SessionEnvironment } from './session-environment.js';
import { refuseLink } from './refused-link.js';
import { SessionHandles } from './session-handles.js';
import { SessionRegistry } from './session-registry.js';
import { ALWAYS_SERVING } from './serving-gate.js';
import type { ServingGate } from './serving-gate.js';
import type { SessionChannel } from './session-channel.js';
import { StartProcedure } from './start-procedure.js';
import type { Place, StartHost } from './start-procedure.js';
import { SurplusLinks } from './surplus-links.js';
import type { TraceListener } from './trace/trace-event.js';
import { Tracing } from './trace/tracing.js';
import type { RequestTracer } from './trace/tracing.js';

export interface SessionServiceParts {
  readonly options: SessionOptions;
  /** Default: no limits. */
  readonly overload?: OverloadOptions;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly metrics: SessionMetrics;
  readonly log: Logger;
  readonly router: Router;
  readonly authenticator: Authenticator;
  readonly ceiling: NumberCeiling;
  /** Where everything that outlives the process is written down. Default: nowhere. */
  readonly journal?: JournalWriter | null;
  /** Default: always. */
  readonly serving?: ServingGate;
  /** Connections that were taken, by transport. */
  readonly accepted: LabelledTally;
  /** Connections refused over capacity, by reason. */
  readonly rejected: LabelledTally;
  /** Makes spans of requests. Default: nobody does. */
  readonly spans?: RequestTracer | null;
  /** Told in START_RESP. Default: those of a gateway without a peer. */
  readonly epochs?: Epochs;
  /** Runs a function in the next turn of the event loop. Default: setImmediate. */
  readonly soon?: (run: () => void) => void;
  /** Datagrams read from clients so far: how far behind reading is. Default: never. */
  readonly datagramsRead?: () => number;
}

interface OpenConnection {
  /** What its address is counted under. */
  readonly key: string;
  /** Monotonic ms. */
  readonly openedAt: number;
}

type EndReason = 'stop' | 'session_timeout' | 'resume_window' | 'evicted' | 'kicked';

/**
 * Everything between a Link and the router: accepts Links, owns the sessions, takes pushes. One per
 * gateway.
 */
export class SessionService implements ConnectionHost, StartHost {
  readonly registry: SessionRegistry;
  readonly offline: OfflineQueues;
  readonly pushes: PushService;
  readonly clients: ClientDesk;
  /** What outlives the process. */
  readonly archive: SessionArchive;
  /** Measures once it is started; stop it with the gateway. */
  readonly overload: Overload;
  readonly environment: SessionEnvironment;
  readonly starts: StartProcedure;
  private readonly keys: IdempotencyKeys;
  private readonly connections = new Map<ClientConnection, OpenConnection>();
  /** Those of them that are beyond max_connections. */
  private readonly surplus: SurplusLinks;
  private readonly log: Logger;
  private phase: 'starting' | 'open' | 'draining' = 'starting';
  /** The session that loses its connection because it ends. */
  private expelled: Session | null = null;

  constructor(private readonly parts: SessionServiceParts) {
    const { options, clock, wheel, metrics, ceiling, router, authenticator } = parts;
    this.log = parts.log;
    const onExpired = (sessionId: string) => this.onExpired(sessionId);
    this.overload = new Overload(parts.overload ?? NO_LIMITS, clock, parts.log);
    const { overload } = this;
    const journal = parts.journal ?? null;
    const handles = new SessionHandles();
    const serving = parts.serving ?? ALWAYS_SERVING;
    const soon = parts.soon ?? ((run: () => void) => void setImmediate(run));
    const tracing = new Tracing(clock, soon, parts.spans);
    const shared = { options, clock, wheel, metrics, ceiling, overload, handles, journal, serving };
    const epochs = parts.epochs ?? LONE_EPOCHS;
    const outboxTotal = new OutboxTotal(options.outboxTotalBytes);
    const late = new LateOutcomes(serving);
    this.environment = { ...shared, outboxTotal, epochs, tracing, late, onExpired };
    this.surplus = new SurplusLinks(clock, parts.accepted, parts.rejected);
    this.registry = new SessionRegistry(options.maxSessions);
    this.offline = new OfflineQueues(options, clock, wheel, metrics.pushesExpired, journal);
    this.keys = new IdempotencyKeys(clock);
    const { registry, offline, keys, environment } = this;
    const turns = { soon, datagramsRead: parts.datagramsRead };
    const { outboxMaxFrames } = options;
    const kept = { registry, offline, keys, journal };
    this.pushes = new PushService({ ...kept, metrics, serving, outboxMaxFrames, turns });
    this.clients = new ClientDesk(registry, clock, serving, (session, why) =>
      this.expel(session, ErrorCode.Forbidden, why, 'kicked'),
    );
    this.starts = new StartProcedure(registry, offline, authenticator, router, environment, this);
    this.archive = new SessionArchive({ registry, offline, keys, router, environment });
    metrics.observe({
      activeCount: () => this.activeCount(),
      detachedCount: () => this.registry.size - this.activeCount(),
      queuedFrames: () => this.sum((session) => session.outbox.totalFrames),
      queuedBytes: () => outboxTotal.bytes,
      maxQueuedBytes: () => options.outboxTotalBytes,
      inFlight: () => this.inFlight(),
      currentQps: () => overload.currentQps(),
    });
  }

  /**
   * Links and pushes are accepted from here on. Before, what a failed start would forget is not taken
   * in the first place.
   */
  open(): void {
    if (this.phase !== 'starting') return;
    this.phase = 'open';
    this.pushes.open();
  }

  /**
   * Takes a new Link; what is too much is closed with 503, or 429 where it is its address's fault. Some beyond
   * max_connections, or of their address, are heard first (SurplusLinks).
   */
  accept(link: Link): void {
    const key = this.overload.keyOf(link.remoteAddress);
    const refusal = this.capacityRefusal() ?? this.overload.admitConnection(key);
    if (refusal !== null) {
      refuseLink(link, refusal.code, refusal.reason);
      this.parts.rejected.add(refusal.label);
      return;
    }
    const openedAt = this.parts.clock.now();
    const connection = new ClientConnection(link, this);
    this.connections.set(connection, { key, openedAt });
    const surplus = this.isFull() ? AT_CAPACITY : this.overload.surplusOf(key);
    if (surplus !== null) this.surplus.add(connection, surplus);
    else this.parts.accepted.add(link.transport);
    this.overload.noteConnections(this.connections.size);
  }

  placeFor(channel: SessionChannel, former: SessionChannel | null): Place {
    if (!this.surplus.has(channel)) return 'own';
    if (former === null && this.isFull()) return AT_CAPACITY;
    const key = this.keyOf(channel);
    const ofAddress = this.overload.surplusOf(key);
    // The place of a connection of another address is none that this one may have.
    if (ofAddress !== null && (former === null || this.keyOf(former) !== key)) return ofAddress;
    this.surplus.keep(channel);
    return former === null ? 'own' : 'former';
  }

  /** What a connection is counted under among those of its address. */
  private keyOf(channel: SessionChannel): string {
    return this.connections.get(channel as ClientConnection)?.key ?? '';
  }

  /** Whether the newest of the open Links is one too many. */
  private isFull(): boolean {
    return this.connections.size > this.parts.options.maxConnections;
  }

  private capacityRefusal(): ConnectionRefusal | null {
    if (this.phase === 'starting') return STARTING;
    if (this.phase === 'draining') return DRAINING;
    const { maxConnections, surplusConnections } = this.parts.options;
    return this.connections.size >= maxConnections + surplusConnections ? AT_CAPACITY : null;
  }

  /** Links that are open, with or without a session. */
  get connectionCount(): number {
    return this.connections.size;
  }

  activeCount(): number {
    let active = 0;
    for (const connection of this.connections.keys()) if (connection.carried !== null) active++;
    return active;
  }

  inFlight(): number {
    return this.sum((session) => session.ledger.inFlight);
  }

  /** Ends a session; what its client has not acknowledged waits for the openid while offline_ttl > 0. */
  end(session: Session, reason: EndReason): void {
    if (session.ended) return;
    const left = session.end();
    this.registry.remove(session);
    this.overload.sessionEnded(session.openid, session.rate);
    this.environment.journal?.ended(session.handle, this.registry.floor);
    this.offline.addAll(session.openid, left);
    this.parts.metrics.ended.add(reason);
    this.environment.tracing.ended(session, reason);
    this.log.debug({ session: session.id, reason, left: left.length }, 'session ended');
  }

  /** Ends a session and its connection, whose client is told why. */
  private expel(session: Session, code: ErrorCode, why: string, reason: EndReason): void {
    this.expelled = session;
    session.currentChannel?.drop(code, why);
    this.expelled = null;
    this.end(session, reason);
  }

  onDetached(session: Session): void {
    if (session === this.expelled) return;
    if (this.parts.options.resumeWindow <= 0) this.end(session, 'resume_window');
    else this.registry.noteDetached(session);
  }

  onStopped(session: Session, stop: StopRequest): void {
    const why = StopRequest.Reason[stop.reason] ?? `reason ${stop.reason}`;
    this.log.debug({ session: session.id, why }, 'client stopped');
    this.end(session, 'stop');
  }

  onConnectionClosed(connection: ClientConnection, { by, code }: LinkClosed): void {
    const open = this.connections.get(connection);
    if (open === undefined) return;
    this.connections.delete(connection);
    const { clock, metrics } = this.parts;
    if (!this.surplus.closed(connection)) {
      const seconds = (clock.now() - open.openedAt) / 1000;
      metrics.connections.ended(connection.transport, by, errorName(code), seconds);
    }
    this.overload.connectionClosed(open.key);
    this.overload.noteConnections(this.connections.size);
  }

  private onExpired(sessionId: string): void {
    const session = this.registry.find(sessionId);
    if (session === undefined) return;
    if (!session.active) return this.end(session, 'resume_window');
    const why = 'no frame came within session_timeout';
    this.expel(session, ErrorCode.AckTimeout, why, 'session_timeout');
  }

  /**
   * Tells a listener everything that happens to an openid from now on, whether it is connected or not.
   * @returns ends that; idempotent.
   */
  follow(openid: string, listener: TraceListener): () => void {
    const { tracing } = this.environment;
    const watch = tracing.add(openid, listener);
    const channel = () => this.registry.findByOpenid(openid)?.currentChannel;
    if (watch.listeners.size === 1) channel()?.watch(watch);
    return () => {
      if (tracing.remove(openid, listener)) channel()?.watch(null);
    };
  }

  /**
   * Stops serving: no new Link, every client is told to move (503), requests in flight are answered
   * and acknowledged as far as `timeout` ms allow, then the Links are closed. Sessions stay, detached.
   */
  async drain(timeout: number): Promise<void> {
    this.phase = 'draining';
    await new Drain(this.connections, () => this.inFlight(), this.parts.clock).run(timeout);
  }

  /**
   * The clients that a drain sent away may come back: it did not end in a stop. What waited until numbers may be
   * given again goes on.
   */
  undrain(): void {
    if (this.phase === 'draining') this.phase = 'open';
    this.environment.late.release();
    this.pushes.goOn();
  }

  /**
   * Another gateway has taken over: every Link is closed (421), nothing of what it was to carry leaves
   * any more, and everything that sessions and queues hold is forgotten.
   */
  standDown(): void {
    for (const connection of this.connections.keys()) connection.abandon();
    this.pushes.breakOff();
    for (const session of [...this.registry.all()]) {
      session.end();
      this.environment.tracing.ended(session, 'stand_down');
    }
    this.registry.clear();
    this.offline.clear();
    this.keys.clear();
    this.undrain();
  }

  private sum(measure: (session: Session) => number): number {
    let total = 0;
    for (const session of this.registry.all()) total += measure(session);
    return total;
  }
}
