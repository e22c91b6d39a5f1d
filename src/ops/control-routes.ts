import type { FastifyRequest } from 'fastify';
import { LOG_LEVELS } from '../telemetry/log-level.js';
import type { LogLevelName } from '../telemetry/log-level.js';
import type { HttpListener } from './http-listener.js';
import { HttpRefusal } from './http-refusal.js';
import type { RouteParts } from './route-parts.js';
import { sessionDetailBody } from './stats-body.js';

/** Session ids are 32 hexadecimal digits; ids of restored state may be others, but never a path. */
const SESSION_ID = /^[\w-]{1,64}$/;
/** What a kicked client is told; it goes into one small frame. */
const MAX_REASON_CHARACTERS = 200;

/** What operators do: look at one session, end it, drain the gateway, change what is logged. */
export function addControlRoutes({ routes }: HttpListener, parts: RouteParts): void {
  const { source, controls, admin, reader, callerOf, log } = parts;
  routes.get('/sessions/:id', reader, (request) => {
    const session = source.session(sessionIdOf(request));
    if (session === null) throw new HttpRefusal(404, 'no such session');
    return sessionDetailBody(session);
  });
  routes.post('/sessions/:id/kick', admin, (request) => {
    const id = sessionIdOf(request);
    const reason = reasonOf(request.body);
    if (!controls.kick(id, reason)) throw new HttpRefusal(404, 'no such session');
    log.info({ session: id, reason, by: callerOf(request.raw) }, 'an operator ended a session');
    return { session_id: id, kicked: true };
  });
  routes.post('/drain', admin, (request, reply) => {
    if (!controls.drain()) throw new HttpRefusal(409, 'the gateway is still starting');
    log.warn({ by: callerOf(request.raw) }, 'an operator drains the gateway');
    return reply.code(202).send(source.readiness());
  });
  routes.get('/log/level', reader, () => ({ level: controls.logLevel() }));
  routes.put('/log/level', admin, (request) => {
    const level = levelOf(request.body);
    controls.setLogLevel(level);
    log.warn({ level, by: callerOf(request.raw) }, 'an operator set the log level');
    return { level };
  });
}

function sessionIdOf({ params }: FastifyRequest): string {
  const { id } = params as { id: string };
  if (SESSION_ID.test(id)) return id;
  throw new HttpRefusal(404, 'no such session');
}

function reasonOf(body: unknown): string {
  if (body === undefined || body === null) return 'ended by an operator';
  const { reason = 'ended by an operator' } = fieldsOf(body, 'reason');
  if (typeof reason === 'string' && /^[^\p{Cc}]+$/u.test(reason)) {
    if (reason.length <= MAX_REASON_CHARACTERS) return reason;
  }
  const wanted = `one line of at most ${MAX_REASON_CHARACTERS} characters`;
  throw new HttpRefusal(400, `reason must be ${wanted}`);
}

/** The fields of a body. @throws {HttpRefusal} 400 where it is no object or has others than this one. */
function fieldsOf(body: unknown, name: string): Readonly<Record<string, unknown>> {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  const others = isObject ? Object.keys(body).filter((key) => key !== name) : [''];
  if (isObject && others.length === 0) return { ...body };
  throw new HttpRefusal(400, `give a JSON object with ${name} and nothing else`);
}

function levelOf(body: unknown): LogLevelName {
  const { level } = fieldsOf(body, 'level');
  const known = LOG_LEVELS.find((name) => name === level);
  if (known !== undefined) return known;
  throw new HttpRefusal(400, `give {"level": "info"}, one of ${LOG_LEVELS.join(', ')}`);
}
