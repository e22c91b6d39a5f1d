import { textWithin } from '../base/text-within.js';
import { CapsuleType, encodeCapsule } from './capsule-reader.js';
import { streamFault } from './http3-fault.js';

const CODE_BYTES = 4;
/** Longest reason in UTF-8 bytes that a peer need read (draft-ietf-webtrans-http3, "Session Termination"). */
const MAX_REASON_BYTES = 1_024;

/** The longest value of a CLOSE_WEBTRANSPORT_SESSION capsule. */
export const MAX_CLOSE_BYTES = CODE_BYTES + MAX_REASON_BYTES;

/** Why a session ended, in its application's words. */
export interface SessionClose {
  readonly code: number;
  readonly reason: string;
}

/** The capsule that ends a session; a reason that is too long is cut. */
export function encodeSessionClose(code: number, reason: string): Buffer {
  const text = Buffer.from(textWithin(reason, MAX_REASON_BYTES));
  const value = Buffer.alloc(CODE_BYTES + text.length);
  value.writeUInt32BE(code);
  text.copy(value, CODE_BYTES);
  return encodeCapsule(CapsuleType.CLOSE_WEBTRANSPORT_SESSION, value);
}

/**
 * Reads the value of that capsule.
 * @throws {Http3Fault} MESSAGE_ERROR, for the stream, where it is shorter than its code.
 */
export function decodeSessionClose(value: Uint8Array): SessionClose {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  if (bytes.length < CODE_BYTES) throw streamFault('MESSAGE_ERROR', 'a close capsule without code');
  return { code: bytes.readUInt32BE(), reason: bytes.toString('utf8', CODE_BYTES) };
}
