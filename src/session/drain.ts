import { sleep } from '../base/clock.js';
import type { Clock } from '../base/clock.js';
import { ErrorCode } from '../wire/error-catalogue.js';
import { retryAfter } from '../wire/retry-after.js';
import type { ClientConnection } from './client-connection.js';

/** How often it looks who has got everything, ms. */
const POLL_MS = 20;

/**
 * Time per client over which they are told to move and asked to return, ms: a handshake costs whoever
 * takes them about one, so that their return fills half a core.
 */
const RETURN_MS = 2;

/** Even a few clients do not return within one instant, ms. */
const MIN_RETURN_MS = 1_000;
const MAX_RETURN_MS = 60_000;

/**
 * A client that acknowledges nothing for so long is not waited for, ms: what it was sent is kept, and
 * replayed when it returns. Longer than a round trip and a retransmission on a bad network.
 */
const ACK_PATIENCE_MS = 2_000;

/** A client that was told to move. */
interface Leaver {
  readonly connection: ClientConnection;
  /** The last number it must acknowledge; null while its requests are in flight. */
  target: number | null;
  acknowledged: number;
  /** When it acknowledged something for the last time (monotonic ms). */
  heardAt: number;
}

/**
 * Sends clients away without losing what is under way. One after another they are told to move (503,
 * `retry_after_ms`); from then on no request of theirs is taken. Each is closed once its requests are
 * answered and acknowledged, or when the time is up; what it has not acknowledged stays in its session. Requests
 * of clients that are away are waited for too: without an answer their outcome would be unknown.
 */
export class Drain {
  private readonly leavers = new Set<Leaver>();
  private waiting: ClientConnection[] = [];
  private told = 0;

  /**
   * @param connections those that are open; the Drain sees them go.
   * @param inFlight how many requests of all sessions have no answer.
   */
  constructor(
    private readonly connections: ReadonlyMap<ClientConnection, unknown>,
    private readonly inFlight: () => number,
    private readonly clock: Clock,
  ) {}

  /** Resolves once every client is gone, and answered. @param timeout ms; half of it is for telling them. */
  async run(timeout: number): Promise<void> {
    const { clock } = this;
    const began = clock.now();
    this.waiting = [...this.connections.keys()];
    const spread = Math.min(timeout / 2, this.waiting.length * RETURN_MS);
    for (;;) {
      const elapsed = clock.now() - began;
      this.tell(elapsed >= spread ? Infinity : (this.waiting.length * elapsed) / spread);
      const late = elapsed >= timeout;
      for (const leaver of this.leavers) this.look(leaver, late);
      const gone = this.leavers.size === 0 && this.told === this.waiting.length;
      if (gone && (late || this.inFlight() === 0)) return;
      await sleep(clock, POLL_MS);
    }
  }

  /** Tells the next ones, up to and with the one at this place. */
  private tell(place: number): void {
    const range = this.waiting.length * RETURN_MS;
    const most = Math.min(MAX_RETURN_MS, Math.max(MIN_RETURN_MS, range));
    for (; this.told < this.waiting.length && this.told <= place; this.told++) {
      const connection = this.waiting[this.told] as ClientConnection;
      if (!this.connections.has(connection)) continue;
      connection.tellToMove(retryAfter(1 + Math.random() * (most - 1)));
      const heardAt = this.clock.now();
      this.leavers.add({ connection, target: null, acknowledged: 0, heardAt });
    }
  }

  private look(leaver: Leaver, late: boolean): void {
    const { connection } = leaver;
    if (this.connections.has(connection)) {
      if (!late && this.awaits(leaver)) return;
      connection.drop(ErrorCode.Overloaded, 'the gateway restarts, connect again');
    }
    this.leavers.delete(leaver);
  }

  /** Whether something of this client's is under way that is worth waiting for. */
  private awaits(leaver: Leaver): boolean {
    const session = leaver.connection.carried;
    if (session === null) return false;
    if (session.ledger.inFlight > 0) return true;
    const { acknowledged } = session;
    const now = this.clock.now();
    if (leaver.target === null || acknowledged > leaver.acknowledged) {
      // What is pushed from here on may keep coming for ever; it waits for the client's return.
      leaver.target ??= session.outbox.nextSeq - 1;
      leaver.acknowledged = acknowledged;
      leaver.heardAt = now;
    }
    return acknowledged < leaver.target && now - leaver.heardAt < ACK_PATIENCE_MS;
  }
}
