import { TimerWheel } from '../../src/base/timer-wheel.js';
import { JournalWriter } from '../../src/journal/journal-writer.js';
import { unlimitedCeiling } from '../../src/journal/number-ceiling.js';
import type { NumberCeiling } from '../../src/journal/number-ceiling.js';
import { memoryLinkPair } from './memory-link.js';
import type { MemoryLink, MemoryScheduler } from './memory-link.js';
import type { LinkClosed, LinkObserver } from '../../src/link/link.js';
import type { Route, RoutedRequest, Router } from '../../src/routing/router.js';
import { AcceptingAuthenticator } from '../../src/session/authenticator.js';
import type { Authenticator } from '../../src/session/authenticator.js';
import type { SessionOptions } from '../../src/session/options.js';
import { NO_LIMITS } from '../../src/session/overload/options.js';
import type { OverloadOptions } from '../../src/session/overload/options.js';
import { SessionService } from '../../src/session/session-service.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { encodeRequestFrame } from '../../src/wire/frame-encoder.js';
import {
  BroadcastRequest,
  BusinessRequest,
  BusinessResponse,
  ClientAck,
  ErrorMessage,
  HeartbeatRequest,
  HeartbeatResponse,
  PushType,
  RequestType,
  ServerPush,
  StartRequest,
  StartResponse,
  StopRequest,
  UnicastPushRequest,
  UpstreamResponse,
  decodeMessage,
  encodeMessage,
} from '../../src/wire/messages.js';
import type { PushResult } from '../../src/wire/push-result.js';
import { FakeClock } from './fake-clock.js';

export const defaultOptions: SessionOptions = {
  sessionTimeout: 300_000,
  resumeWindow: 300_000,
  maxSessions: 1000,
  maxConnections: 500,
  surplusConnections: 0,
  authTimeout: 10_000,
  authGrace: 60_000,
  heartbeatInterval: 30_000,
  maxInFlight: 64,
  outboxMaxFrames: 100,
  outboxMaxBytes: 1024 * 1024,
  outboxTotalBytes: 1024 * 1024 * 1024,
  ackTimeout: 30_000,
  maxRetries: 3,
  slowConsumer: 'refuse',
  loginAction: '',
  offlineTtl: 0,
  offlineMaxFrames: 10,
  offlineMaxBytes: 1024 * 1024,
};

/** A request that reached the upstream side, answered when the test says so. */
export interface SeenRequest {
  readonly request: RoutedRequest;
  readonly action: string;
  readonly data: string;
  readonly clientSeq: number;
}

/** A router whose upstream is the test. */
export class ScriptedRouter implements Router {
  readonly seen: SeenRequest[] = [];
  /** When set, every request is answered with its own data, one turn later. */
  echo = false;

  constructor(private readonly soon: (run: () => void) => void) {}

  /** Whether its upstreams take a repeat for what it is. */
  dedupes = false;

  routeFor(): Route {
    return {
      zone: '001',
      dedupes: () => this.dedupes,
      dispatch: (request) => this.take(request),
    };
  }

  private take(request: RoutedRequest): void {
    const data = Buffer.from(request.data).toString();
    const seen = { request, action: request.action, data, clientSeq: request.clientSeqId };
    this.seen.push(seen);
    if (this.echo) this.soon(() => this.answer(seen));
  }

  answer(seen: SeenRequest, code = 200, data = seen.data): void {
    const response = new UpstreamResponse({ code, message: 'ok', data: Buffer.from(data) });
    seen.request.onOutcome({ kind: 'answered', response });
  }

  fail(seen: SeenRequest, code: 502 | 503 | 504 = 504): void {
    seen.request.onOutcome({ kind: 'failed', code, reason: 'test' });
  }
}

/** A push as a test reads it. */
export interface Received {
  readonly type: PushType;
  readonly msgId: number;
  readonly seq: number;
  readonly code: number;
  readonly text: string;
  readonly start: StartResponse | null;
  readonly push: ServerPush;
}

