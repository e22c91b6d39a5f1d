import type { FastifyRequest, RouteShorthandOptions } from 'fastify';
import type { Clock } from '../../base/clock.js';
import { seconds } from '../health-body.js';
import type { HttpListener } from '../http-listener.js';
import type { StatsStream } from './stats-stream.js';

interface StreamParts {
  readonly stream: StatsStream;
  readonly clock: Clock;
  readonly version: string;
  /** Lets only those pass who may look. */
  readonly reader: RouteShorthandOptions;
  /** Whether this caller may change things, too. */
  readonly isAdmin: (request: FastifyRequest) => boolean;
}

/** GET /stats/stream: what /stats and /performance tell, each second, as server-sent events. */
export function addStreamRoutes({ routes }: HttpListener, parts: StreamParts): void {
  const { stream, clock, version, reader, isAdmin } = parts;
  const startedAt = clock.now();
  // HEAD would open a stream as well.
  const options = { ...reader, exposeHeadRoute: false };
  routes.get('/stats/stream', options, (request, reply) => {
    // As the wall clock has it now: it may have been set since.
    const started = seconds(clock.wallTime() - (clock.now() - startedAt));
    stream.open(reply, { version, admin: isAdmin(request), started });
  });
}
