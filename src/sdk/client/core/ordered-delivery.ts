import { RingQueue } from '../../../base/ring-queue.js';

type Deliver = () => void;

/** Runs in a later turn of the event loop, when every promise that is settled now has been heard. */
const nextTurn: (run: () => void) => void =
  typeof setImmediate === 'function' ? (run) => void setImmediate(run) : turnsByMessages();

/** For browsers, which let timers of hidden pages wait for a second and more, but not messages. */
function turnsByMessages(): (run: () => void) => void {
  const { port1, port2 } = new MessageChannel();
  const waiting = new RingQueue<() => void>();
  Object.assign(port1, { onmessage: () => waiting.shift()?.() });
  return (run) => {
    waiting.push(run);
    port2.postMessage(null);
  };
}

/**
 * Keeps the order of the wire for the application. An answer settles a promise, which is heard only
 * after the running code has ended, while a push calls its listener at once: a push that came behind
 * an answer would be heard before it. So such a push waits for the next turn, and so does all that
 * came behind it.
 */
export class OrderedDelivery {
  private readonly queue = new RingQueue<{
    readonly deliver: Deliver;
    readonly isAnswer: boolean;
  }>();
  private behindAnswer = false;
  private scheduled = false;

  constructor(private readonly later: (run: () => void) => void = nextTurn) {}

  /** Settles a request's promise in its turn. */
  answer(deliver: Deliver): void {
    if (this.queue.length > 0) {
      this.queue.push({ deliver, isAnswer: true });
      return;
    }
    this.behindAnswer = true;
    deliver();
  }

  /** Calls listeners in their turn. */
  push(deliver: Deliver): void {
    if (this.queue.length === 0 && !this.behindAnswer) {
      deliver();
      return;
    }
    this.queue.push({ deliver, isAnswer: false });
    this.schedule();
  }

  /** Delivers all that waits, now: the client ends. */
  flush(): void {
    for (let item = this.queue.shift(); item !== undefined; item = this.queue.shift()) {
      item.deliver();
    }
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.later(() => {
      this.scheduled = false;
      this.behindAnswer = false;
      this.deliver();
    });
  }

  /** Delivers up to the first push behind an answer. */
  private deliver(): void {
    for (let item = this.queue.at(0); item !== undefined; item = this.queue.at(0)) {
      if (!item.isAnswer && this.behindAnswer) {
        this.schedule();
        return;
      }
      if (item.isAnswer) this.behindAnswer = true;
      this.queue.shift();
      item.deliver();
    }
  }
}