/** A bare client on a memory link: sends what it is told, records what it gets. */
export class BareClient implements LinkObserver {
  readonly received: Received[] = [];
  closed: LinkClosed | null = null;

  constructor(
    readonly link: MemoryLink,
    private readonly harness: SessionHarness,
  ) {
    link.bind(this);
  }

  onFrame(bytes: Uint8Array): void {
    this.received.push(read(Buffer.from(bytes)));
  }
  onBadFrame(): void {
    throw new Error('the gateway sent a bad frame');
  }
  onWritable(): void {
    return;
  }
  onClosed(closed: LinkClosed): void {
    this.closed = closed;
  }

  /** Pushes with a seq_id, in order of arrival. */
  get sequenced(): Received[] {
    return this.received.filter((item) => item.seq > 0);
  }

  get seqs(): number[] {
    return this.sequenced.map((item) => item.seq);
  }

  get texts(): string[] {
    return this.sequenced.map((item) => item.text);
  }

  get errors(): Received[] {
    return this.received.filter((item) => item.type === PushType.PUSH_ERROR && item.seq === 0);
  }

  get last(): Received {
    const last = this.received.at(-1);
    if (last === undefined) throw new Error('nothing was received');
    return last;
  }

  /** The newest START_RESP. */
  get started(): StartResponse {
    const start = this.received.findLast((item) => item.start !== null)?.start;
    if (!start) throw new Error('no START_RESP was received');
    return start;
  }

  start(openid: string, fields: Partial<StartRequest> = {}, msgId = 1): this {
    const payload = encodeMessage(StartRequest, { openid, authToken: 'default-token', ...fields });
    return this.frame(RequestType.REQUEST_START, payload, msgId, 0);
  }

  business(seqId: number, data = `r${seqId}`, action = 'echo', msgId = 100 + seqId): this {
    const payload = encodeMessage(BusinessRequest, { action, data: Buffer.from(data) });
    return this.frame(RequestType.REQUEST_BUSINESS, payload, msgId, seqId);
  }

  ack(ackedSeqId: number, msgId = 0): this {
    return this.frame(RequestType.REQUEST_ACK, encodeMessage(ClientAck, { ackedSeqId }), msgId, 0);
  }

  heartbeat(clientTimestamp = 42, msgId = 7): this {
    const payload = encodeMessage(HeartbeatRequest, { clientTimestamp });
    return this.frame(RequestType.REQUEST_HEARTBEAT, payload, msgId, 0);
  }

  stop(): this {
    return this.frame(RequestType.REQUEST_STOP, encodeMessage(StopRequest, { reason: 1 }), 9, 0);
  }

  frame(type: RequestType, payload: Uint8Array, msgId: number, seqId: number): this {
    this.link.send(encodeRequestFrame({ type, payload, msgId, seqId, openid: 'x' }));
    this.harness.settle();
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.link.sendBytes(bytes);
    this.harness.settle();
    return this;
  }
}

/** A SessionService on a fake clock with memory links: nothing happens between two calls of a test. */
export class SessionHarness implements MemoryScheduler {
  readonly clock = new FakeClock();
  readonly router: ScriptedRouter;
  readonly metrics = new Metrics();
  readonly service: SessionService;
  /** Null unless the harness was told to keep one; its turns end with `settle`. */
  readonly journal: JournalWriter | null;
  /** Of a gateway that serves, until the test says otherwise. */
  readonly serving = { accepts: true, serves: true, numbers: true, primaryAddress: '' };
  /** What the gateway is told that its sockets have read. */
  datagramsRead = 0;
  private readonly tasks: (() => void)[] = [];

