import { ErrorCode } from '../wire/error-catalogue.js';
import type { Frame } from '../wire/frame-encoder.js';
import { FRAME_PREFIX_BYTES, MAX_FRAME_BYTES } from '../wire/limits.js';
import { WsCloseCode, WsFault } from './ws-fault.js';

/** How the frames of a Link look as WebSocket messages: one of each per frame. */
export interface WsCodec {
  /** Of the Link; a metric label. */
  readonly transport: string;
  /** The message for a whole frame, prefix included: a string is sent as text. */
  encode(frame: Frame): Uint8Array | string;
  /**
   * The frame, without prefix, that a message carries. It may alias the message.
   * @throws {WsFault} and nothing else.
   */
  decode(message: Buffer, binary: boolean): Uint8Array;
}

/** Subprotocol `gatesvr`: a binary message is the protobuf as it is, without a length prefix. */
export const binaryCodec: WsCodec = {
  transport: 'websocket',
  encode: (frame) => frame.subarray(FRAME_PREFIX_BYTES),
  decode: (message, binary) => {
    if (!binary) {
      const reason = 'subprotocol gatesvr takes binary messages, this was text';
      throw new WsFault(ErrorCode.BadFrame, reason, WsCloseCode.WrongType);
    }
    return checkedFrame(message);
  },
};

/** Holds a frame from a message to the limits of any frame (WIRE.md, "Client edge"). */
export function checkedFrame(frame: Uint8Array): Uint8Array {
  if (frame.length === 0) throw new WsFault(ErrorCode.BadFrame, 'frame of length 0');
  if (frame.length > MAX_FRAME_BYTES) {
    const reason = `frame of ${frame.length} bytes, the limit is ${MAX_FRAME_BYTES}`;
    throw new WsFault(ErrorCode.TooLarge, reason, WsCloseCode.TooBig);
  }
  return frame;
}
