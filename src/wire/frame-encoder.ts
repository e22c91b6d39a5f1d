import protobuf from 'protobufjs/minimal.js';
import { FRAME_PREFIX_BYTES } from './limits.js';
import { ClientRequest, ServerPush } from './client-messages.js';
import type { PushType } from './client-messages.js';
import { checkedUint64 } from './uint64.js';
import { varintBytes, writeVarint } from './varint.js';

const MSG_ID_TAG = (1 << 3) | 0;
const SEQ_ID_TAG = (2 << 3) | 0;

/** A whole frame, length prefix included: the bytes that are sent, stored and replayed as they are. */
export type Frame = Uint8Array;

/**
 * The part of a ServerPush that does not depend on its receiver: type, payload and headers. A
 * broadcast encodes it once; a push that moves into a new incarnation keeps it.
 */
export type PushBody = Uint8Array;

/** Encodes fields 3 to 5 of a ServerPush. */
export function encodePushBody(
  type: PushType,
  payload: Uint8Array,
  headers?: Record<string, string>,
): PushBody {
  const message: { type: PushType; payload: Uint8Array; headers?: Record<string, string> } = {
    type,
    payload,
  };
  if (headers !== undefined) message.headers = headers;
  return ServerPush.encode(message).finish();
}

/**
 * Puts length, msg_id and seq_id before a body. Bytes: WIRE.md, ServerPush.
 * @throws {Uint64RangeError} where seqId is no integer from 0 to 2^53 - 1.
 */
export function encodePushFrame(msgId: number, seqId: number, body: PushBody): Frame {
  checkedUint64(seqId);
  const headBytes =
    (msgId === 0 ? 0 : 1 + varintBytes(msgId)) + (seqId === 0 ? 0 : 1 + varintBytes(seqId));
  const length = headBytes + body.length;
  const frame = Buffer.allocUnsafe(FRAME_PREFIX_BYTES + length);
  let offset = frame.writeUInt32BE(length, 0);
  if (msgId !== 0) {
    frame[offset++] = MSG_ID_TAG;
    offset = writeVarint(frame, offset, msgId);
  }
  if (seqId !== 0) {
    frame[offset++] = SEQ_ID_TAG;
    offset = writeVarint(frame, offset, seqId);
  }
  frame.set(body, offset);
  return frame;
}

/** The body of a frame that encodePushFrame made, as a view. */
export function pushBodyOf(frame: Frame): PushBody {
  let offset = FRAME_PREFIX_BYTES;
  if (frame[offset] === MSG_ID_TAG) offset = skipVarint(frame, offset + 1);
  if (frame[offset] === SEQ_ID_TAG) offset = skipVarint(frame, offset + 1);
  return frame.subarray(offset);
}

/** The seq_id of a frame that encodePushFrame made. */
export function frameSeqOf(frame: Frame): number {
  let offset = FRAME_PREFIX_BYTES;
  if (frame[offset] === MSG_ID_TAG) offset = skipVarint(frame, offset + 1);
  if (frame[offset] !== SEQ_ID_TAG) return 0;
  let value = 0;
  let unit = 1;
  do {
    value += ((frame[++offset] ?? 0) & 0x7f) * unit;
    unit *= 128;
  } while (((frame[offset] ?? 0) & 0x80) !== 0);
  return value;
}

/** A client's request as a whole frame. Runs in browsers too. */
export function encodeRequestFrame(request: Parameters<typeof ClientRequest.encode>[0]): Frame {
  const writer = ClientRequest.encode(request);
  const length = writer.len;
  const frame = protobuf.util.newBuffer(FRAME_PREFIX_BYTES + length);
  frame[0] = length >>> 24;
  frame[1] = length >>> 16;
  frame[2] = length >>> 8;
  frame[3] = length;
  frame.set(writer.finish(), FRAME_PREFIX_BYTES);
  return frame;
}

function skipVarint(bytes: Uint8Array, start: number): number {
  let offset = start;
  while (((bytes[offset] as number) & 0x80) !== 0) offset++;
  return offset + 1;
}
