import { UNHINDERED } from '../base/turn-pace.js';
import type { TurnPace } from '../base/turn-pace.js';
import type { Timing } from '../telemetry/sampled-stage.js';

/** A socket whose writes can be held together. */
export interface Corkable {
  cork(): void;
  uncork(): void;
}

/**
 * Gathers what is written to sockets until the end of the event-loop turn: one TLS record and one
 * system call for all frames that a connection got meanwhile.
 */
export class WriteTurn {
  private readonly corked = new Set<Corkable>();
  private readonly run = (): void => this.flush();

  /**
   * @param timing how long the second halves of a turn take, for /performance.
   * @param beforeFlush runs before anything is sent; must not throw.
   */
  constructor(
    private readonly timing: Timing | null = null,
    private readonly beforeFlush: () => void = () => undefined,
    private readonly pace: TurnPace = UNHINDERED,
  ) {}

  /** Holds back what is written to this socket until the turn ends. */
  join(socket: Corkable): void {
    if (this.corked.has(socket)) return;
    socket.cork();
    if (this.corked.size === 0) setImmediate(this.run);
    this.corked.add(socket);
  }

  private flush(): void {
    this.beforeFlush();
    if (!this.pace.mayRun()) return this.pace.wait(this.run);
    this.timing?.begin();
    for (const socket of this.corked) socket.uncork();
    this.corked.clear();
    this.timing?.end();
  }
}
