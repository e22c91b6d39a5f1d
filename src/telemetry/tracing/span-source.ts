import type { TraceParent } from './traceparent.js';

/** Where spans go, and how. */
export interface SpanOptions {
  /** OTLP over HTTP, the whole URL. */
  readonly endpoint: string;
  readonly serviceName: string;
  readonly version: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of one export, and of the last one, ms. */
  readonly timeout: number;
}

/** What one request tells of itself. */
export interface RequestDescription {
  readonly action: string;
  readonly sessionId: string;
  readonly clientSeqId: number;
  /** Ms ago that its way began. */
  readonly age: number;
}

/** The two spans of one request: the gateway's own (server), and its call to the upstream (client). */
export interface RequestSpans {
  /** The span that the upstream's are children of. */
  readonly upstreamParent: TraceParent;
  /** Empty where there is none. */
  readonly tracestate: string;
  sentTo(address: string, zone: string): void;
  attemptFailed(reason: string): void;
  /** Ends both. @param error null where all went well. */
  end(code: number, error: string | null): void;
}

/** Makes spans and exports them. Nothing of it throws. */
export interface SpanSource {
  /** @param parent null: a trace begins here. */
  begin(parent: TraceParent | null, tracestate: string, request: RequestDescription): RequestSpans;
  /** What was made is exported, as far as the timeout allows. */
  stop(): Promise<void>;
}

/** What an exporter tells while it works. */
export interface SpanWatcher {
  onExported(spans: number): void;
  /** @param why `queue`: too many waited; `export`: the collector did not take them. */
  onDropped(why: 'queue' | 'export', spans: number): void;
  /** @param error null: the collector takes spans (again). */
  onExport(error: string | null): void;
}
