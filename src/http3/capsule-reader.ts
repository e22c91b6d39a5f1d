import { FrameReader, SKIPPED } from './frame-reader.js';
import type { FramePolicy } from './frame-reader.js';
import { encodeFrame } from './frames.js';

/** Capsule types (RFC 9297 section 3.5; those of sessions are WebTransport's). */
export const CapsuleType = {
  DATAGRAM: 0x00,
  CLOSE_WEBTRANSPORT_SESSION: 0x2843,
  DRAIN_WEBTRANSPORT_SESSION: 0x78ae,
} as const;

/** A capsule has the shape of a frame: type, length, value (RFC 9297 section 3.2). */
export const encodeCapsule = encodeFrame;

/** The types that a reader wants, and how long their values may be. */
export type CapsuleLimits = ReadonlyMap<number, number>;

/**
 * Splits the data stream of a request into capsules. Those that nobody wants are skipped, of whatever
 * length; one that is too long is found `oversized`, and ends the request by the reader's choice.
 */
export class CapsuleReader extends FrameReader {
  constructor(limits: CapsuleLimits) {
    const policy: FramePolicy = (type) => limits.get(type) ?? SKIPPED;
    super(policy);
  }
}
