import type { Clock } from '../base/clock.js';
import type { Logger } from '../telemetry/log.js';
import type { UpstreamMetrics } from '../telemetry/upstream-metrics.js';
import type { FailureKind } from '../upstream/process-call.js';
import { MAX_ANSWER_BYTES } from '../wire/limits.js';
import type { UpstreamResponse } from '../wire/messages.js';
import type { DispatchHold, HeldLine } from './dispatch-hold.js';
import { DispatchedRequest } from './dispatched-request.js';
import type { RequestOwner } from './dispatched-request.js';
import type { RequestGate } from './request-gate.js';
import type { RoutedRequest, UpstreamOutcome } from './router.js';
import type { UpstreamInstance } from './upstream-instance.js';
import { WaitingLine } from './waiting-line.js';
import { describePool } from './zone.js';
import type { ZonePool } from './zone-pool.js';

/** What all routes share. */
export interface RouteContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: UpstreamMetrics;
  readonly gate: RequestGate;
  readonly hold: DispatchHold;
  /** A request is answered with 504 after so many ms, from its dispatch. */
  readonly upstreamTimeout: number;
  /** The next request of a session is sent after the answer to the last. */
  readonly serialize: boolean;
  /** An instance answered, or failed in a way that says something about its health. */
  readonly onAlive: (instance: UpstreamInstance) => void;
  readonly onDead: (instance: UpstreamInstance, reason: string) => void;
}

/** Instances that one request is tried on: more would only lengthen the wait for a 502. */
const MAX_ATTEMPTS = 3;
/**
 * How long a request waits for a connection before it goes to another instance, ms, and as a share of its time: a
 * packet that was lost is repeated after a second, and each attempt leaves time for the next ones.
 */
const MAX_CONNECT_WAIT_MS = 3_000;
const CONNECT_WAIT_SHARE = 0.25;

/**
 * The way of one session's requests to one zone or service. Requests go to one instance in the order of
 * their dispatch; it changes
 *
 * - with nothing in flight, when the pool has changed;
 * - at once, when the instance was ejected or removed;
 * - when a request surely was not sent and is tried on another: then later requests follow it
 *   there, but only once everything still under way at the old instance is decided, for that
 *   may turn out unsent as well and must go first.
 */
export class SessionRoute implements RequestOwner, HeldLine {
  private instance: UpstreamInstance | null = null;
  private seenVersion = -1;
  private inFlight = 0;
  /** Counts changes of instance; a request in flight from an earlier epoch is elsewhere. */
  private epoch = 0;
  /** Requests in flight at earlier instances that the ones behind them wait for. */
  private stragglers = 0;
  /** Requests that wait; made when the first one does, unless it is shared. */
  private line: WaitingLine | null;

  constructor(
    private readonly context: RouteContext,
    private readonly pool: ZonePool,
    private readonly seed: number,
    /** The one line of all ways of a session whose requests go one at a time, else null. */
    private readonly shared: WaitingLine | null,
  ) {
    this.line = shared;
  }

  get zone(): string {
    return this.pool.zone;
  }

  get dedupes(): boolean {
    return this.pool.dedupes;
  }

  /** Whether no request of this way is under way or waits. */
  get idle(): boolean {
    return this.inFlight === 0 && (this.line === null || this.line.empty);
  }

  dispatch(request: RoutedRequest): void {
    const { gate, clock, upstreamTimeout } = this.context;
    const reason = gate.refuses();
    if (reason !== null) {
      const text =
        reason === 'stopping' ? 'the gateway is stopping' : 'too many requests in flight';
      this.reject(request, reason, text);
      return;
    }
    const pending = new DispatchedRequest(this, request, clock.now() + upstreamTimeout);
    gate.enter(pending.bytes.length);
    if (this.mustWait()) (this.line ??= new WaitingLine()).push(pending);
    else this.send(pending);
  }

