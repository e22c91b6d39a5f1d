import type { Clock } from '../../base/clock.js';
import type { TraceContent, TraceEvent, TraceFields, TraceListener } from './trace-event.js';

/**
 * Answered requests whose answers have not left: a session has at most max_in_flight of them, but a
 * client may never come back for its answers. Beyond this they are forgotten.
 */
const MAX_UNWRITTEN = 1_024;

/** A request whose answer is on its way to the client. */
export interface AwaitedAnswer {
  readonly msgId: number;
  /** It was given to the connection. */
  written(): void;
  /** The turn that sent it is over. @param unsent bytes that the transport has not taken. */
  flushed(unsent: number): void;
}

/** Where something happened. */
interface Place {
  readonly session: string | null;
  readonly connection?: number;
}

/** Runs a function in the next turn of the event loop. */
export type Soon = (run: () => void) => void;

/** One openid that somebody follows, over all its connections and sessions. */
export class Watch {
  readonly listeners = new Set<TraceListener>();
  /** Monotonic ms when the newest of its frames came. */
  frameAt = 0;
  /** By msg_id. */
  private readonly unwritten = new Map<number, AwaitedAnswer>();
  private connections = 0;
  /** What turns monotonic ms into ms since 1970: the wall clock knows no microseconds, and may jump. */
  private readonly offset: number;

  constructor(
    readonly openid: string,
    readonly clock: Clock,
    readonly soon: Soon,
  ) {
    this.offset = clock.wallTime() - clock.now();
  }

  /** A number for one more connection. */
  nextConnection(): number {
    return ++this.connections;
  }

  tell(
    kind: TraceEvent['kind'],
    { session, connection }: Place,
    fields: TraceFields,
    content: TraceContent | null = null,
  ): void {
    const at = this.offset + this.clock.now();
    const { openid } = this;
    const event = { kind, at, openid, session, connection: connection ?? null, fields, content };
    for (const listener of this.listeners) listener.onEvent(event);
  }

  /** The answer to this request is in the outbox. */
  awaitWriting(request: AwaitedAnswer): void {
    if (this.unwritten.size >= MAX_UNWRITTEN) this.unwritten.clear();
    this.unwritten.set(request.msgId, request);
  }

  /** The request that a frame with this msg_id answers, once. */
  takeUnwritten(msgId: number): AwaitedAnswer | null {
    const request = this.unwritten.get(msgId) ?? null;
    if (request !== null) this.unwritten.delete(msgId);
    return request;
  }
}
