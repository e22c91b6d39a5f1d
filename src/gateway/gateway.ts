import type { JwtAuthenticator } from '../auth/jwt-authenticator.js';
import { SystemClock } from '../base/clock.js';
import type { Clock } from '../base/clock.js';
import { memoised } from '../base/lifecycle.js';
import { TimerWheel } from '../base/timer-wheel.js';
import type { Config } from '../config/config.js';
import { serverIdentity } from '../config/server-identity.js';
import type { ServerIdentity } from '../config/server-identity.js';
import type { Http3Edge } from '../edge/h3-edge.js';
import type { WsServer } from '../edge/ws-server.js';
import type { GrpcServer } from '../grpc/grpc-server.js';
import type { Link } from '../link/link.js';
import type { QuicServer } from '../quic/quic-server.js';
import { Watchdog } from '../quic/watchdog.js';
import { ZoneRouter } from '../routing/zone-router.js';
import { AcceptingAuthenticator } from '../session/authenticator.js';
import { SessionService } from '../session/session-service.js';
import type { Logger } from '../telemetry/log.js';
import { Metrics } from '../telemetry/metrics.js';
import { ErrorCode } from '../wire/error-catalogue.js';
import { ClientCertificate } from './client-certificate.js';
import { clientsGone } from './clients-gone.js';
import { GrpcSide } from './grpc-side.js';
import { altSvc, http3Edge } from './http3.js';
import { jwtAuthenticator } from './identity.js';
import { JournalSide } from './journal-side.js';
import { Logging } from './logging.js';
import { OpsSide, opsWarnings } from './ops-side.js';
import { PairRegistrations } from './pair-registrations.js';
import { pairSide, readinessOf } from './pair-side.js';
import type { PairSide } from './pair-side.js';
import { overloadOptions, routerOptions, sessionOptions } from './options.js';
import { limitHandshakes, quicServer } from './quic-listener.js';
import { Reloads } from './reloads.js';
import { sampledSpans } from './request-spans.js';
import type { SampledSpans } from './request-spans.js';
import { memoryWarnings } from './memory-warnings.js';
import { StandingWarnings } from './standing-warnings.js';
import { StateKeeper } from './state-keeper.js';
import { Playground } from './playground.js';
import { webSocketServer } from './websocket.js';

/** Resolution of session timers, ms: their shortest rule is 10 s. */
const SESSION_TICK_MS = 100;

type Phase = 'starting' | 'serving' | 'draining';

/**
 * The composition root: builds every part from the configuration, starts them so that upstreams come
 * before clients, and stops them so that nothing accepted is lost. `start` and `stop` are idempotent;
 * a start that fails leaves nothing running after `stop`.
 */
export class Gateway {
  /** @throws {StartupError} with one line that says what to mend. */
  readonly start = memoised(() => this.run());
  /** Sends clients away and serves none, but goes on answering operators; `stop` does the rest. */
  readonly drain = memoised(() => this.sendAway());
  /** Graceful: no new connections, answers delivered, clients told to come back, the rest kept. */
  readonly stop = memoised(() => this.end());

  readonly metrics = new Metrics(true);
  readonly sessions: SessionService;
  readonly router: ZoneRouter;
  private readonly logging: Logging;
  private readonly log: Logger;
  private readonly datagramsRead = () => this.metrics.quic.datagrams.value;
  private readonly wheel: TimerWheel;
  private readonly state: StateKeeper;
  private readonly journal: JournalSide;
  /** Null where every token is accepted. */
  private readonly tokens: JwtAuthenticator | null;
  /** Null where no spans are made. */
  private readonly spans: SampledSpans | null;
  private readonly upstreams: GrpcSide;
  /** Null where this gateway has no peer. */
  readonly pair: PairSide | null;
  private readonly grpc: GrpcServer;
  private readonly reloads: Reloads;
  private readonly ops: OpsSide;
  private readonly watchdog: Watchdog | null;
  private quic: QuicServer | null = null;
  private readonly playground: Playground;
  /** Null where quic.http3 is off. */
  private readonly http3: Http3Edge | null;
  /** Null while not started, and where server.ws_addr is off. */
  private webSocket: WsServer | null = null;
  private certificate: ClientCertificate | null = null;
  private phase: Phase = 'starting';
  /** Clients and pushes were let in: what the sessions hold is newer than any file. */
  private accepting = false;

