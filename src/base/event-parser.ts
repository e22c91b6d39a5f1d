/** One server-sent event. */
export interface ServerEvent {
  readonly name: string;
  readonly data: string;
  /** Empty where it has none. */
  readonly id: string;
}

/** Characters of one event, at most: the gateway sends a thousandth of it. */
const MAX_EVENT_CHARACTERS = 16 * 1024 * 1024;
/** A CR at the end of what is there may be the half of a CRLF. */
const LINE_END = /\r\n|\n|\r(?=[^])/g;

/**
 * Reads an event stream (the HTML standard, 9.2.6) from pieces that may end anywhere. Retry times
 * are passed over, and ids count for their own event alone: whoever reads comes back by its own rules.
 */
export class EventParser {
  private rest = '';
  private name = '';
  private id = '';
  private data: string[] = [];
  private size = 0;

  /** @param most characters of one event. */
  constructor(private readonly most = MAX_EVENT_CHARACTERS) {}

  /** The events that this piece completes. @throws {Error} for an event that never ends. */
  push(piece: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const text = this.rest + piece;
    let from = 0;
    for (;;) {
      const end = lineEnd(text, from);
      if (end === null) break;
      this.line(text.slice(from, end.at), events);
      from = end.next;
    }
    this.rest = text.slice(from);
    if (this.rest.length + this.size > this.most) throw new Error('an event is too long');
    return events;
  }

  private line(line: string, events: ServerEvent[]): void {
    if (line === '') {
      if (this.data.length > 0) {
        const { name, id, data } = this;
        events.push({ name: name || 'message', data: data.join('\n'), id });
      }
      this.name = this.id = '';
      this.data = [];
      this.size = 0;
      return;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.name = value;
    if (field === 'id') this.id = value;
    if (field !== 'data') return;
    this.data.push(value);
    this.size += value.length;
  }
}

/** Where the next line ends, and the one behind it begins; null where it is not all there. */
function lineEnd(text: string, from: number): { at: number; next: number } | null {
  LINE_END.lastIndex = from;
  const found = LINE_END.exec(text);
  return found === null ? null : { at: found.index, next: LINE_END.lastIndex };
}
