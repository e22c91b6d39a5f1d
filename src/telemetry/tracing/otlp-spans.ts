import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  createTraceState,
  trace,
} from '@opentelemetry/api';
import type { Context, Span, Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import { messageOf } from '../../base/errors.js';
import type {
  RequestDescription,
  RequestSpans,
  SpanOptions,
  SpanSource,
  SpanWatcher,
} from './span-source.js';
import type { TraceParent } from './traceparent.js';

/** Spans that wait for the collector; at about 1 KiB each, and what comes beyond is dropped. */
const MAX_WAITING = 4_096;
const BATCH = 512;
const BATCH_DELAY_MS = 2_000;
/** A client chooses its actions: a span must not carry a megabyte of them. */
const MAX_ATTRIBUTE_CHARACTERS = 256;
const METHOD = 'gatesvr.proto.UpstreamService/ProcessRequest';

type ExportDone = Parameters<SpanExporter['export']>[1];

/** Bounds the queue before the SDK's own, so that what is dropped is counted. */
class BoundedBatches implements SpanProcessor {
  private waiting = 0;
  private readonly batches: BatchSpanProcessor;

  constructor(
    exporter: OTLPTraceExporter,
    private readonly watcher: SpanWatcher,
    timeout: number,
  ) {
    const onTaken = (spans: number): void => void (this.waiting -= spans);
    this.batches = new BatchSpanProcessor({
      exporter: new WatchedExporter(exporter, watcher, onTaken),
      maxQueueSize: 2 * MAX_WAITING,
      maxExportBatchSize: BATCH,
      scheduledDelayMillis: BATCH_DELAY_MS,
      exportTimeoutMillis: timeout,
    });
  }

  onStart: SpanProcessor['onStart'] = (...begun) => this.batches.onStart(...begun);

  onEnd(span: ReadableSpan): void {
    if (this.waiting >= MAX_WAITING) return this.watcher.onDropped('queue', 1);
    this.waiting++;
    this.batches.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.batches.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.batches.shutdown();
  }
}

/** Tells what became of each batch. */
class WatchedExporter implements SpanExporter {
  constructor(
    private readonly exporter: OTLPTraceExporter,
    private readonly watcher: SpanWatcher,
    private readonly onTaken: (spans: number) => void,
  ) {}

  export(spans: ReadableSpan[], done: ExportDone): void {
    this.onTaken(spans.length);
    this.exporter.export(spans, ({ code, error }) => {
      // 0 is success, by ExportResultCode of @opentelemetry/core.
      if (code === 0) {
        this.watcher.onExported(spans.length);
        this.watcher.onExport(null);
      } else {
        this.watcher.onDropped('export', spans.length);
        this.watcher.onExport(error === undefined ? 'export failed' : messageOf(error));
      }
      // To the SDK nothing fails: its own complaint, once per batch, would go to a global handler.
      done({ code: 0 });
    });
  }

  forceFlush(): Promise<void> {
    return this.exporter.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }
}

/** Spans over OTLP, by the OpenTelemetry SDK. Nothing global is set. */
export class OtlpSpans implements SpanSource {
  private readonly provider: TracerProvider;
  private readonly tracer: Tracer;

  constructor(
    private readonly options: SpanOptions,
    watcher: SpanWatcher,
  ) {
    const { endpoint: url, headers, timeout, serviceName, version } = options;
    const exporter = new OTLPTraceExporter({
      url,
      headers: { ...headers },
      timeoutMillis: timeout,
    });
    this.provider = new TracerProvider({
      // Who is sampled was decided before: a span that is made is exported.
      sampler: new AlwaysOnSampler(),
      resource: resourceFromAttributes({
        'service.name': serviceName,
        'service.version': version,
      }),
      spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE_CHARACTERS },
      spanProcessors: [new BoundedBatches(exporter, watcher, timeout)],
    });
    this.tracer = this.provider.getTracer('gatesvr', version);
  }

  begin(parent: TraceParent | null, tracestate: string, request: RequestDescription): RequestSpans {
    const context = parent === null ? ROOT_CONTEXT : remoteContext(parent, tracestate);
    return new OtlpRequestSpans(this.tracer, context, request);
  }

  async stop(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.options.timeout);
    });
    try {
      await Promise.race([this.provider.shutdown(), late]);
    } catch {
      // What could not be exported was counted and logged by the watcher.
    } finally {
      clearTimeout(timer);
    }
  }
}

class OtlpRequestSpans implements RequestSpans {
  readonly upstreamParent: TraceParent;
  readonly tracestate: string;
  private readonly server: Span;
  private readonly client: Span;

  constructor(tracer: Tracer, parent: Context, request: RequestDescription) {
    const startTime = Date.now() - request.age;
    this.server = tracer.startSpan(
      'gatesvr.request',
      {
        kind: SpanKind.SERVER,
        startTime,
        attributes: {
          'gatesvr.action': request.action,
          'gatesvr.session_id': request.sessionId,
          'gatesvr.client_seq_id': request.clientSeqId,
        },
      },
      parent,
    );
    const attributes = { 'rpc.system': 'grpc', 'rpc.method': METHOD };
    const inside = trace.setSpan(parent, this.server);
    this.client = tracer.startSpan(METHOD, { kind: SpanKind.CLIENT, attributes }, inside);
    const { traceId, spanId, traceState } = this.client.spanContext();
    this.upstreamParent = { traceId, spanId, sampled: true };
    this.tracestate = traceState?.serialize() ?? '';
  }

  sentTo(address: string, zone: string): void {
    this.client.setAttributes({ 'server.address': address, 'gatesvr.zone': zone });
    this.client.addEvent('sent', { 'server.address': address });
  }

  attemptFailed(reason: string): void {
    this.client.addEvent('attempt failed', { reason });
  }

  end(code: number, error: string | null): void {
    for (const span of [this.client, this.server]) {
      span.setAttribute('gatesvr.code', code);
      if (error !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
      span.end();
    }
  }
}

function remoteContext({ traceId, spanId }: TraceParent, tracestate: string): Context {
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
    ...(tracestate === '' ? {} : { traceState: createTraceState(tracestate) }),
  });
}
