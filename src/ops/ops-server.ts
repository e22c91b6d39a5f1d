import type { Clock } from '../base/clock.js';
import { memoised } from '../base/lifecycle.js';
import type { Address } from '../config/config.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { HttpListener, HttpRefusal } from './http-listener.js';
import type { OpsSource, SessionPage } from './ops-source.js';
import { healthBody, statsBody } from './responses.js';
import type { ProcessFacts } from './responses.js';

export interface OpsServerParts {
  /** server.http_addr; null is off. */
  readonly httpAddr: Address | null;
  /** server.metrics_addr; null is off. */
  readonly metricsAddr: Address | null;
  readonly source: OpsSource;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** Shown in /health. */
  readonly version: string;
}

/** Sessions of one /stats answer unless asked otherwise, and at most. */
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;

/** What operators see: the HTTP API, and Prometheus on a port of its own. */
export class OpsServer {
  /** Idempotent; nothing keeps listening when it fails. @throws StartupError for a port in use. */
  readonly start = memoised(() => this.run());
  /** Idempotent, also before start. */
  readonly stop = memoised(async () => {
    await Promise.all([this.http?.stop(), this.prometheus?.stop()]);
  });

  private readonly http: HttpListener | null;
  private readonly prometheus: HttpListener | null;
  private readonly startedAt: number;

  constructor(private readonly parts: OpsServerParts) {
    const { httpAddr, metricsAddr, log } = parts;
    this.startedAt = parts.clock.wallTime();
    this.http = httpAddr && new HttpListener(httpAddr, 'server.http_addr', log);
    this.prometheus = metricsAddr && new HttpListener(metricsAddr, 'server.metrics_addr', log);
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

  private async run(): Promise<void> {
    try {
      await this.http?.start();
      await this.prometheus?.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  private addApi({ routes }: HttpListener): void {
    const { source, clock } = this.parts;
    this.addHealth(routes);
    routes.get('/live', () => ({ status: 'alive' }));
    routes.get('/ready', (_, reply) => {
      const readiness = source.readiness();
      return reply.code(readiness.ready ? 200 : 503).send(readiness);
    });
    routes.get('/stats', (request) => {
      const page = pageOf(request.query as Record<string, unknown>);
      return statsBody(source.stats(page), page, clock.wallTime());
    });
  }

  private addMetrics({ routes }: HttpListener): void {
    const { registry } = this.parts.metrics;
    this.addHealth(routes);
    routes.get('/metrics', async (_, reply) =>
      reply.header('content-type', registry.contentType).send(await registry.metrics()),
    );
  }

  private addHealth(routes: HttpListener['routes']): void {
    const { source } = this.parts;
    routes.get('/health', () => healthBody(source.health(), source.readiness(), this.facts()));
  }

  private facts(): ProcessFacts {
    const { version, clock } = this.parts;
    return { version, startedAt: this.startedAt, now: clock.wallTime() };
  }
}

/** `?offset=` and `?limit=` of /stats. */
function pageOf(query: Record<string, unknown>): SessionPage {
  return {
    offset: whole(query, 'offset', 0, Number.MAX_SAFE_INTEGER, 0),
    limit: whole(query, 'limit', 1, MAX_PAGE, DEFAULT_PAGE),
  };
}

function whole(
  query: Record<string, unknown>,
  name: string,
  min: number,
  max: number,
  fallback: number,
): number {
  const text = query[name];
  if (text === undefined) return fallback;
  const value = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new HttpRefusal(400, `${name} must be a whole number from ${min} to ${max}`);
}
