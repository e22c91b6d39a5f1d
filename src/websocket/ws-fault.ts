import { textWithin } from '../base/text-within.js';
import { ErrorCode, describeError } from '../wire/error-catalogue.js';
import { MAX_FRAME_BYTES } from '../wire/limits.js';

/** Close codes that the WebSocket registry already has a word for (RFC 6455 section 7.4.1). */
export const WsCloseCode = {
  /** STOP or any other end without complaint. */
  Normal: 1000,
  GoingAway: 1001,
  /** The bytes break RFC 6455; sent by the ws library. */
  ProtocolError: 1002,
  /** Text where binary is due, or the other way round. */
  WrongType: 1003,
  /** The peer's close frame had no code. */
  NoStatus: 1005,
  /** The text is no JSON, or no UTF-8. */
  InvalidData: 1007,
  /** Far too many fragments or tiny pieces for one message. */
  TooManyParts: 1008,
  /** A message above the limit, fragmented or not. */
  TooBig: 1009,
} as const;

/** Private codes (RFC 6455 section 7.4.2) carry the error catalogue: 4409 is 409. */
const PRIVATE_BASE = 4000;

/** A close frame's reason has 123 bytes at most (RFC 6455 section 5.5). */
const MAX_REASON_BYTES = 123;

/**
 * A message that cannot be taken. `code` is what the session layer hears, `closeCode` what the close
 * frame then carries: WebSocket's own where it has one.
 */
export class WsFault extends Error {
  constructor(
    readonly code: ErrorCode,
    reason: string,
    readonly closeCode: number = closeCodeOf(code),
  ) {
    super(reason);
    this.name = 'WsFault';
  }
}

/** The close code that carries an error code: 4000 + code, and 1000 for a plain end. */
export function closeCodeOf(code: ErrorCode): number {
  return code === ErrorCode.None ? WsCloseCode.Normal : PRIVATE_BASE + code;
}

/** The error code that a peer's close frame carried; 0 where it carried none of ours. */
export function errorCodeOf(closeCode: number): number {
  const code = closeCode - PRIVATE_BASE;
  return describeError(code) === undefined ? 0 : code;
}

/** The longest beginning of a reason that fits into a close frame, whole characters only. */
export function closeReason(reason: string): string {
  return textWithin(reason, MAX_REASON_BYTES);
}

const TOO_BIG = `message too large, the limit is ${MAX_FRAME_BYTES} bytes`;

/** What the ws library found wrong with the bytes of a peer; it has sent the close frame already. */
export function faultOfLibrary(error: Error): WsFault {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
    case 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH':
      return new WsFault(ErrorCode.TooLarge, TOO_BIG, WsCloseCode.TooBig);
    case 'WS_ERR_TOO_MANY_BUFFERED_PARTS':
      return new WsFault(ErrorCode.TooLarge, error.message, WsCloseCode.TooManyParts);
    case 'WS_ERR_INVALID_UTF8':
      return new WsFault(ErrorCode.BadFrame, 'text is not UTF-8', WsCloseCode.InvalidData);
    default:
      return new WsFault(ErrorCode.BadFrame, error.message, WsCloseCode.ProtocolError);
  }
}
