import type { TraceEvent, TraceListener } from '../session/trace/trace-event.js';
import { eventText } from './stream/event-stream.js';
import { traceData } from './trace-text.js';

/** What waits for a listener that reads too slowly; what comes beyond is dropped, and counted. */
export const MAX_WAITING_EVENTS = 1_000;
export const MAX_WAITING_BYTES = 1024 * 1024;

/** Where the stream goes: an HTTP response. */
export interface EventSink {
  /** @returns whether it takes more at once. */
  write(text: string): boolean;
}

/**
 * The events of one listener as a text/event-stream. Events of one turn of the event loop are written
 * together; memory is bounded however slowly the listener reads.
 */
export class TraceStream implements TraceListener {
  private waiting: string[] = [];
  private waitingBytes = 0;
  private dropped = 0;
  /** The newest of those. */
  private lastDropped: TraceEvent | null = null;
  private count = 0;
  private blocked = false;
  private scheduled = false;
  private over = false;
  /** Something was written since the last `keepAlive`. */
  private lively = false;
  private readonly onTurn = (): void => {
    this.scheduled = false;
    this.flush();
  };

  /**
   * @param withContent whether contents of messages are shown.
   * @param soon runs a function in the next turn of the event loop.
   */
  constructor(
    private readonly sink: EventSink,
    private readonly withContent: boolean,
    private readonly soon: (run: () => void) => void,
  ) {}

  onEvent(event: TraceEvent): void {
    if (this.over) return;
    if (this.full) {
      this.dropped++;
      this.lastDropped = event;
      return;
    }
    this.tellDropped();
    this.add(event.kind, traceData(event, this.withContent));
  }

  /** An event that is no client's doing. */
  add(name: string, data: object): void {
    const text = eventText(name, data, ++this.count);
    this.waiting.push(text);
    this.waitingBytes += text.length;
    if (this.scheduled || this.blocked) return;
    this.scheduled = true;
    this.soon(this.onTurn);
  }

  /** The sink takes more again. */
  onDrain(): void {
    this.blocked = false;
    this.flush();
    if (!this.full) this.tellDropped();
  }

  /** To be called now and then: a comment where nothing else was written, so that nobody thinks it dead. */
  keepAlive(): void {
    if (!this.lively && !this.blocked && !this.over) this.blocked = !this.sink.write(': \n\n');
    this.lively = false;
  }

  /** Nothing is written any more. */
  end(): void {
    this.over = true;
    this.waiting = [];
  }

  private get full(): boolean {
    return this.waiting.length >= MAX_WAITING_EVENTS || this.waitingBytes >= MAX_WAITING_BYTES;
  }

  private tellDropped(): void {
    const { dropped: count, lastDropped } = this;
    if (lastDropped === null) return;
    this.dropped = 0;
    this.lastDropped = null;
    const { at, openid } = lastDropped;
    this.add('dropped', { at, openid, session: null, connection: null, count });
  }

  private flush(): void {
    if (this.blocked || this.waiting.length === 0) return;
    const texts = this.waiting;
    this.waiting = [];
    this.waitingBytes = 0;
    this.lively = true;
    this.blocked = !this.sink.write(texts.join(''));
  }
}