  onAnswer(pending: DispatchedRequest, response: UpstreamResponse): void {
    const { clock, metrics, onAlive } = this.context;
    const instance = this.settle(pending);
    const latency = clock.now() - pending.sentAt;
    instance.noteLatency(latency);
    metrics.latency.record(latency);
    onAlive(instance);
    this.finish(pending, { kind: 'answered', response });
  }

  onFailure(pending: DispatchedRequest, kind: FailureKind, reason: string): void {
    const { onAlive, onDead } = this.context;
    const instance = this.settle(pending);
    instance.failedRequests++;
    instance.health.lastError = reason;
    pending.request.trace?.onAttemptFailed(kind, reason);
    if (kind === 'unreachable' || kind === 'lost') onDead(instance, reason);
    // A timeout, a cancelled or a declined call says nothing; any answer is a sign of life.
    else if (kind === 'failed' || kind === 'garbage' || kind === 'oversized') onAlive(instance);
    if (kind === 'unreachable' && this.retry(pending, instance)) this.pump();
    else this.finish(pending, this.failureOf(kind));
  }

  /** Its turn in the line has come. */
  onTurn(pending: DispatchedRequest): void {
    this.send(pending);
  }

  /** Takes the request off the books of its instance. */
  private settle(pending: DispatchedRequest): UpstreamInstance {
    this.inFlight--;
    if (this.shared !== null) this.shared.inFlight--;
    if (this.stragglers > 0 && pending.epoch !== this.epoch) this.stragglers--;
    return pending.instance as UpstreamInstance;
  }

  private mustWait(): boolean {
    return (this.line !== null && !this.line.empty) || this.held() || this.silenced();
  }

  private held(): boolean {
    return this.shared === null ? this.stragglers > 0 : this.shared.inFlight > 0;
  }

  /** Whether this gateway may dispatch nothing at the moment. What is cancelled is not dispatched in any case. */
  private silenced(): boolean {
    const { gate, hold } = this.context;
    return !gate.cancelled && hold.holds(this);
  }

  /** Sends what waited. It waited behind requests with earlier deadlines, so none waits too long. */
  pump(): void {
    while (this.line !== null && !this.line.empty && !this.held()) {
      if (this.silenced()) return;
      this.line.shift().takeTurn();
    }
  }

  private send(pending: DispatchedRequest): void {
    if (this.context.gate.cancelled) {
      this.finishLater(pending, this.failure(503, 'the gateway is stopping'));
      return;
    }
    const instance = this.currentInstance();
    if (instance === null) {
      this.context.metrics.rejected.add('no_upstream');
      this.finishLater(pending, this.failure(503, `no upstream serves ${describePool(this.zone)}`));
      return;
    }
    this.sendTo(pending, instance);
  }

  private sendTo(pending: DispatchedRequest, instance: UpstreamInstance): void {
    const now = this.context.clock.now();
    if (pending.deadline <= now) {
      this.finishLater(pending, this.failure(504, 'the upstream timed out'));
      return;
    }
    this.inFlight++;
    if (this.shared !== null) this.shared.inFlight++;
    instance.requests++;
    this.context.metrics.requests.add();
    pending.epoch = this.epoch;
    const { trace } = pending.request;
    if (trace !== null) trace.onSent(instance.entry.address, this.zone);
    pending.sendTo(instance, now);
    if (instance.client.connecting) this.watch(pending, instance);
  }

  /** An address that swallows packets lets it wait until its time is over, though another instance may answer. */
  private watch(pending: DispatchedRequest, instance: UpstreamInstance): void {
    const { clock, upstreamTimeout } = this.context;
    const wait = Math.min(MAX_CONNECT_WAIT_MS, upstreamTimeout * CONNECT_WAIT_SHARE);
    pending.unwatch = clock.after(wait, () => {
      if (this.nextFor(pending, [...pending.tried, instance]) === null) return;
      pending.withdraw(`no connection within ${Math.round(wait)} ms`);
    });
  }

