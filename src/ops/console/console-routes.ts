import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpListener } from '../http-listener.js';
import { HttpRefusal } from '../http-refusal.js';
import { PAGE } from './console-files.js';
import type { ConsoleFile } from './console-files.js';

/**
 * The page loads from here and talks to here, and to nobody else; no script or style stands in the
 * page, no text becomes markup, and nobody frames it.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** A year, in s: as long as caches keep anything. */
const FOR_EVER = 'public, max-age=31536000, immutable';

/** The console. Everybody may load it: it has no data, and asks for that with the reader's token. */
export function addConsoleRoutes(
  { routes }: HttpListener,
  files: ReadonlyMap<string, ConsoleFile>,
): void {
  routes.get('/console', (request, reply) => answer(files.get(PAGE), request, reply));
  // Its links are relative, so that it works below any path of a proxy.
  routes.get('/console/', (_, reply) => reply.headers(HEADERS).redirect('../console', 308));
  routes.get('/console/:file', (request, reply) => {
    const { file } = request.params as { file: string };
    return answer(file === PAGE ? undefined : files.get(file), request, reply);
  });
}

function answer(file: ConsoleFile | undefined, request: FastifyRequest, reply: FastifyReply) {
  if (file === undefined) throw new HttpRefusal(404, 'no such page');
  const { type, bytes, etag, hashed } = file;
  void reply.headers({ ...HEADERS, etag, 'cache-control': hashed ? FOR_EVER : 'no-cache' });
  // RFC 9110 section 13.1.2: weak comparison.
  const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim());
  if (known.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)) {
    return reply.code(304).send();
  }
  return reply.type(type).send(bytes);
}
