import type { Clock } from './clock.js';

/** libuv reads at most so many datagrams per turn from a socket. After that many, more may wait. */
export const FULL_READ = 32;

/** Longest wait for reading to catch up, ms: the kernel's buffers are read in less at any load that we bear. */
const MAX_CATCH_UP_MS = 1_000;

/**
 * Turns that are waited for in any case: in the first the sockets are read, and what QUIC
 * connections got is handed out at its end.
 */
const MIN_TURNS = 2;

/** What reading has done and how turns go by; a test gives its own. */
export interface Reading {
  /** Datagrams read so far. Default: none, so that reading has caught up after two turns. */
  readonly datagramsRead?: () => number;
  /** Whether the last read left something in the socket. Default: never. */
  readonly isBehind?: () => boolean;
  /** Runs a function after the sockets were read once more. Default: setImmediate. */
  readonly soon?: (run: () => void) => void;
}

/**
 * After a stall the event loop runs timers before it reads what came meanwhile: a peer whose heartbeat
 * waits in the socket would be taken for silent, and an acknowledgement that waits there for lost. So
 * timers wait here until reads no longer come in full batches, as long again as the stall lasted at most.
 */
export class CatchUp {
  private turns = 0;
  private read = 0;
  private end = 0;
  private then: (() => void) | null = null;
  private readonly datagramsRead: () => number;
  private readonly soon: (run: () => void) => void;
  private readonly onTurn = (): void => this.look();

  constructor(
    private readonly clock: Clock,
    { datagramsRead = () => 0, soon = (run) => void setImmediate(run) }: Reading = {},
  ) {
    this.datagramsRead = datagramsRead;
    this.soon = soon;
  }

  /** Whether something waits for reading to catch up. */
  get waiting(): boolean {
    return this.then !== null;
  }

  /** @param stall how late the caller is, or how long it may wait, ms. @param then runs once, unless cancelled. */
  begin(stall: number, then: () => void): void {
    this.turns = 0;
    this.read = this.datagramsRead();
    this.end = this.clock.now() + Math.min(stall, MAX_CATCH_UP_MS);
    this.then = then;
    this.soon(this.onTurn);
  }

  cancel(): void {
    this.then = null;
  }

  private look(): void {
    const { then } = this;
    if (then === null) return;
    const read = this.datagramsRead();
    const behind = read - this.read >= FULL_READ && this.clock.now() < this.end;
    this.read = read;
    this.turns++;
    if (behind || this.turns < MIN_TURNS) return this.soon(this.onTurn);
    this.then = null;
    then();
  }
}