  private currentInstance(): UpstreamInstance | null {
    const { pool, instance } = this;
    if (instance !== null && pool.version === this.seenVersion) return instance;
    if (instance !== null && instance.usable && this.inFlight > 0) return instance;
    const chosen = pool.choose(this.seed);
    this.seenVersion = pool.version;
    if (chosen !== instance) this.moveTo(chosen, 0);
    return chosen;
  }

  /** @param stragglers how many requests in flight at earlier instances are waited for. */
  private moveTo(instance: UpstreamInstance | null, stragglers: number): void {
    this.instance = instance;
    this.epoch++;
    this.stragglers = stragglers;
  }

  /** Tries a request that surely was not sent on another instance, ahead of all that wait. */
  private retry(pending: DispatchedRequest, failed: UpstreamInstance): boolean {
    pending.tried = [...pending.tried, failed];
    const next = this.nextFor(pending, pending.tried);
    if (next === null) return false;
    if (next !== this.instance) this.moveTo(next, this.inFlight);
    this.context.metrics.retries.add();
    this.sendTo(pending, next);
    return true;
  }

  /** Where a request may go that was sent to none of these; null: nowhere. */
  private nextFor(
    { deadline }: DispatchedRequest,
    tried: readonly UpstreamInstance[],
  ): UpstreamInstance | null {
    const { gate, clock } = this.context;
    if (gate.cancelled || this.silenced() || tried.length >= MAX_ATTEMPTS) return null;
    if (deadline <= clock.now()) return null;
    const current = this.instance;
    if (current !== null && current.usable && !tried.includes(current)) return current;
    return this.pool.choose(this.seed, tried);
  }

  private failureOf(kind: FailureKind): UpstreamOutcome {
    switch (kind) {
      case 'timeout':
        return this.upstreamFailed(504, 'the upstream timed out');
      case 'lost':
      case 'cancelled':
        return this.upstreamFailed(
          504,
          'the upstream was lost before it answered; outcome unknown',
        );
      case 'unreachable':
        return this.upstreamFailed(502, 'the upstream cannot be reached');
      case 'declined':
        return this.upstreamFailed(502, 'the request could not be sent to the upstream');
      case 'full':
        this.context.metrics.rejected.add('backlog');
        return this.failure(503, 'too many requests wait for the upstream');
      case 'garbage':
        return this.upstreamFailed(502, 'the upstream answered garbage');
      case 'oversized':
        return this.upstreamFailed(502, `the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
      case 'failed':
        return this.upstreamFailed(502, 'the upstream failed');
    }
  }

  private upstreamFailed(code: 502 | 504, reason: string): UpstreamOutcome {
    this.context.metrics.failures.add(String(code));
    return this.failure(code, reason);
  }

  private failure(code: 502 | 503 | 504, reason: string): UpstreamOutcome {
    return { kind: 'failed', code, reason };
  }

  /** A request that the gate did not let in. */
  private reject(request: RoutedRequest, label: string, reason: string): void {
    this.context.metrics.rejected.add(label);
    queueMicrotask(() => this.tell(request, this.failure(503, reason)));
  }

  /** The outcome must not come before dispatch has returned. */
  private finishLater(pending: DispatchedRequest, outcome: UpstreamOutcome): void {
    queueMicrotask(() => this.finish(pending, outcome));
  }

  private finish(pending: DispatchedRequest, outcome: UpstreamOutcome): void {
    this.context.gate.leave(pending.bytes.length);
    this.tell(pending.request, outcome);
    this.pump();
  }

  private tell(request: RoutedRequest, outcome: UpstreamOutcome): void {
    try {
      request.onOutcome(outcome);
    } catch (error) {
      // It would otherwise surface inside gRPC and end the process.
      this.context.logger.error({ err: error }, 'a session failed on the outcome of a request');
    }
  }
}
