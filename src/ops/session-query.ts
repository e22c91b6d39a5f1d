import { HttpRefusal } from './http-refusal.js';
import type { SessionQuery, SessionView } from './ops-source.js';
import { whole } from './query.js';

/** Sessions of one /stats answer unless asked otherwise, and at most. */
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;
/** As long as an openid may be; a longer prefix matches none. */
const MAX_PREFIX_CHARACTERS = 256;
/** A zone, or the name of a service. */
const MAX_ZONE_CHARACTERS = 32;

/** `?limit=`, `?cursor=` or `?offset=`, `?openid=` and `?zone=` of /stats. @throws {HttpRefusal} 400 */
export function sessionQuery(query: Record<string, unknown>): SessionQuery {
  if (query.cursor !== undefined && query.offset !== undefined) {
    throw new HttpRefusal(400, 'give cursor or offset, not both');
  }
  return {
    offset: whole(query, 'offset', 0, Number.MAX_SAFE_INTEGER, 0),
    limit: whole(query, 'limit', 1, MAX_PAGE, DEFAULT_PAGE),
    after: query.cursor === undefined ? 0 : parseCursor(query.cursor),
    openidPrefix: short(query, 'openid', MAX_PREFIX_CHARACTERS),
    zone: short(query, 'zone', MAX_ZONE_CHARACTERS),
  };
}

/** Where the next page begins; what is inside is nobody's business but ours. */
export function renderCursor({ ordinal }: Pick<SessionView, 'ordinal'>): string {
  return Buffer.from(`after ${ordinal}`).toString('base64url');
}

function parseCursor(text: unknown): number {
  const inside = typeof text === 'string' ? Buffer.from(text, 'base64url').toString() : '';
  const [, ordinal] = /^after (\d{1,15})$/.exec(inside) ?? [];
  if (ordinal !== undefined) return Number(ordinal);
  throw new HttpRefusal(400, 'cursor must be the next_cursor of another answer');
}

function short(query: Record<string, unknown>, name: string, most: number): string {
  const text = query[name] ?? '';
  if (typeof text === 'string' && text.length <= most) return text;
  throw new HttpRefusal(400, `${name} must be one text of at most ${most} characters`);
}