  constructor(
    options: Partial<SessionOptions> = {},
    authenticator: Authenticator = new AcceptingAuthenticator(),
    ceiling: NumberCeiling = unlimitedCeiling,
    overload: Partial<OverloadOptions> = {},
    journalled = false,
  ) {
    this.journal = journalled ? new JournalWriter(this.clock, 0, (run) => this.soon(run)) : null;
    this.router = new ScriptedRouter((run) => this.soon(run));
    this.service = new SessionService({
      options: { ...defaultOptions, ...options },
      overload: { ...NO_LIMITS, ...overload },
      clock: this.clock,
      wheel: new TimerWheel(this.clock, 100),
      metrics: this.metrics.session,
      accepted: this.metrics.ws.connections,
      rejected: this.metrics.quic.rejected,
      log: silentLogger(),
      router: this.router,
      authenticator,
      ceiling,
      journal: this.journal,
      serving: this.serving,
      soon: (run) => this.soon(run),
      datagramsRead: () => this.datagramsRead,
    });
    this.journal?.describe(() => this.service.archive.snapshot());
    this.service.open();
  }

  soon(run: () => void): void {
    this.tasks.push(run);
  }

  after(delay: number, run: () => void): void {
    this.clock.after(delay, run);
  }

  /** Runs what is due now, and nothing that follows from it. */
  turn(): void {
    for (const task of this.tasks.splice(0)) task();
  }

  /** Runs everything that is due now. */
  settle(): void {
    for (let task = this.tasks.shift(); task !== undefined; task = this.tasks.shift()) task();
  }

  advance(ms: number): void {
    for (let left = ms; left > 0; left -= 1000) {
      this.clock.advance(Math.min(1000, left));
      this.settle();
    }
  }

  client(bufferBytes?: number, address?: string): BareClient {
    const [server, client] = memoryLinkPair(this, bufferBytes, address);
    this.service.accept(server);
    const bare = new BareClient(client, this);
    this.settle();
    return bare;
  }

  /** A client with a session. */
  started(openid = 'alice', fields: Partial<StartRequest> = {}): BareClient {
    return this.client().start(openid, fields);
  }

  push(targetId: string, fields: Partial<UnicastPushRequest> = {}): PushResult {
    const results: PushResult[] = [];
    const request = new UnicastPushRequest({ targetType: 'openid', targetId, ...fields });
    this.service.pushes.push(request, (result) => results.push(result));
    this.settle();
    if (results.length !== 1) throw new Error(`${results.length} answers to one push`);
    return results[0] as PushResult;
  }

  /** Pushes whose text is their content. */
  pushTexts(openid: string, ...texts: string[]): void {
    for (const content of texts) {
      const result = this.push(openid, { content });
      if (!result.success) throw new Error(`${result.errorCode}: ${result.message}`);
    }
  }

  broadcast(content: string): number {
    let sent = -1;
    this.service.pushes.broadcast(new BroadcastRequest({ content }), (count) => (sent = count));
    this.settle();
    return sent;
  }

  answer(index: number, code = 200, data?: string): void {
    const seen = this.router.seen[index];
    if (seen === undefined) throw new Error(`request ${index} was not seen`);
    this.router.answer(seen, code, data);
    this.settle();
  }

  fail(index: number): void {
    const seen = this.router.seen[index];
    if (seen === undefined) throw new Error(`request ${index} was not seen`);
    this.router.fail(seen);
    this.settle();
  }
}

function read(bytes: Uint8Array): Received {
  const push = decodeMessage(ServerPush, bytes);
  const base = { type: push.type, msgId: push.msgId, seq: push.seqId, push };
  switch (push.type) {
    case PushType.PUSH_BUSINESS_DATA: {
      const response = decodeMessage(BusinessResponse, push.payload);
      const text = Buffer.from(response.data).toString();
      return { ...base, code: response.code, text, start: null };
    }
    case PushType.PUSH_ERROR: {
      const error = decodeMessage(ErrorMessage, push.payload);
      return { ...base, code: error.errorCode, text: error.detail, start: null };
    }
    case PushType.PUSH_START_RESP: {
      const start = decodeMessage(StartResponse, push.payload);
      const code = start.error?.errorCode ?? 0;
      return { ...base, code, text: start.error?.detail ?? '', start };
    }
    default: {
      const beat = decodeMessage(HeartbeatResponse, push.payload);
      return { ...base, code: 0, text: `${beat.clientTimestamp}`, start: null };
    }
  }
}
