import { EventParser } from '../../base/event-parser.js';

/** One event of the stream of GET /trace (docs/OPERATIONS.md, "Live trace"). */
export interface TracedEvent {
  readonly event: string;
  readonly id: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Far above what one event can be, in characters. */
const MAX_EVENT_CHARACTERS = 1024 * 1024;

/** Reads the events of GET /trace from pieces that may end anywhere. */
export class EventReader {
  private readonly parser = new EventParser(MAX_EVENT_CHARACTERS);

  /**
   * The events that are whole with this piece; comments are skipped, and so are events without data.
   * @throws {Error} one line: this is no such stream.
   */
  feed(text: string): TracedEvent[] {
    return this.parser
      .push(text)
      .map(({ name, id, data }) => ({ event: name, id: Number(id), data: objectIn(data) }));
  }
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Falls through: whatever it is, it is no event of ours.
  }
  throw new Error('the stream has an event that is no JSON object; is it a gateway?');
}