  /**
   * @param warnings what loading the configuration found, for /health.
   * @throws {StartupError} where files that the configuration names are damaged.
   */
  constructor(
    private readonly config: Config,
    warnings: readonly string[] = [],
    private readonly clock: Clock = new SystemClock(),
  ) {
    this.wheel = new TimerWheel(clock, SESSION_TICK_MS, { datagramsRead: this.datagramsRead });
    this.logging = new Logging(config);
    this.log = this.logging.root;
    this.state = new StateKeeper(config.server.stateFile, this.log.child({ part: 'state' }), clock);
    this.upstreams = new GrpcSide(config, this.clock, this.log.child({ part: 'grpc' }));
    const journalLog = this.log.child({ part: 'journal' });
    this.journal = new JournalSide(config, this.clock, journalLog, this.metrics.journal);
    const pairLog = this.log.child({ part: 'replication' });
    const { upstreams, journal, metrics } = this;
    this.pair = pairSide(config, upstreams, journal, metrics.replication, clock, pairLog);
    this.router = this.buildRouter();
    const { authFailures } = this.metrics.session;
    this.tokens = jwtAuthenticator(
      config,
      this.clock,
      this.log.child({ part: 'auth' }),
      authFailures,
    );
    const traceLog = this.log.child({ part: 'tracing' });
    this.spans = sampledSpans(config, { clock, metrics: metrics.tracing, log: traceLog });
    this.sessions = this.buildSessions();
    this.playground = new Playground(config, this);
    this.http3 = this.buildHttp3();
    this.grpc = this.buildGrpc();
    const memory = memoryWarnings(config);
    for (const warning of memory) this.log.warn(warning);
    const permanent = [...this.upstreams.warnings(), ...opsWarnings(config), ...memory];
    this.reloads = this.buildReloads(new StandingWarnings(warnings, permanent));
    this.ops = this.buildOps();
    const { enabled, timeout } = config.watchdog;
    this.watchdog = enabled ? new Watchdog(timeout, this.clock) : null;
  }

  /** Takes over what can change while it serves; the rest waits for a restart, and is named. */
  reload(config: Config, warnings: readonly string[] = []): Promise<void> {
    return this.reloads.take(config, warnings);
  }

  /** A reload came to nothing, for these problems, one line each: the log and /health say so. */
  notReloaded(problems: readonly string[]): void {
    this.reloads.refuse(problems);
  }

  /** The UDP port that was bound. */
  get quicPort(): number {
    return this.quic?.port ?? 0;
  }

  /** The TCP port of WebSocket clients; 0 when there is none. */
  get wsPort(): number {
    return this.webSocket?.port ?? 0;
  }

  /** The gRPC port that was bound. */
  get grpcPort(): number {
    return this.grpc.port;
  }

  /** The port of the operators' HTTP API; 0 when it is off. */
  get httpPort(): number {
    return this.ops.httpPort;
  }

  /** The port of the Prometheus listener; 0 when it is off. */
  get metricsPort(): number {
    return this.ops.metricsPort;
  }

  private buildRouter(): ZoneRouter {
    const log = this.log.child({ part: 'routing' });
    const { pair, journal } = this;
    const pace = pair === null ? {} : { pace: pair.pace };
    const options = { ...routerOptions(this.config), journal: journal.writer, ...pace };
    const { upstream } = this.metrics;
    return new ZoneRouter(this.clock, log, upstream, this.upstreams.callers, options);
  }

  private buildSessions(): SessionService {
    return new SessionService({
      options: sessionOptions(this.config),
      overload: overloadOptions(this.config),
      clock: this.clock,
      wheel: this.wheel,
      metrics: this.metrics.session,
      accepted: this.metrics.ws.connections,
      rejected: this.metrics.quic.rejected,
      log: this.log.child({ part: 'session' }),
      router: this.router,
      authenticator: this.tokens ?? new AcceptingAuthenticator(),
      spans: this.spans,
      ceiling: this.state.ceiling,
      journal: this.journal.writer,
      datagramsRead: this.datagramsRead,
      ...(this.pair === null ? {} : { serving: this.pair, epochs: this.pair.epochs }),
    });
  }

  private buildGrpc(): GrpcServer {
    const { pushes, clients } = this.sessions;
    const { pair } = this;
    const router = pair === null ? this.router : new PairRegistrations(this.router, pair);
    return this.upstreams.server({ pushes, clients, router });
  }

  private buildOps(): OpsSide {
    return new OpsSide(this.config, {
      state: () => readinessOf(this.phase, this.pair),
      pair: this.pair,
      sessions: this.sessions,
      router: this.router,
      metrics: this.metrics,
      clock: this.clock,
      standing: () => [
        ...this.reloads.warnings(),
        ...this.journal.warnings(),
        ...this.state.warnings(),
        ...(this.pair?.warnings() ?? []),
      ],
      certificateTerms: () => this.reloads.certificateTerms(),
      log: this.log.child({ part: 'ops' }),
      logLevel: this.logging.level,
      drain: () => void this.drain(),
    });
  }

