import { textWithin } from '../base/text-within.js';
import type { Field } from '../http3/qpack-static-table.js';

/** Names of the trailers that tell how a Link ended (docs/PROTOCOL.md, "HTTP/3"). */
const CODE = 'gatesvr-code';
const REASON = 'gatesvr-reason';

/** Longest reason in UTF-8 bytes, as in a CONNECTION_CLOSE of ours. */
const MAX_REASON_BYTES = 256;

const DEFAULT = { code: 0, reason: 'peer finished' } as const;

/** The trailers behind the last frame: a code of the error catalogue, and why, percent-encoded. */
export function closeTrailers(code: number, reason: string): Field[] {
  const text = textWithin(reason, MAX_REASON_BYTES);
  return [
    [CODE, String(code)],
    [REASON, encodeURIComponent(text).replaceAll('%20', ' ').trim()],
  ];
}

/** What a peer's trailers say; without them it ended as it liked. */
export function closeOfTrailers(trailers: ReadonlyMap<string, string> | null): {
  code: number;
  reason: string;
} {
  const code = trailers?.get(CODE) ?? '';
  if (!/^\d{1,3}$/.test(code)) return DEFAULT;
  return { code: Number(code), reason: decoded(trailers?.get(REASON) ?? '') };
}

function decoded(reason: string): string {
  const text = reason.slice(0, 3 * MAX_REASON_BYTES);
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
