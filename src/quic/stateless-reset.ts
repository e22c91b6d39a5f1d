import { randomFillSync } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import { AnswerRate } from './answer-rate.js';
import type { ConnectionIdSource } from './connection-id.js';
import { CONNECTION_ID_BYTES, MIN_PACKET_BYTES, RESET_TOKEN_BYTES } from './limits.js';

/** Resets per second: enough to free the clients of a crashed gateway in seconds, too few to flood. */
const RESETS_PER_SECOND = 1_000;

/** Longer resets look no more like packets. */
const MAX_RESET_BYTES = 43;

/**
 * Stateless resets (RFC 9000 section 10.3) for packets of connections that this process does not
 * know: a client of a process that was killed learns of it at once, not after its idle timeout.
 */
export class StatelessResets {
  private readonly rate: AnswerRate;

  constructor(
    private readonly ids: ConnectionIdSource,
    clock: Clock,
  ) {
    this.rate = new AnswerRate(RESETS_PER_SECOND, clock);
  }

  /**
   * The reset that answers a short-header packet, or null where none may be sent: always shorter
   * than what it answers, so that two endpoints cannot keep resetting each other.
   */
  answerShort(datagram: Buffer): Buffer | null {
    return this.answer(datagram.subarray(1, 1 + CONNECTION_ID_BYTES), datagram.length);
  }

  /**
   * As `answerShort`, for a Handshake packet. Its sender has the token as soon as it could read our parameters, and
   * sends nothing else until it hears that its handshake was.
   * @param id its destination.
   */
  answerHandshake(id: Uint8Array, datagram: Buffer): Buffer | null {
    return id.length === CONNECTION_ID_BYTES ? this.answer(id, datagram.length) : null;
  }

  /** @param answered length of the datagram that came. */
  private answer(id: Uint8Array, answered: number): Buffer | null {
    const length = Math.min(answered - 1, MAX_RESET_BYTES);
    if (length < MIN_PACKET_BYTES || !this.rate.take()) return null;
    const reset = randomFillSync(Buffer.allocUnsafe(length));
    reset.writeUInt8(((reset[0] as number) & 0x3f) | 0x40, 0);
    this.ids.resetToken(id).copy(reset, length - RESET_TOKEN_BYTES);
    return reset;
  }
}
