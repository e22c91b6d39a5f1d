import type { FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify';
import type { HttpListener } from './http-listener.js';
import { HttpRefusal } from './http-refusal.js';
import type { Profiler } from './pprof/profiler.js';
import { whole } from './query.js';

/** Longer profiles tell nothing more, and hold memory for every sample. */
const MAX_SECONDS = 60;
/** As in Go. */
const DEFAULT_CPU_SECONDS = 30;
const DEFAULT_HEAP_SECONDS = 10;

const INDEX = [
  {
    path: '/debug/pprof/profile',
    what: 'where CPU time goes',
    default_seconds: DEFAULT_CPU_SECONDS,
  },
  {
    path: '/debug/pprof/heap',
    what: 'what is allocated meanwhile and still in use',
    default_seconds: DEFAULT_HEAP_SECONDS,
  },
];

/** Profiles of the running gateway, for `go tool pprof`; all for admins only. */
export function addProfileRoutes(
  { routes }: HttpListener,
  profiler: Profiler,
  admin: RouteShorthandOptions,
): void {
  const index = () => ({ busy: profiler.busy, max_seconds: MAX_SECONDS, profiles: INDEX });
  routes.get('/debug/pprof', admin, index);
  routes.get('/debug/pprof/', admin, index);
  routes.get('/debug/pprof/profile', admin, (request, reply) => {
    const duration = secondsOf(request, DEFAULT_CPU_SECONDS) * 1000;
    return answer(profiler, 'cpu', request, reply, (signal) => profiler.cpu(duration, signal));
  });
  routes.get('/debug/pprof/heap', admin, (request, reply) => {
    const duration = secondsOf(request, DEFAULT_HEAP_SECONDS) * 1000;
    const collect = whole(request.query as Record<string, unknown>, 'gc', 0, 1, 0) === 1;
    const take = (signal: AbortSignal) => profiler.heap(duration, collect, signal);
    return answer(profiler, 'heap', request, reply, take);
  });
}

function secondsOf({ query }: FastifyRequest, fallback: number): number {
  return whole(query as Record<string, unknown>, 'seconds', 1, MAX_SECONDS, fallback);
}

async function answer(
  profiler: Profiler,
  name: string,
  request: FastifyRequest,
  reply: FastifyReply,
  take: (signal: AbortSignal) => Promise<Buffer>,
): Promise<FastifyReply> {
  if (profiler.busy) throw new HttpRefusal(409, 'another profile is being taken, try later');
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  // Nothing is sent while the profile is taken; the limit for idle sockets is shorter.
  request.raw.socket.setTimeout(0);
  const profile = await take(gone.signal);
  return reply
    .type('application/octet-stream')
    .header('content-disposition', `attachment; filename="gatesvr-${name}.pb.gz"`)
    .send(profile);
}
