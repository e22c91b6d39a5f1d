import { FrameReader, SKIPPED } from './frame-reader.js';
import { FrameType, refuseReserved } from './frames.js';
import { connectionFault } from './http3-fault.js';
import { MAX_CONTROL_FRAME_BYTES } from './limits.js';
import { decodeSettings } from './settings.js';
import type { Settings } from './settings.js';
import { readVarint, varintLength } from './varint.js';

/** Frames that belong on request streams (RFC 9114 section 7.2). */
const ELSEWHERE: ReadonlySet<number> = new Set([
  FrameType.DATA,
  FrameType.HEADERS,
  FrameType.PUSH_PROMISE,
]);

/**
 * The client's control stream (RFC 9114 section 6.2.1): SETTINGS first and once. We push nothing, so
 * that ids of pushes are only checked; priorities (RFC 9218) are read over: answers are small.
 */
export class ControlStreamReader {
  /** What the peer announced, once it did. */
  settings: Settings | null = null;
  private maxPushId = -1;
  private lastPush = Infinity;
  private readonly reader = new FrameReader((type) => this.policyOf(type));

  /** @param onSettings called once. */
  constructor(private readonly onSettings: (settings: Settings) => void) {}

  /** @throws {Http3Fault} for the connection: every error on this stream is one. */
  read(bytes: Uint8Array): void {
    this.reader.feed(bytes);
    for (let found = this.reader.next(); found !== null; found = this.reader.next()) {
      if (found === 'oversized')
        throw connectionFault('EXCESSIVE_LOAD', 'a control frame too large');
      this.take(this.reader.type, this.reader.payload);
    }
    this.reader.detach();
  }

  private policyOf(type: number): number {
    if (this.settings === null && type !== FrameType.SETTINGS) {
      throw connectionFault('MISSING_SETTINGS', 'the first frame is not SETTINGS');
    }
    if (ELSEWHERE.has(type) || (type === FrameType.SETTINGS && this.settings !== null)) {
      const name = `frame type 0x${type.toString(16)}`;
      throw connectionFault('FRAME_UNEXPECTED', `${name} on the control stream`);
    }
    refuseReserved(type);
    const meant =
      type === FrameType.SETTINGS ||
      type === FrameType.GOAWAY ||
      type === FrameType.MAX_PUSH_ID ||
      type === FrameType.CANCEL_PUSH;
    return meant ? MAX_CONTROL_FRAME_BYTES : SKIPPED;
  }

  private take(type: number, payload: Uint8Array): void {
    switch (type) {
      case FrameType.SETTINGS:
        this.settings = decodeSettings(payload);
        this.onSettings(this.settings);
        return;
      case FrameType.CANCEL_PUSH:
        throw connectionFault('ID_ERROR', 'CANCEL_PUSH of a push that was never promised');
      case FrameType.MAX_PUSH_ID: {
        const id = soleVarint(payload);
        if (id < this.maxPushId) throw connectionFault('ID_ERROR', 'MAX_PUSH_ID goes down');
        this.maxPushId = id;
        return;
      }
      default: {
        // GOAWAY of a client names a push.
        const id = soleVarint(payload);
        if (id > this.lastPush) throw connectionFault('ID_ERROR', 'GOAWAY goes up');
        this.lastPush = id;
      }
    }
  }
}

/** The one integer that the payload is. */
function soleVarint(payload: Uint8Array): number {
  if (payload.length === 0 || varintLength(payload[0] as number) !== payload.length) {
    throw connectionFault('FRAME_ERROR', 'a frame of another length than its integer');
  }
  return readVarint(payload, 0);
}
