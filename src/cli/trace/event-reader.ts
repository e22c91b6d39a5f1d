/** One event of the stream of GET /trace (docs/OPERATIONS.md, "Live trace"). */
export interface TracedEvent {
  readonly event: string;
  readonly id: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Far above what one event can be, in characters. */
const MAX_EVENT_CHARACTERS = 1024 * 1024;

/** Takes a text/event-stream apart (the HTML standard, "Server-sent events"), however it is cut; lines end in LF or CRLF. */
export class EventReader {
  private rest = '';

  /**
   * The events that are whole with this piece; comments are skipped, and so are events without data.
   * @throws {Error} one line: this is no such stream.
   */
  feed(text: string): TracedEvent[] {
    const blocks = (this.rest + text).replaceAll('\r\n', '\n').split('\n\n');
    this.rest = blocks.pop() ?? '';
    if (this.rest.length > MAX_EVENT_CHARACTERS)
      throw new Error('an event of the stream has no end');
    return blocks.map(parse).filter((event) => event !== null);
  }
}

function parse(block: string): TracedEvent | null {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const [, name = '', value = ''] = /^([a-z]+): ?(.*)$/s.exec(line) ?? [];
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before}\n${value}`);
  }
  const data = fields.get('data');
  if (data === undefined) return null;
  return {
    event: fields.get('event') ?? 'message',
    id: Number(fields.get('id') ?? 0),
    data: objectIn(data),
  };
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
