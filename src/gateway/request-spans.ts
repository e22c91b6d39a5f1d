import type { Config } from '../config/config.js';
import { VERSION } from '../config/version.js';
import type { UpstreamOutcome } from '../routing/router.js';
import type { RequestTrace } from '../session/trace/request-trace.js';
import type { RequestTracer, TracedRequest } from '../session/trace/tracing.js';
import type { Logger } from '../telemetry/log.js';
import type { TracingMetrics } from '../telemetry/tracing-metrics.js';
import type {
  RequestSpans,
  SpanOptions,
  SpanSource,
  SpanWatcher,
} from '../telemetry/tracing/span-source.js';
import { formatTraceparent, parseTraceparent } from '../telemetry/tracing/traceparent.js';
import type { Clock } from '../base/clock.js';

/** Codes from here on are the server's fault. */
const FIRST_ERROR = 500;
const TRACEPARENT = 'traceparent';
const TRACESTATE = 'tracestate';

export interface TracingParts {
  readonly clock: Clock;
  readonly metrics: TracingMetrics;
  readonly log: Logger;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/**
 * Spans of requests, as `tracing` of the configuration wants them. A traceparent that says not sampled has none made. One
 * that says sampled has them made where clients are trusted with that; for all other requests the ratio decides, before
 * anything is made: one that is not sampled costs a look at its headers and a random number.
 */
export class SampledSpans implements RequestTracer, SpanWatcher {
  private source: SpanSource | null = null;
  private failing = false;
  private readonly random: () => number;

  constructor(
    private readonly options: SpanOptions,
    private readonly ratio: number,
    private readonly trusting: boolean,
    private readonly parts: TracingParts,
  ) {
    this.random = parts.random ?? Math.random;
  }

  /** Loads the SDK; nothing of it is loaded where no endpoint is configured. */
  async start(): Promise<void> {
    const { OtlpSpans } = await import('../telemetry/tracing/otlp-spans.js');
    this.source ??= new OtlpSpans(this.options, this);
  }

  /** Exports what was made. Idempotent. */
  async stop(): Promise<void> {
    const { source } = this;
    this.source = null;
    await source?.stop();
  }

  begin(request: TracedRequest): RequestTrace | null {
    const spans = this.spansOf(request);
    if (spans === null) return null;
    const { upstreamParent, tracestate } = spans;
    const headers = { ...request.headers, [TRACEPARENT]: formatTraceparent(upstreamParent) };
    request.headers = tracestate === '' ? headers : { ...headers, [TRACESTATE]: tracestate };
    return new SpannedRequest(spans);
  }

  refused(request: TracedRequest, code: number, label: string): void {
    this.spansOf(request)?.end(code, label);
  }

  onExported(spans: number): void {
    this.parts.metrics.exported.add(spans);
  }

  onDropped(why: 'queue' | 'export', spans: number): void {
    this.parts.metrics.dropped.add(why, spans);
  }

  /** Logged when it changes, not each time. */
  onExport(error: string | null): void {
    const failing = error !== null;
    if (failing === this.failing) return;
    this.failing = failing;
    const { endpoint } = this.options;
    if (failing) this.parts.log.warn({ endpoint, error }, 'spans cannot be exported');
    else this.parts.log.info({ endpoint }, 'spans are exported again');
  }

  /** Null where it is not sampled. */
  private spansOf(request: TracedRequest): RequestSpans | null {
    const { source } = this;
    if (source === null) return null;
    const given = request.headers[TRACEPARENT];
    const parent = given === undefined ? null : parseTraceparent(given);
    if (parent !== null && !parent.sampled) return null;
    const decided = parent !== null && this.trusting;
    if (!decided && this.random() >= this.ratio) return null;
    const { action, sessionId, clientSeqId, startedAt } = request;
    const age = this.parts.clock.now() - startedAt;
    // A tracestate belongs to its traceparent: without one it means nothing.
    const tracestate = parent === null ? '' : (request.headers[TRACESTATE] ?? '');
    return source.begin(parent, tracestate, { action, sessionId, clientSeqId, age });
  }
}

/** The spans of one request, told what becomes of it. */
class SpannedRequest implements RequestTrace {
  constructor(private readonly spans: RequestSpans) {}

  onSent(address: string, zone: string): void {
    this.spans.sentTo(address, zone);
  }

  onAttemptFailed(_: string, reason: string): void {
    this.spans.attemptFailed(reason);
  }

  onOutcome(outcome: UpstreamOutcome): void {
    if (outcome.kind === 'failed') return this.spans.end(outcome.code, outcome.reason);
    const { code } = outcome.response;
    this.spans.end(code, code >= FIRST_ERROR ? `the upstream answered ${code}` : null);
  }

  onKept(): void {
    // Encoding takes microseconds, and ends behind the spans.
  }
}

/** Null where no spans are wanted. */
export function sampledSpans({ tracing }: Config, parts: TracingParts): SampledSpans | null {
  const { endpoint, sampleRatio, trustTraceparent, serviceName, headers, timeout } = tracing;
  if (endpoint === null) return null;
  const options = {
    endpoint,
    serviceName: serviceName ?? 'gatesvr',
    version: VERSION,
    headers: headersIn(headers ?? ''),
    timeout,
  };
  return new SampledSpans(options, sampleRatio, trustTraceparent, parts);
}

/** `name=value, ...` */
function headersIn(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => [
      pair.slice(0, pair.indexOf('=')).trim(),
      pair.slice(pair.indexOf('=') + 1).trim(),
    ]),
  );
}
