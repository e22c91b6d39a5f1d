import type { PushKey } from '../journal/journal-writer.js';
import type { Route, UpstreamOutcome } from '../routing/router.js';
import { errorName } from '../wire/error-catalogue.js';
import type { PushBody } from '../wire/frame-encoder.js';
import type { BusinessRequest, ClientRequest } from '../wire/messages.js';
import { ClientSequence } from './client-sequence.js';
import { Downstream } from './downstream.js';
import { keptRequest } from './kept-request.js';
import { jumpsOver } from './number-jump.js';
import type { NumberJump } from './number-jump.js';
import type { Outbox } from './outbox.js';
import { PendingRequest } from './pending-request.js';
import type { RequestOwner } from './pending-request.js';
import type { TokenBucket } from '../base/token-bucket.js';
import type { PushOrder } from './push-content.js';
import type { PushReceiver } from './push-turns.js';
import { refusedHere } from './request-admission.js';
import { RequestLedger } from './request-ledger.js';
import { refusalOf } from './refusal.js';
import type { Refusal, StoredRefusal } from './refusal.js';
import { outcomeBody } from './responses.js';
import type { SessionChannel } from './session-channel.js';
import { SessionDeadlines } from './session-deadlines.js';
import type { SessionEnvironment } from './session-environment.js';
import type { SessionOrigin } from './session-origin.js';
import type { KnownSession } from './start-decision.js';

/**
 * One incarnation of an openid's session: its numbers both ways, its outbox, its requests in flight.
 * It outlives its connection; the rules are those of docs/SESSIONS.md.
 */
export class Session implements RequestOwner, KnownSession, PushReceiver {
  readonly id: string;
  readonly openid: string;
  /** What the journal calls it. */
  readonly handle: number;
  readonly openingClaim: number;
  readonly beganAtClaim: boolean;
  readonly downstream: Downstream;
  readonly outbox: Outbox;
  readonly sequence = new ClientSequence();
  readonly ledger = new RequestLedger();
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  unrecovered: boolean;
  /** Which START holds this session, in order of arrival at the gateway. */
  holder = 0;
  /** Address of the present or last connection. */
  remoteAddress = '';
  /** Its transport, and when it took the session over, ms since 1970. */
  transport = '';
  connectedAt = 0;
  /** Monotonic ms of the last client frame. */
  lastFrameAt: number;
  /** How many requests it may send; null where sessions are not limited. */
  readonly rate: TokenBucket | null;
  writeQueued = false;
  private hasEnded = false;
  private readonly deadlines: SessionDeadlines;
  private readonly forgetAnswer = (clientSeq: number) => this.ledger.acknowledged(clientSeq);

  constructor(
    origin: SessionOrigin,
    readonly route: Route,
    private readonly environment: SessionEnvironment,
  ) {
    this.id = origin.id;
    this.openid = origin.openid;
    this.handle = origin.handle ?? environment.handles.next();
    this.openingClaim = origin.openingClaim;
    this.beganAtClaim = origin.beganAtClaim;
    this.unrecovered = !origin.recovered;
    this.downstream = new Downstream(origin, this.handle, environment);
    this.outbox = this.downstream.outbox;
    this.createdAt = origin.createdAt ?? environment.clock.wallTime();
    this.lastFrameAt = environment.clock.now();
    this.deadlines = new SessionDeadlines(this, environment);
    this.rate = origin.rate ?? environment.overload.sessionRate(origin.openid);
  }

  /** What START_RESP tells of it. */
  get standing() {
    const { sequence, outbox } = this;
    return { sessionId: this.id, nextClientSeq: sequence.next, nextPushSeq: outbox.nextToSend };
  }

  get firstSeq(): number {
    return this.outbox.firstSeq;
  }

  get acknowledged(): number {
    return this.outbox.acknowledged;
  }

  get highestSent(): number {
    return this.outbox.highestSent;
  }

  get jump(): NumberJump | null {
    return this.outbox.jump;
  }

  get zone(): string {
    return this.route.zone;
  }

  get active(): boolean {
    return this.downstream.channel !== null;
  }

  get unwritten(): number {
    return this.outbox.unwritten;
  }

  get loggedIn(): boolean {
    return this.downstream.loggedIn;
  }

  get ended(): boolean {
    return this.hasEnded;
  }

  /** Detached and with nothing to lose: what may go when there are too many sessions. */
  get expendable(): boolean {
    return !this.active && this.outbox.totalFrames === 0 && this.ledger.inFlight === 0;
  }

  /** The connection that serves it now, or null. */
  get currentChannel(): SessionChannel | null {
    return this.downstream.channel;
  }

  /** A new connection serves it; everything unacknowledged will be written to it by `pump`. */
  attach(channel: SessionChannel): void {
    this.downstream.channel = channel;
    this.remoteAddress = channel.remoteAddress;
    this.transport = channel.transport;
    this.connectedAt = this.environment.clock.wallTime();
    this.outbox.rewind();
    this.lastFrameAt = this.environment.clock.now();
    this.deadlines.attached();
    this.limitReading();
  }

  /** Its connection is gone; it waits for the client within the resume window. */
  detach(): void {
    this.downstream.channel = null;
    if (!this.hasEnded) this.deadlines.detached();
  }

  /**
   * Ends it for good: nothing is delivered or dispatched for it any more.
   * @returns the pushes its client has not acknowledged, in the order they would have arrived.
   */
  end(): PushBody[] {
    this.hasEnded = true;
    this.deadlines.ended();
    const left = this.downstream.end();
    for (const request of this.ledger.pending())
      if (request.after !== null) left.push(...request.after);
    return left;
  }

