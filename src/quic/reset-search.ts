import type { Clock } from '../base/clock.js';
import { AnswerRate } from './answer-rate.js';
import type { QuicConnection } from './quic-connection.js';
import { SOLE_PATH } from './quiche.js';

/** Datagrams looked at per second: as many as our servers answer with; a flood of noise costs no more. */
const SEARCHES_PER_SECOND = 1_000;

/** Connections that a datagram is offered to, at some microseconds each. */
const OFFERS = 16;

/** Connections that are looked at: those that wait for other peers. */
const LOOKS = 256;

/**
 * Finds the connection that a stateless reset is meant for (RFC 9000 section 10.3.1). A reset bears an id
 * that nobody knows and a token that only quiche knows, so connections have to be tried. One of those
 * that sent something and were not answered since it must be, most likely the one that waits longest,
 * for it answers what was sent; those that were tried stand behind all others next time.
 */
export class ResetSearch {
  /** In the order in which they were first not answered. */
  private readonly unanswered = new Set<QuicConnection>();
  private readonly rate: AnswerRate;

  constructor(clock: Clock) {
    this.rate = new AnswerRate(SEARCHES_PER_SECOND, clock);
  }

  /** The connection sent something. */
  spoke(connection: QuicConnection): void {
    this.unanswered.add(connection);
  }

  /** Something came for the connection, or it is gone. */
  heard(connection: QuicConnection): void {
    this.unanswered.delete(connection);
  }

  /** @returns whether the datagram reset a connection. */
  offer(datagram: Buffer, host: string, port: number): boolean {
    if (!this.rate.take()) return false;
    let looks = Math.min(this.unanswered.size, LOOKS);
    let offers = OFFERS;
    for (const connection of this.unanswered) {
      if (looks-- === 0 || offers === 0) break;
      this.unanswered.delete(connection);
      if (connection.peer.isAt(host, port)) {
        offers--;
        if (isReset(connection, datagram)) return true;
      }
      this.unanswered.add(connection);
    }
    return false;
  }
}

/**
 * Where it is, the connection learns of it in its next turn. quiche takes a reset for the end: the connection is
 * closed then, and does not drain.
 */
function isReset(connection: QuicConnection, datagram: Buffer): boolean {
  try {
    // A copy, for it is decrypted in place; in vain, whether it is a reset or not.
    connection.quiche.recv(Buffer.from(datagram), SOLE_PATH.recvInfo);
  } catch {
    return false;
  }
  if (!connection.quiche.isClosed()) return false;
  connection.requestFlush();
  return true;
}
