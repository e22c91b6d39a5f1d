import { setImmediate as nextTurn } from 'node:timers/promises';

/** What answers a delivery, as the Ack frame of a session does: it is counted, not echoed. */
export const DELIVERY_ANSWER = Buffer.alloc(20, 0xff);

/** As many as the gateway's fan-out writes to in a turn of the event loop. */
const DELIVERIES_PER_TURN = 32;

/** Writes a frame to the stream of one connection. */
export type Receiver = (frame: Buffer) => void;

/** The connections of a benchmark's server that frames are delivered to. */
export class Audience {
  private answerBytes = 0;
  private readonly receivers = new Set<Receiver>();

  add(receiver: Receiver): void {
    this.receivers.add(receiver);
  }

  delete(receiver: Receiver): void {
    this.receivers.delete(receiver);
  }

  /** Deliveries that were answered. */
  get answers(): number {
    return this.answerBytes / DELIVERY_ANSWER.length;
  }

  /** Counts the answers to deliveries that bytes begin with, and returns the rest, which is to be echoed. */
  hear(bytes: Uint8Array): Uint8Array {
    let answered = 0;
    while (bytes[answered] === DELIVERY_ANSWER[0]) answered++;
    this.answerBytes += answered;
    return answered === 0 ? bytes : bytes.subarray(answered);
  }

  /** Resolves when the frame is written to each, with how many that are. */
  async deliver(frame: Buffer): Promise<number> {
    const receivers = [...this.receivers];
    for (let from = 0; from < receivers.length; from += DELIVERIES_PER_TURN) {
      for (const receive of receivers.slice(from, from + DELIVERIES_PER_TURN)) receive(frame);
      await nextTurn();
    }
    return receivers.length;
  }
}
