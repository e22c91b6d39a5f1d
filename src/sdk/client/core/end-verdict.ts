import { ErrorCode, TOKEN_EXPIRED, describeError } from '../../../wire/error-catalogue.js';
import type { ConnectionEnd } from './connection.js';

/** What a client does after a connection ended. */
export type EndVerdict = 'retry' | 'move-on' | 'redirect' | 'replaced' | 'refused';

/** Refusals of START that another START with the same content would meet again. */
const FINAL_FOR_START: ReadonlySet<number> = new Set([
  ErrorCode.BadFrame,
  ErrorCode.Unauthenticated,
  ErrorCode.Forbidden,
  ErrorCode.TooLarge,
]);

/**
 * Decides by the code (DESIGN.md, "Flow", and the error catalogue): retry at the same gateway, move
 * on to another address, follow a redirect, or end for good.
 */
export function verdictOn(end: ConnectionEnd): EndVerdict {
  if (end.by === 'local') return end.started ? 'retry' : 'move-on';
  if (end.code === ErrorCode.Replaced) return 'replaced';
  if (end.code === ErrorCode.NotPrimary) return end.detail === '' ? 'move-on' : 'redirect';
  // Not this START was refused: none reached the gateway within its limit, over a bad network perhaps.
  if (end.code === ErrorCode.Unauthenticated && !end.started && !end.startRefused) return 'move-on';
  // The session waits, and START asks for a token anew: only that may be refused for good.
  if (end.started && end.code === ErrorCode.Unauthenticated && saysExpired(end)) return 'retry';
  if (!end.started && FINAL_FOR_START.has(end.code)) return 'refused';
  if (describeError(end.code)?.mayReconnect === false) return 'refused';
  return end.started ? 'retry' : 'move-on';
}

/** The close alone says so where the last frame stayed unread. */
function saysExpired({ detail, reason }: ConnectionEnd): boolean {
  return detail === TOKEN_EXPIRED || reason === TOKEN_EXPIRED;
}
