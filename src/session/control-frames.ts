import { RingQueue } from '../base/ring-queue.js';
import type { Link } from '../link/link.js';
import type { Tally } from '../telemetry/tally.js';
import type { Frame } from '../wire/frame-encoder.js';

/** Unsequenced answers kept for a client that does not read; one that lets more pile up is closed. */
const MAX_WAITING = 64;

/** The unsequenced frames of one connection, in order; those that the Link has no room for wait. */
export class ControlFrames {
  private readonly waiting = new RingQueue<Frame>();

  constructor(
    private readonly link: Link,
    private readonly bytesOut: Tally,
  ) {}

  /** Whether frames wait, which nothing may overtake. */
  get pending(): boolean {
    return this.waiting.length > 0;
  }

  /** @returns false where too many wait already. */
  send(frame: Frame): boolean {
    if (!this.pending && this.link.send(frame) !== 'full') this.bytesOut.add(frame.length);
    else if (this.waiting.length < MAX_WAITING) this.waiting.push(frame);
    else return false;
    return true;
  }

  /** The Link has room again. @returns whether it took all that waited. */
  flush(): boolean {
    while (this.pending) {
      const frame = this.waiting.at(0) as Frame;
      if (this.link.send(frame) !== 'ok') return false;
      this.bytesOut.add(frame.length);
      this.waiting.shift();
    }
    return true;
  }
}
