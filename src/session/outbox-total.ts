import { FRAME_COST_BYTES } from './push-cost.js';

/**
 * Bytes that wait for the clients of all sessions together, with what keeping them costs: every outbox has a copy
 * of its own, so that one broadcast to many takes as much as many pushes. Only pushes ask whether there is room;
 * answers were promised, and what a restart or a promotion brings back was accepted.
 */
export class OutboxTotal {
  /** Kept by the outboxes. */
  bytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** @param bytes of the push itself. */
  hasRoomForPush(bytes: number): boolean {
    return this.bytes + FRAME_COST_BYTES + bytes <= this.maxBytes;
  }
}
