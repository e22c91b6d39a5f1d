import { retryAfterOf } from '../../../wire/retry-after.js';
import type { ConnectionEnd } from './connection.js';
import { Connector } from './connector.js';
import type { ConnectorOwner } from './connector.js';
import { Departure } from './departure.js';
import type { DepartureOwner } from './departure.js';
import type { EndVerdict } from './end-verdict.js';
import type { ResolvedOptions } from './options.js';

export interface ReconnectionOwner extends ConnectorOwner, DepartureOwner {}

/** When and where a client connects next: first, after a loss, and when it was asked to move. */
export class Reconnection {
  private readonly connector: Connector;
  private readonly departure: Departure;
  private atOnce = false;

  constructor(options: ResolvedOptions, owner: ReconnectionOwner) {
    this.connector = new Connector(options, owner);
    this.departure = new Departure(options.clock, owner);
  }

  /** Whether the gateway asked to move: it takes no request on this connection any more. */
  get moving(): boolean {
    return this.departure.told;
  }

  connect(): void {
    this.connector.connect();
  }

  /** An attempt failed. */
  retry(): void {
    this.connector.retry();
  }

  succeeded(): void {
    this.connector.succeeded();
  }

  /** The network may be back: what only waits is tried now. */
  wake(): void {
    this.connector.wake();
  }

  stop(): void {
    this.connector.stop();
    this.departure.end();
  }

  /** @param delay ms until the client should come back. @returns false where it was asked before. */
  askedToMove(delay: number): boolean {
    if (this.moving) return false;
    this.departure.begin(delay);
    return true;
  }

  /** Requests may have been answered: nothing may keep the client from moving any more. */
  look(): void {
    this.departure.look();
  }

  /** The client itself is about to end a connection that works: the next one follows at once. */
  returnAtOnce(): void {
    this.atOnce = true;
  }

  /** A connection ended in a way that another may follow. Plans it. */
  lost(verdict: Exclude<EndVerdict, 'replaced' | 'refused'>, end: ConnectionEnd): void {
    const { atOnce } = this;
    const { told, remaining } = this.departure;
    this.departure.end();
    this.atOnce = false;
    if (verdict === 'redirect') {
      this.connector.redirect(end.detail);
    } else if (told) {
      this.connector.moveOn();
      this.connector.connectIn(remaining);
    } else if (atOnce) {
      this.connector.connectIn(0);
    } else {
      if (verdict === 'move-on') this.connector.moveOn();
      this.connector.retry(retryAfterOf(end.detail) || retryAfterOf(end.reason));
    }
  }
}
