import { integer, object, oneOf, ref, text } from './schema.js';
import type { Schema } from './schema.js';
import { schemas } from './schemas.js';

const TITLE = 'GateSvr operations';

interface Operation {
  readonly summary: string;
  /** Answer by status. */
  readonly responses: Readonly<Record<string, Schema>>;
  readonly parameters?: readonly Schema[];
  readonly body?: Schema;
  readonly bodyRequired?: boolean;
  /** Needs ops.admin_token, or a caller on the same machine. */
  readonly admin?: boolean;
  /** Needs no token even where ops.read_token is set. */
  readonly open?: boolean;
}

const sessionId = parameter('path', 'id', text);
const noSession = { 404: json('no such session') };
const seconds = (byDefault: number) =>
  parameter('query', 'seconds', { type: 'integer', minimum: 1, maximum: 60, default: byDefault });
const gzippedPprof = {
  description: 'gzipped pprof',
  content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
};
const busy = { 409: json('another profile is being taken') };

const index: Operation = {
  summary: 'The profiles there are',
  admin: true,
  responses: { 200: json('the profiles', ref('ProfileIndex')) },
};

/** Method and path of every endpoint of server.http_addr. */
const operations: Readonly<Record<string, Operation>> = {
  'get /live': {
    summary: 'Whether the process answers',
    open: true,
    responses: { 200: json('it does', object({ status: oneOf('alive') })) },
  },
  'get /ready': {
    summary: 'Whether clients should be sent here',
    open: true,
    responses: {
      200: json('they should', ref('Readiness')),
      503: json('they should not', ref('Readiness')),
    },
  },
  'get /ping': {
    summary: 'The time of the gateway, in ms since 1970',
    open: true,
    responses: { 200: json('pong', object({ status: oneOf('pong'), timestamp_ms: integer })) },
  },
  'get /health': {
    summary: 'Connections, upstreams, warnings',
    responses: { 200: json('how it is', ref('Health')) },
  },
  'get /stats': {
    summary: 'Totals, zones, upstreams, load, and sessions in pages, oldest first',
    parameters: [
      parameter('query', 'limit', { type: 'integer', minimum: 1, maximum: 1000, default: 100 }),
      parameter('query', 'cursor', text, 'next_cursor of the page before'),
      parameter('query', 'offset', integer, 'instead of cursor'),
      parameter('query', 'openid', { ...text, maxLength: 256 }, 'a prefix'),
      parameter('query', 'zone', { ...text, maxLength: 32 }, 'or a service'),
    ],
    responses: { 200: json('a page', ref('Stats')), 400: json('a parameter is wrong') },
  },
  'get /stats/stream': {
    summary: 'What /stats and /performance tell, each second, as server-sent events',
    responses: {
      200: {
        description: 'events `hello`, `history`, and `sample` from then on (docs/OPERATIONS.md)',
        content: { 'text/event-stream': { schema: text } },
      },
      503: json('too many listen already'),
    },
  },
  'get /routing': {
    summary: 'The routing rules that hold, in the order in which they are tried',
    responses: { 200: json('the first that matches decides', ref('Routing')) },
  },
  'get /performance': {
    summary: 'Event loop, garbage collection, memory, CPU, latency per stage',
    responses: { 200: json('over the last 10 to 20 s', ref('Performance')) },
  },
  'get /sessions/{id}': {
    summary: 'One session',
    parameters: [sessionId],
    responses: { 200: json('the session', ref('SessionDetail')), ...noSession },
  },
  'post /sessions/{id}/kick': {
    summary: 'Ends a session; its client is told why',
    admin: true,
    parameters: [sessionId],
    body: {
      type: 'object',
      additionalProperties: false,
      properties: { reason: { ...text, minLength: 1, maxLength: 200, description: 'one line' } },
    },
    responses: {
      200: json('it ended', object({ session_id: text, kicked: { const: true } })),
      400: json('the body is wrong'),
      ...noSession,
    },
  },
  'post /drain': {
    summary: 'Sends clients away and takes no more, until the gateway is restarted',
    admin: true,
    responses: { 202: json('begun', ref('Readiness')), 409: json('it is still starting') },
  },
  'get /backup/stats': {
    summary: 'The pair that this gateway belongs to: role, epoch, lag',
    responses: { 200: json('how it stands', ref('Pair')), 404: json('it is not one of a pair') },
  },
  'post /backup/switch': {
    summary: 'Begins a planned switch of a pair: both change roles, nothing is lost',
    admin: true,
    parameters: [
      {
        ...parameter('query', 'mode', oneOf('primary', 'backup'), 'what this gateway shall become'),
        required: true,
      },
    ],
    responses: {
      202: json('begun', ref('Pair')),
      400: json('mode is missing or wrong'),
      404: json('it is not one of a pair'),
      409: json('it has that role already, or no backup is in sync'),
    },
  },
  'post /backup/solo': {
    summary: 'Says that the peer is gone: a gateway of a pair that waits for it serves alone',
    admin: true,
    responses: {
      200: json('it serves', ref('Pair')),
      404: json('it is not one of a pair'),
      409: json('it serves already, or the peer was heard just now'),
    },
  },
  'get /log/level': {
    summary: 'Least important lines that are written',
    responses: { 200: json('the level', ref('LogLevel')) },
  },
  'put /log/level': {
    summary: 'Sets the level until the next restart, or until a reload brings another log.level',
    admin: true,
    body: ref('LogLevel'),
    bodyRequired: true,
    responses: { 200: json('it holds', ref('LogLevel')), 400: json('no such level') },
  },
  'get /trace': {
    summary: 'What happens to one client, as it happens (OPERATIONS.md, "Live trace")',
    admin: true,
    parameters: [
      parameter('query', 'openid', { ...text, maxLength: 128 }, 'whom to follow'),
      parameter('query', 'session', text, 'instead of openid: whose session it is'),
      parameter('query', 'payload', { type: 'integer', enum: [0, 1] }, '1: contents as well'),
    ],
    responses: {
      200: {
        description: 'events, until the caller leaves',
        content: { 'text/event-stream': { schema: { type: 'string' } } },
      },
      400: json('a parameter is missing or wrong'),
      503: json('too many listen already'),
      ...noSession,
    },
  },
  'get /debug/pprof': index,
  'get /debug/pprof/': index,
  'get /debug/pprof/profile': {
    summary: 'Where CPU time goes',
    admin: true,
    parameters: [seconds(30)],
    responses: { 200: gzippedPprof, 400: json('seconds is wrong'), ...busy },
  },
  'get /debug/pprof/heap': {
    summary: 'What is allocated meanwhile and still in use',
    admin: true,
    parameters: [
      seconds(10),
      parameter('query', 'gc', { type: 'integer', enum: [0, 1] }, '1: collect garbage first'),
    ],
    responses: { 200: gzippedPprof, 400: json('a parameter is wrong'), ...busy },
  },
  'get /openapi.json': {
    summary: 'This document',
    responses: { 200: json('OpenAPI 3.1', { type: 'object' }) },
  },
};

