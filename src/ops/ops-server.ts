import type { FastifyRequest, RouteShorthandOptions } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../base/clock.js';
import { memoised } from '../base/lifecycle.js';
import type { Address } from '../config/config.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { ProcessMonitor } from '../telemetry/process-monitor.js';
import type { Tally } from '../telemetry/tally.js';
import { AdminGate } from './admin-gate.js';
import type { AskedBy } from './admin-gate.js';
import { readConsole } from './console/console-files.js';
import { addConsoleRoutes } from './console/console-routes.js';
import { addPairRoutes } from './pair-routes.js';
import { addControlRoutes } from './control-routes.js';
import { HttpListener } from './http-listener.js';
import { HttpRefusal } from './http-refusal.js';
import type { ListenerTls } from './listener-tls.js';
import type { OpsControls, OpsSource } from './ops-source.js';
import { performanceBody } from './performance-body.js';
import type { Stages } from './performance-body.js';
import { Profiler } from './pprof/profiler.js';
import { addProfileRoutes } from './profile-routes.js';
import { ReadGate } from './read-gate.js';
import { StatsSampler } from './stream/stats-sampler.js';
import { StatsStream } from './stream/stats-stream.js';
import { addStreamRoutes } from './stream/stream-routes.js';
import { addTraceRoutes } from './trace-routes.js';
import { addHealthRoute, addViewRoutes } from './view-routes.js';

export interface OpsServerParts {
  /** server.http_addr; null is off. */
  readonly httpAddr: Address | null;
  /** server.metrics_addr; null is off. */
  readonly metricsAddr: Address | null;
  /** ops.admin_token; null: only callers on this machine may change things. */
  readonly adminToken: string | null;
  /** ops.read_token; null: everyone may look. */
  readonly readToken: string | null;
  /** Of both listeners; null: plain HTTP. */
  readonly tls: ListenerTls | null;
  /** The address of a caller, for the log. */
  readonly callerOf: (request: IncomingMessage) => string;
  readonly source: OpsSource;
  readonly controls: OpsControls;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** Shown in /health. */
  readonly version: string;
  /** Where the console's files are; null: it is off. */
  readonly consoleFolder: string | null;
  /** Within which a whole request must have come, ms; default 10 s. */
  readonly requestTimeout?: number;
}

/** What operators see: the HTTP API, and Prometheus on a port of its own. */
export class OpsServer {
  /** Idempotent; nothing keeps listening when it fails. @throws {StartupError} for a port in use. */
  readonly start = memoised(() => this.run());
  /** Idempotent, also before start. */
  readonly stop = memoised(async () => {
    this.monitor.stop();
    this.stream.stop();
    await Promise.all([this.http?.stop(), this.prometheus?.stop()]);
  });

  private readonly monitor: ProcessMonitor;
  private readonly stream: StatsStream;
  private readonly http: HttpListener | null;
  private readonly prometheus: HttpListener | null;
  private readonly admins: AdminGate;
  private readonly admin: RouteShorthandOptions;
  private readonly reader: RouteShorthandOptions;

  constructor(private readonly parts: OpsServerParts) {
    const { metrics, clock } = parts;
    const stages = stagesOf(metrics);
    this.admins = new AdminGate(parts.adminToken);
    this.admin = onlyFor(this.admins, metrics.ops.adminRefused);
    const readers = new ReadGate(parts.readToken, this.admins);
    this.reader = onlyFor(readers, metrics.ops.readsRefused);
    this.monitor = new ProcessMonitor(clock, Object.values(stages));
    const { monitor } = this;
    metrics.eventLoop.observe(monitor.eventLoop);
    this.stream = new StatsStream(new StatsSampler({ ...parts, monitor, stages }), clock);
    this.http = this.listener(parts.httpAddr, 'server.http_addr');
    this.prometheus = this.listener(parts.metricsAddr, 'server.metrics_addr');
    if (this.http !== null) this.addApi(this.http);
    if (this.prometheus !== null) this.addMetrics(this.prometheus);
  }

  /** The ports that were bound; 0 where a listener is off. */
  get httpPort(): number {
    return this.http?.port ?? 0;
  }

  get metricsPort(): number {
    return this.prometheus?.port ?? 0;
  }

  /** New connections see this certificate from now on. Only where it was started with one. */
  useTls(tls: ListenerTls): void {
    this.http?.useTls(tls);
    this.prometheus?.useTls(tls);
  }

  private listener(address: Address | null, key: string): HttpListener | null {
    const { log, tls, requestTimeout } = this.parts;
    return address && new HttpListener(address, key, log, tls, requestTimeout);
  }

  private async run(): Promise<void> {
    try {
      if (this.http !== null || this.prometheus !== null) this.monitor.start();
      await this.http?.start();
      await this.prometheus?.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  private addApi(http: HttpListener): void {
    const { admin, reader } = this;
    addHealthRoute(http, { ...this.parts, reader });
    addViewRoutes(http, { ...this.parts, reader });
    this.addPerformance(http);
    addControlRoutes(http, { ...this.parts, admin, reader });
    addPairRoutes(http, { ...this.parts, admin, reader });
    addTraceRoutes(http, { ...this.parts, admin });
    addProfileRoutes(http, new Profiler(this.parts.clock), admin);
    const { stream } = this;
    const isAdmin = (request: FastifyRequest) => this.admins.refusal(askedBy(request)) === null;
    addStreamRoutes(http, { ...this.parts, stream, reader, isAdmin });
    this.addConsole(http);
  }

  private addConsole(http: HttpListener): void {
    const { consoleFolder, log } = this.parts;
    if (consoleFolder === null) return;
    const files = readConsole(consoleFolder);
    if (files === null) log.warn('there is no console: it was not built (make build)');
    else addConsoleRoutes(http, files);
  }

  private addPerformance({ routes }: HttpListener): void {
    const { metrics, clock } = this.parts;
    const stages = stagesOf(metrics);
    routes.get('/performance', this.reader, () =>
      performanceBody(this.monitor, stages, clock.wallTime()),
    );
  }

  private addMetrics(prometheus: HttpListener): void {
    const { registry } = this.parts.metrics;
    const { reader } = this;
    addHealthRoute(prometheus, { ...this.parts, reader });
    prometheus.routes.get('/metrics', reader, async (_, reply) =>
      reply.header('content-type', registry.contentType).send(await registry.metrics()),
    );
  }
}

/** What a request goes through, in order, and all of it together. */
function stagesOf({ session, upstream, quic }: Metrics): Stages {
  return {
    decode: session.decode.window,
    upstream: upstream.latency,
    encode: session.encode.window,
    flush: quic.flush.window,
    request: session.latency,
  };
}

/** Says why somebody may not, or null. */
interface Gate {
  refusal(asked: AskedBy): string | null;
}

function askedBy({ raw }: FastifyRequest): AskedBy {
  return { peer: raw.socket.remoteAddress, headers: raw.headers };
}

/** Looks at who asks before a byte of the body is read. */
function onlyFor(gate: Gate, refused: Tally): RouteShorthandOptions {
  return {
    onRequest: (request: FastifyRequest, _, done) => {
      const refusal = gate.refusal(askedBy(request));
      if (refusal === null) return done();
      refused.add();
      done(new HttpRefusal(401, refusal));
    },
  };
}