  /** Cumulative acknowledgement; false, and nothing acknowledged, when `seq` was never sent. */
  acknowledge(seq: number): boolean {
    if (seq > this.outbox.highestSent || jumpsOver(this.outbox.jump, seq)) return false;
    const { journal } = this.environment;
    const tells = seq > this.acknowledged || (this.unrecovered && seq >= this.outbox.firstSeq);
    if (journal !== null && tells) journal.acknowledged(this.handle, seq);
    if (seq >= this.outbox.firstSeq) this.unrecovered = false;
    this.outbox.acknowledge(seq, this.forgetAnswer);
    return true;
  }

  /**
   * Takes a business frame (docs/SESSIONS.md, "Upstream: requests").
   * @param mayJump whether this frame may leave a hole before it.
   * @returns null when it was taken or is a repeat that needs no answer, else the refusal to tell.
   */
  receiveBusiness(
    frame: ClientRequest,
    business: BusinessRequest,
    mayJump: boolean,
  ): Refusal | null {
    const seq = frame.seqId;
    const verdict = this.sequence.judge(seq, mayJump);
    if (verdict === 'repeat' && this.ledger.awaitsDelivery(seq)) return null;
    if (verdict !== 'next') return refusalOf(verdict, seq, this.sequence.next);
    if (this.downstream.full) return refusalOf('full', seq, seq);
    const expected = this.sequence.next;
    this.sequence.consume(seq);
    const { journal, clock } = this.environment;
    const skippedFrom = expected !== 0 && seq > expected ? expected : 0;
    const kept = keptRequest(this.route, frame, business.action);
    const position = journal?.seen(this.handle, frame.msgId, seq, skippedFrom, kept) ?? 0;
    const now = clock.now();
    const refused = refusedHere(this, business.action, now, this.environment);
    const request = new PendingRequest(this, seq, frame.msgId, now, business, frame.headers);
    request.kept = kept;
    if (refused === null) this.dispatch(request, position);
    else this.refuseStored(request, refused);
    return null;
  }

  private dispatch(request: PendingRequest, position: number): void {
    this.ledger.accepted(request);
    const { journal, tracing } = this.environment;
    if (tracing.requests !== null) request.trace = tracing.requests.begin(request);
    if (journal === null || position <= journal.deliverable.position) {
      this.release(request);
    } else {
      request.copyContent();
      journal.deliverable.wait(position, request);
    }
    this.limitReading();
  }

  /** Sends a request on its way, at once or when the journal has it. */
  release(request: PendingRequest): void {
    if (!this.hasEnded) this.route.dispatch(request);
    request.releaseContent();
  }

  /** A refusal that consumed its number is an answer like any other: stored and replayed. */
  private refuseStored(request: PendingRequest, refusal: StoredRefusal): void {
    const { metrics, tracing } = this.environment;
    metrics.errors.add(errorName(refusal.code));
    metrics.requestsRejected.add(refusal.label);
    tracing.requests?.refused(request, refusal.code, refusal.label);
    if (this.appendAnswer(request, refusal.body)) this.pump();
    else this.downstream.demandResume();
  }

  /** The upstream's answer, or what came instead of one. */
  onOutcome(request: PendingRequest, outcome: UpstreamOutcome): void {
    const { trace } = request;
    const { clock, metrics, options, late } = this.environment;
    if (!this.hasEnded && late.holds(this, request, outcome)) return;
    if (trace !== null) trace.onOutcome(outcome);
    if (this.hasEnded) return;
    metrics.answered(clock.now() - request.startedAt);
    metrics.encode.begin(clock);
    const fits = this.appendAnswer(request, outcomeBody(outcome, metrics.errors));
    metrics.encode.end(clock);
    if (trace !== null) trace.onKept();
    const success = outcome.kind === 'answered' && outcome.response.code === 200;
    if (!this.loggedIn && success && request.action === options.loginAction)
      this.downstream.logIn();
    for (const body of request.after ?? []) {
      this.outbox.release(body.length);
      this.downstream.deliver(body, null, true);
    }
    // Now that all of it is kept: without a resume_window the session ends here.
    if (fits) this.pump();
    else this.downstream.demandResume();
    this.limitReading();
  }

  /** @returns whether it fits. It is kept in any case, for it was promised. */
  private appendAnswer({ msgId, clientSeqId }: PendingRequest, body: PushBody): boolean {
    const fits = !this.downstream.full;
    this.downstream.append(msgId, clientSeqId, body, null);
    this.ledger.answered(clientSeqId);
    return fits;
  }

  /**
   * Takes a push into the outbox, or behind the answer it is bound to. It is written with the next `pump`.
   * @param key for the journal, in the same entry as the push.
   * @returns false when it does not fit.
   */
  push(body: PushBody, order: PushOrder, key: PushKey | null = null): boolean {
    if (!this.downstream.admitsPush(body.length)) return false;
    const request = this.ledger.inFlightRequest(order.clientSeq);
    if (request === undefined) {
      this.downstream.deliver(body, key);
    } else if (order.side === 'before') {
      // What comes before the login's own answer does not wait for the login.
      this.downstream.append(0, 0, body, key);
    } else {
      (request.after ??= []).push(body);
      this.outbox.reserve(body.length);
      this.environment.journal?.bound(this.handle, request.clientSeqId, body, key);
    }
    return true;
  }

  /**
   * Writes to the connection what it has not seen yet, as far as it takes it.
   * @returns bytes that it took.
   */
  pump(): number {
    return this.downstream.pump();
  }

  private limitReading(): void {
    const atLimit = this.ledger.inFlight >= this.environment.options.maxInFlight;
    this.deadlines.deafen(atLimit);
    if (atLimit) this.currentChannel?.pauseReading();
    else this.currentChannel?.resumeReading();
  }
}
