/** How a request of a player ended; unsent: it had no connection at that moment. */
export type AskEnd = 'answered' | 'unknown' | 'refused' | 'unsent';

/** A client in a failover: it keeps itself connected, asks when told, and checks what it gets. */
export interface FailoverPlayer {
  readonly openid: string;
  /** When it had its session last, performance.now(); 0 before the first time. */
  readonly startedAt: number;
  /** The id of its session. */
  readonly sessionId: string;
  /** Pushes numbered 1, 2, 3 ... that came, in that order. */
  readonly pushes: PushOrder;
  /** What no gateway may do to it: say that something is gone, answer wrongly, skip a number. */
  readonly faults: readonly string[];
  connect(): Promise<void>;
  /** Resolves when it is over; never rejects. */
  ask(data: string): Promise<AskEnd>;
  leave(): void;
}

/** Takes the numbers of one client's pushes and notes what is not in order. */
export class PushOrder {
  last = 0;
  /** Came again. */
  repeated = 0;
  /** Came where another was due. */
  outOfOrder = 0;

  note(text: string): void {
    const number = Number(text);
    if (number === this.last + 1) this.last = number;
    else if (number <= this.last) this.repeated++;
    else {
      this.outOfOrder++;
      this.last = number;
    }
  }
}
