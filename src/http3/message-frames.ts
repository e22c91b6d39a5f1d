import { SKIPPED, STREAMED } from './frame-reader.js';
import { FrameType, refuseReserved } from './frames.js';
import { connectionFault } from './http3-fault.js';
import type { Http3Fault } from './http3-fault.js';
import { MAX_FIELD_SECTION_BYTES } from './limits.js';
import { WebTransportSignal } from './webtransport.js';

/** What of a message was read last: nothing yet, its header section, or its trailers. */
export type MessagePhase = 'head' | 'body' | 'trailers';

/** Frames that belong on the control stream, and pushes, which we neither make nor allow. */
const ELSEWHERE: ReadonlySet<number> = new Set([
  FrameType.CANCEL_PUSH,
  FrameType.SETTINGS,
  FrameType.PUSH_PROMISE,
  FrameType.GOAWAY,
  FrameType.MAX_PUSH_ID,
  FrameType.PRIORITY_UPDATE_REQUEST,
  FrameType.PRIORITY_UPDATE_PUSH,
]);

/**
 * What a frame reader does with a frame of this type on a request stream (RFC 9114 section 4.1).
 * @param dataOnly after CONNECT: nothing but DATA follows the header section (section 4.4).
 * @param speaksWebTransport the signal of its streams may stand only where a stream begins; not here, then.
 * @throws {Http3Fault} for the connection, where it may not stand there.
 */
export function messageFramePolicy(
  type: number,
  phase: MessagePhase,
  dataOnly: boolean,
  speaksWebTransport: boolean,
): number {
  switch (type) {
    case FrameType.DATA:
      if (phase !== 'body') throw unexpected('DATA', phase);
      return STREAMED;
    case FrameType.HEADERS:
      if (phase === 'trailers') throw unexpected('HEADERS', phase);
      if (phase === 'body' && dataOnly) {
        throw connectionFault('FRAME_UNEXPECTED', 'HEADERS behind a CONNECT');
      }
      return MAX_FIELD_SECTION_BYTES;
    default:
      if (ELSEWHERE.has(type)) {
        const name = `frame type 0x${type.toString(16)}`;
        throw connectionFault('FRAME_UNEXPECTED', `${name} on a request stream`);
      }
      if (type === WebTransportSignal.BIDI && speaksWebTransport) {
        throw connectionFault('FRAME_ERROR', 'a WebTransport signal within a stream');
      }
      refuseReserved(type);
      return SKIPPED;
  }
}

function unexpected(frame: string, phase: MessagePhase): Http3Fault {
  const where = phase === 'head' ? 'before HEADERS' : 'behind the trailers';
  return connectionFault('FRAME_UNEXPECTED', `${frame} ${where}`);
}
