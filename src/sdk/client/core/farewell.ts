import type { Cancel, Clock } from '../../../base/clock.js';
import { ErrorCode } from '../../../wire/error-catalogue.js';
import type { Frame } from '../../../wire/frame-encoder.js';
import type { Connection } from './connection.js';

/** How long a stop waits for room for STOP, and then for the gateway's close, ms; above LINGER_MS. */
const STOP_TIMEOUT_MS = 2_000;

/** Takes leave of the gateway: STOP as soon as the connection has room for it, then its close. */
export class Farewell {
  private waiting: Frame | null = null;
  private taken = false;
  private cancel: Cancel | null = null;

  constructor(private readonly clock: Clock) {}

  /** Whether the connection took STOP: only then does the session end at the gateway. */
  get sent(): boolean {
    return this.taken;
  }

  /** The connection ends in any case, after two times STOP_TIMEOUT_MS at most. */
  begin(connection: Connection, stop: Frame): void {
    this.waiting = stop;
    this.abortLater(connection);
    this.send(connection);
  }

  /** There may be room now. */
  send(connection: Connection): void {
    if (this.waiting === null) return;
    const result = connection.send(this.waiting);
    if (result === 'full') return;
    this.waiting = null;
    if (result === 'closed') {
      connection.abort(ErrorCode.None, 'client stopped');
      return;
    }
    this.taken = true;
    connection.finish();
    this.abortLater(connection);
  }

  /** The client has ended. */
  end(): void {
    this.waiting = null;
    this.cancel?.();
  }

  private abortLater(connection: Connection): void {
    this.cancel?.();
    this.cancel = this.clock.after(STOP_TIMEOUT_MS, () =>
      connection.abort(ErrorCode.None, 'client stopped'),
    );
  }
}
