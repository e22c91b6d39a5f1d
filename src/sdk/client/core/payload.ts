const decoder = new TextDecoder();

/** Bytes from a service, with the readings most applications want. */
abstract class Payload {
  constructor(
    /** The receiver's own copy. */
    readonly data: Uint8Array,
    readonly headers: Readonly<Record<string, string>>,
  ) {}

  /** The data as UTF-8 text. */
  get text(): string {
    return decoder.decode(this.data);
  }

  /**
   * The data as JSON.
   * @throws {SyntaxError} where it is not JSON.
   */
  json(): unknown {
    return JSON.parse(this.text);
  }
}

/** The answer of an upstream to a request; `code` and `message` are the upstream's own. */
export class Answer extends Payload {
  constructor(
    readonly code: number,
    readonly message: string,
    data: Uint8Array,
    headers: Readonly<Record<string, string>>,
  ) {
    super(data, headers);
  }
}

/** A message that answers nothing: a push to this client, or a broadcast. */
export class Push extends Payload {
  /** What the sender called its kind; empty where the gateway's `[type] title` form is missing. */
  readonly type: string;
  readonly title: string;

  constructor(
    /** Its place in the session's order; 0 for a best-effort push, which has none. */
    readonly seq: number,
    /** `[type] title` as on the wire (WIRE.md, "What a deployed client does"). */
    readonly message: string,
    data: Uint8Array,
    headers: Readonly<Record<string, string>>,
  ) {
    super(data, headers);
    const parts = /^\[([^\]]*)\] ?([^]*)$/.exec(message);
    this.type = parts?.[1] ?? '';
    this.title = parts?.[2] ?? message;
  }

  /** The text that the sender gave beside or instead of data. */
  get content(): string {
    return this.headers['content'] ?? this.text;
  }
}
