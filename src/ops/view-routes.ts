import type { RouteShorthandOptions } from 'fastify';
import type { Clock } from '../base/clock.js';
import type { HttpListener } from './http-listener.js';
import { healthBody } from './health-body.js';
import type { OpsSource } from './ops-source.js';
import { openApiDocument } from './openapi/document.js';
import { routingBody } from './routing-body.js';
import { sessionQuery } from './session-query.js';
import { statsBody } from './stats-body.js';

interface ViewParts {
  readonly source: OpsSource;
  readonly clock: Clock;
  readonly version: string;
  /** Lets only those pass who may look. */
  readonly reader: RouteShorthandOptions;
}

/** What probes, balancers and dashboards ask. */
export function addViewRoutes({ routes }: HttpListener, parts: ViewParts): void {
  const { source, clock, reader } = parts;
  const document = openApiDocument(parts.version);
  routes.get('/openapi.json', reader, () => document);
  routes.get('/ping', () => ({ status: 'pong', timestamp_ms: Math.floor(clock.wallTime()) }));
  routes.get('/live', () => ({ status: 'alive' }));
  routes.get('/ready', (_, reply) => {
    const readiness = source.readiness();
    return reply.code(readiness.ready ? 200 : 503).send(readiness);
  });
  routes.get('/stats', reader, (request) => {
    const query = sessionQuery(request.query as Record<string, unknown>);
    return statsBody(source.stats(query), source.pair(), query, clock.wallTime());
  });
  routes.get('/routing', reader, () => routingBody(source.routing()));
}

/** GET /health, which both listeners answer. */
export function addHealthRoute({ routes }: HttpListener, parts: ViewParts): void {
  const { source, clock, version, reader } = parts;
  const startedAt = clock.now();
  routes.get('/health', reader, () => {
    const facts = { version, uptime: clock.now() - startedAt, now: clock.wallTime() };
    return healthBody(source.health(), source.readiness(), source.pair(), facts);
  });
}
