/**
 * Bytes that wait for the clients of all sessions together: every outbox has a copy of its own, so that one
 * broadcast to many takes as much as many pushes. Only pushes ask whether there is room; answers were promised,
 * and what a restart or a promotion brings back was accepted.
 */
export class OutboxTotal {
  /** Kept by the outboxes. */
  bytes = 0;

  constructor(private readonly maxBytes: number) {}

  hasRoomForPush(bytes: number): boolean {
    return this.bytes + bytes <= this.maxBytes;
  }
}