  private buildReloads(standing: StandingWarnings): Reloads {
    const { clock, log, logging, router, tokens } = this;
    const certificates = () => [this.certificate, this.upstreams, this.ops];
    const parts = { clock, log, logging, router, tokens, standing };
    return new Reloads(this.config, { ...parts, certificates });
  }

  private buildQuic(identity: ServerIdentity): QuicServer {
    return quicServer(this.config, identity, this.http3, {
      ...this.listenerParts(),
      wait: (address) => this.sessions.overload.admitWaiting(address),
      metrics: this.metrics.quic,
      log: this.log.child({ part: 'quic' }),
    });
  }

  private buildWebSocket(identity: ServerIdentity): WsServer | null {
    return webSocketServer(this.config, identity, this.sessions, {
      ...this.listenerParts(),
      metrics: this.metrics.ws,
      log: this.log.child({ part: 'websocket' }),
      altSvc: () => (this.http3 === null ? null : altSvc(this.config, this.quicPort)),
    });
  }

  private buildHttp3(): Http3Edge | null {
    return http3Edge(this.config, this.sessions, this.metrics, {
      ...this.listenerParts(),
      readiness: () => readinessOf(this.phase, this.pair),
      quicPort: () => this.quicPort,
      wsPort: () => this.wsPort,
    });
  }

  /** What every listener for clients needs. */
  private listenerParts() {
    return {
      beforeFlush: this.journal.flush,
      ...(this.pair === null ? {} : { pace: this.pair.pace }),
      accept: (link: Link) => this.sessions.accept(link),
      clock: this.clock,
      wheel: this.wheel,
      pages: this.playground.pages,
    };
  }

  private async run(): Promise<void> {
    const identity = await serverIdentity(this.config.server);
    if (identity.development) this.log.warn('serving a development certificate from certs/');
    await this.tokens?.start();
    await this.spans?.start();
    await this.ops.start();
    if (this.pair === null) await this.state.recover(this.journal, this.sessions, this.router);
    this.upstreams.start();
    await this.grpc.start();
    this.webSocket = this.buildWebSocket(identity);
    await this.webSocket?.start();
    const quic = (this.quic = this.buildQuic(identity));
    if (this.pair === null) await this.journal.begin();
    await this.state.forget();
    await quic.start();
    this.sessions.open();
    this.sessions.archive.askAgain();
    await this.pair?.start({ ...this, state: this.state });
    this.accepting = true;
    this.metrics.quic.observe(quic);
    this.certificate = new ClientCertificate(identity, this.clock, this.log.child({ part: 'tls' }));
    this.playground.useIdentity(identity);
    this.certificate.start([quic, this.playground, this.webSocket]);
    this.sessions.overload.start((shedding) => limitHandshakes(quic, this.config, shedding));
    this.watchdog?.start();
    this.phase = 'serving';
    if (this.pair === null) this.upstreams.health.set(true);
    const { grpcPort: grpc, wsPort: webSocket, httpPort: http, metricsPort: metrics } = this;
    const ports = { quic: quic.port, webSocket, grpc, http, metrics, ...this.pair?.ports };
    this.log.info(ports, this.pair === null ? 'gateway is serving' : 'gateway has started');
  }

  private async sendAway(): Promise<void> {
    this.phase = 'draining';
    this.upstreams.health.set(false);
    this.quic?.drain();
    this.webSocket?.drain();
    this.http3?.drain();
    await this.sessions.drain(this.config.server.drainTimeout);
  }

  private async end(): Promise<void> {
    await this.pair?.leave();
    await this.drain();
    await clientsGone(this.sessions, this.clock);
    await this.webSocket?.stop(ErrorCode.Overloaded, 'the gateway stops');
    await this.http3?.stop('the gateway stops');
    await this.quic?.stop(ErrorCode.Overloaded, 'the gateway stops');
    this.certificate?.stop();
    this.upstreams.stop();
    await this.grpc.stop();
    await this.pair?.stop();
    await this.router.stop();
    // A start that failed took nothing in: whose file this is, another process may be writing to it.
    this.journal.stop();
    const hasState = this.accepting || this.state.hasLoaded;
    // A session whose time ran out while the file is written would be in it twice, its pushes for the openid too.
    this.wheel.stop();
    try {
      if (hasState && this.journal.writer === null) await this.state.save(this.sessions);
    } finally {
      await this.endRest();
    }
  }

  private async endRest(): Promise<void> {
    this.tokens?.stop();
    await this.spans?.stop();
    await this.ops.stop();
    await this.watchdog?.stop();
    this.sessions.overload.stop();
    this.state.stop();
    this.log.info('gateway stopped');
  }
}
