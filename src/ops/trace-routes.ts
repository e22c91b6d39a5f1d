import type { FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../telemetry/log.js';
import type { HttpListener } from './http-listener.js';
import { HttpRefusal } from './http-refusal.js';
import type { OpsSource, SessionDetail } from './ops-source.js';
import { whole } from './query.js';
import { TraceStream } from './trace-stream.js';

/** Each decodes once more what its client sends and gets; more people seldom look at once. */
export const MAX_TRACE_LISTENERS = 16;
/** As long as an openid may be; nobody has a longer one. */
const MAX_OPENID_BYTES = 128;
/** Below what proxies and browsers take for a dead connection, ms. */
const KEEP_ALIVE_MS = 10_000;

interface TraceParts {
  readonly source: OpsSource;
  readonly clock: Clock;
  readonly log: Logger;
  /** Lets only those pass who may change things. */
  readonly admin: RouteShorthandOptions;
  readonly callerOf: (request: IncomingMessage) => string;
}

/** GET /trace: what happens to one client, as it happens (docs/OPERATIONS.md, "Live trace"). */
export function addTraceRoutes({ routes }: HttpListener, parts: TraceParts): void {
  let listeners = 0;
  // A HEAD would be answered by a stream that never ends.
  const options = { ...parts.admin, exposeHeadRoute: false };
  routes.get('/trace', options, (request, reply) => {
    const openid = openidOf(request, parts.source);
    const withContent = whole(request.query as Record<string, unknown>, 'payload', 0, 1, 0) === 1;
    if (listeners >= MAX_TRACE_LISTENERS) {
      throw new HttpRefusal(503, `${MAX_TRACE_LISTENERS} listen already, try later`);
    }
    listeners++;
    const end = follow(openid, withContent, request, reply, parts);
    request.raw.socket.once('close', () => {
      listeners--;
      end();
    });
  });
}

/** Answers with a stream that ends with its connection. @returns ends it on our side. */
function follow(
  openid: string,
  withContent: boolean,
  request: FastifyRequest,
  reply: FastifyReply,
  { source, clock, log, callerOf }: TraceParts,
): () => void {
  const response = reply.raw;
  const by = callerOf(request.raw);
  log.info({ openid, payload: withContent, by }, 'an operator follows a client');
  reply.hijack();
  // Nothing may be sent for a while; the limit for idle sockets is shorter than a quiet client.
  request.raw.socket.setTimeout(0);
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // The connection is not used again: it ends when the listener leaves.
    connection: 'close',
    // nginx would collect what it passes on.
    'x-accel-buffering': 'no',
  });
  const stream = new TraceStream(response, withContent, (run) => void setImmediate(run));
  response.on('drain', () => stream.onDrain());
  const session = source.sessionOf(openid);
  stream.add('open', {
    at: clock.wallTime(),
    openid,
    session: session?.sessionId ?? null,
    connection: null,
    payload: withContent,
    sessions: session === null ? [] : [sessionBody(session)],
  });
  const unfollow = source.follow(openid, stream);
  const stopKeepAlive = clock.every(KEEP_ALIVE_MS, () => stream.keepAlive());
  return () => {
    stopKeepAlive();
    unfollow();
    stream.end();
  };
}

function sessionBody(session: SessionDetail) {
  return {
    session: session.sessionId,
    state: session.state,
    zone: session.zone,
    transport: session.transport,
    remote: session.remoteAddress,
    connected_at: session.connectedAt,
    next_client_seq: session.nextClientSeq,
    next_push_seq: session.nextPushSeq,
    acknowledged: session.acknowledged,
  };
}

/** Whom the query names. @throws {HttpRefusal} 400, 404 */
function openidOf({ query }: FastifyRequest, source: OpsSource): string {
  const { openid, session } = query as { openid?: unknown; session?: unknown };
  if (typeof session === 'string' && openid === undefined) {
    const found = source.session(session);
    if (found === null) throw new HttpRefusal(404, 'no such session');
    return found.openid;
  }
  const given = typeof openid === 'string' && session === undefined ? openid : '';
  if (given !== '' && Buffer.byteLength(given) <= MAX_OPENID_BYTES) return given;
  const limit = `at most ${MAX_OPENID_BYTES} bytes`;
  throw new HttpRefusal(400, `give openid=, ${limit}, or session=, the id of a session`);
}
