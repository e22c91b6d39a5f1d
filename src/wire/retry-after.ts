/** Longest wait that is told or believed, ms: whoever is told more may as well come back and ask. */
const MAX_WAIT_MS = 60_000;

const PREFIX = 'retry_after_ms=';

/**
 * The detail of a 429 that passes by itself, also the reason of a close with it: how long to wait, in
 * whole ms, never too short.
 */
export function retryAfter(wait: number): string {
  return `${PREFIX}${Math.min(Math.ceil(wait), MAX_WAIT_MS)}`;
}

/** The ms that a detail asks to wait; 0 where it asks for nothing. */
export function retryAfterOf(detail: string): number {
  const text = detail.startsWith(PREFIX) ? detail.slice(PREFIX.length) : '';
  return /^\d{1,9}$/.test(text) ? Math.min(Number(text), MAX_WAIT_MS) : 0;
}
