import { connectionFault } from './http3-fault.js';
import { varintSize, writeVarint } from './varint.js';

/** Frame types (RFC 9114 section 7.2, RFC 9218 section 7.2). */
export const FrameType = {
  DATA: 0x00,
  HEADERS: 0x01,
  CANCEL_PUSH: 0x03,
  SETTINGS: 0x04,
  PUSH_PROMISE: 0x05,
  GOAWAY: 0x07,
  MAX_PUSH_ID: 0x0d,
  PRIORITY_UPDATE_REQUEST: 0xf0700,
  PRIORITY_UPDATE_PUSH: 0xf0701,
} as const;

/** Types of unidirectional streams (RFC 9114 section 6.2, RFC 9204 section 4.2). */
export const StreamType = {
  CONTROL: 0x00,
  PUSH: 0x01,
  QPACK_ENCODER: 0x02,
  QPACK_DECODER: 0x03,
} as const;

/** Frames of HTTP/2 that have no place here (RFC 9114 section 7.2.8). */
const HTTP2_TYPES: ReadonlySet<number> = new Set([0x02, 0x06, 0x08, 0x09]);

/** @throws {Http3Fault} where the type must not be seen anywhere. */
export function refuseReserved(type: number): void {
  if (HTTP2_TYPES.has(type)) {
    throw connectionFault('FRAME_UNEXPECTED', `frame type 0x${type.toString(16)} of HTTP/2`);
  }
}

/** A whole frame. */
export function encodeFrame(type: number, payload: Uint8Array): Buffer {
  const header = varintSize(type) + varintSize(payload.length);
  const frame = Buffer.allocUnsafe(header + payload.length);
  frame.set(payload, writeVarint(frame, writeVarint(frame, 0, type), payload.length));
  return frame;
}

/** Headers of DATA frames with small payloads are made once: nearly all frames of clients are small. */
const KEPT_HEADERS = 4_096;
const keptHeaders: (Uint8Array | undefined)[] = [];

/** The header of a DATA frame whose payload has this length; shared, so never to be changed. */
export function dataHeader(length: number): Uint8Array {
  if (length >= KEPT_HEADERS) return makeDataHeader(length);
  return (keptHeaders[length] ??= makeDataHeader(length));
}

function makeDataHeader(length: number): Uint8Array {
  const header = Buffer.alloc(1 + varintSize(length));
  writeVarint(header, writeVarint(header, 0, FrameType.DATA), length);
  return header;
}
