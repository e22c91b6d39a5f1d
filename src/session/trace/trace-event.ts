/** What one message carries. The bytes are valid only during the call that tells of it. */
export interface TraceContent {
  readonly data: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, string>>;
  /** Of a BusinessResponse. */
  readonly message?: string;
}

export type TraceValue = string | number | boolean | null | TraceFields | readonly TraceFields[];

/** In the names of the stream (docs/OPERATIONS.md, "Live trace"). */
export interface TraceFields {
  readonly [name: string]: TraceValue;
}

/** One thing that happened to a client. */
export interface TraceEvent {
  readonly kind: 'frame' | 'request' | 'session' | 'connection';
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly openid: string;
  readonly session: string | null;
  /** A number that tells connections apart. */
  readonly connection: number | null;
  readonly fields: TraceFields;
  /** Null where there is nothing to show, or nothing that may be shown: tokens never are. */
  readonly content: TraceContent | null;
}

/** Who follows a client. It must not throw, and must take what it wants of `content` at once. */
export interface TraceListener {
  onEvent(event: TraceEvent): void;
}