/** The OpenAPI 3.1 document of server.http_addr; docs/openapi.json is a copy. */
export function openApiDocument(version: string) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, operation] of Object.entries(operations)) {
    const [method = '', path = ''] = name.split(' ');
    (paths[path] ??= {})[method] = render(operation);
  }
  return {
    openapi: '3.1.0',
    info: { title: TITLE, version, license: { name: 'MIT', identifier: 'MIT' } },
    paths,
    components: {
      schemas,
      securitySchemes: {
        admin: { type: 'http', scheme: 'bearer', description: 'ops.admin_token' },
        reader: { type: 'http', scheme: 'bearer', description: 'ops.read_token' },
      },
    },
  };
}

function render({ summary, responses, parameters, body, bodyRequired, admin, open }: Operation) {
  const refused = { 401: json(admin === true ? 'only for admins' : 'only for readers') };
  const who = admin === true ? [{ admin: [] }, {}] : [{ reader: [] }, { admin: [] }, {}];
  return {
    summary,
    ...(open === true ? {} : { security: who }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: bodyRequired === true,
            content: { 'application/json': { schema: body } },
          },
        }),
    responses: open === true ? responses : { ...responses, ...refused },
  };
}

/** An answer; without a schema it is an error. */
function json(description: string, schema: Schema = ref('Error')): Schema {
  return { description, content: { 'application/json': { schema } } };
}

function parameter(where: 'path' | 'query', name: string, schema: Schema, description?: string) {
  const told = description === undefined ? {} : { description };
  return { name, in: where, required: where === 'path', ...told, schema };
}
