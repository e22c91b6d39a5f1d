import type { Cancel } from '../../../base/clock.js';
import { messageOf } from '../../../base/errors.js';
import type { Link } from '../../../link/link.js';
import { ErrorCode, TOKEN_EXPIRED } from '../../../wire/error-catalogue.js';
import type { Frame } from '../../../wire/frame-encoder.js';
import type { ServerPush, StartResponse } from '../../../wire/messages.js';
import { AckScheduler } from './ack-scheduler.js';
import type { ClientEvents, ClientState, Closed, Notice } from './client-events.js';
import { Connection } from './connection.js';
import type { ConnectionEnd, ConnectionOwner } from './connection.js';
import { Connector } from './connector.js';
import type { ConnectorOwner } from './connector.js';
import { verdictOn } from './end-verdict.js';
import {
  ClientClosedError,
  ConnectionError,
  OutcomeUnknownError,
  PushGapError,
  SessionRefusedError,
  SessionReplacedError,
} from './errors.js';
import type { GatewayClientError } from './errors.js';
import type { EventEmitter } from './events.js';
import { Inbox } from './inbox.js';
import type { InboxOwner } from './inbox.js';
import { MsgIds } from './msg-ids.js';
import type { ResolvedOptions } from './options.js';
import type { Push } from './payload.js';
import type { PendingRequest } from './pending-request.js';
import { PendingRequests } from './pending-requests.js';
import { PushSequence } from './push-sequence.js';
import { RefusedRetries } from './refused-retries.js';
import { encodeAck, encodeStart, encodeStop } from './request-frames.js';
import type { StopReason } from './request-frames.js';
import { SessionMemory } from './session-memory.js';

/** How long a stop waits for the gateway's close before it closes by itself, ms; above LINGER_MS. */
const STOP_TIMEOUT_MS = 2_000;

/**
 * The state machine of a client: connections come and go, the session and its requests stay
 * (SESSIONS.md, from the client's side). Its events are the only way out.
 */
export class ClientSession implements ConnectionOwner, ConnectorOwner, InboxOwner {
  private current: ClientState = 'idle';
  private connection: Connection | null = null;
  private lastFailure: unknown = undefined;
  private cancelStop: Cancel | null = null;
  private readonly memory = new SessionMemory();
  private readonly pushes = new PushSequence();
  private readonly msgIds: MsgIds;
  private readonly acks: AckScheduler;
  private readonly requests: PendingRequests;
  private readonly retries: RefusedRetries;
  private readonly inbox: Inbox;
  private readonly connector: Connector;
  private readonly write = (frame: Frame) => this.connection?.ask(frame) ?? 'closed';

  constructor(
    private readonly options: ResolvedOptions,
    private readonly events: EventEmitter<ClientEvents>,
  ) {
    const { clock, ackDelayMs } = options;
    this.requests = new PendingRequests(options);
    this.msgIds = new MsgIds((id) => this.requests.uses(id));
    this.acks = new AckScheduler(clock, ackDelayMs, (seq) => this.sendAck(seq));
    this.retries = new RefusedRetries(options, (request) => this.again(request));
    this.inbox = new Inbox(this.requests, this);
    this.connector = new Connector(options, this);
  }

  get state(): ClientState {
    return this.current;
  }

  get sessionId(): string {
    return this.memory.sessionId;
  }

  get address(): string {
    return this.connection?.address ?? '';
  }

  get transport(): string {
    return this.connection?.transport ?? '';
  }

  /** What the last attempt to connect met. */
  get failure(): unknown {
    return this.lastFailure;
  }

  get inFlight(): number {
    return this.requests.inFlight;
  }

  get queued(): number {
    return this.requests.queued;
  }

  /** Begins to connect; `connected` or `closed` tells how it went. Without effect unless idle. */
  connect(): void {
    if (this.current !== 'idle') return;
    this.current = 'connecting';
    this.connector.connect();
  }

  /** Ends attempts that never led to a session. Without effect in any other state. */
  giveUp(): void {
    if (this.current !== 'connecting') return;
    this.current = 'idle';
    this.connector.stop();
    this.connection?.abort(ErrorCode.None, 'given up');
  }

  nextMsgId(): number {
    return this.msgIds.next();
  }

  /** @throws {RequestQueueFullError | RequestTooLargeError | ClientClosedError} */
  submit(request: PendingRequest): void {
    if (this.current === 'closed' || this.current === 'stopping') throw closedError();
    this.requests.add(request);
    this.pump();
  }

  /** The caller no longer waits for this request, which it has rejected. */
  abandon(request: PendingRequest): void {
    this.requests.abandon(request);
    this.pump();
  }

  /** Leaves with STOP where there is a connection; `closed` follows. */
  stop(reason: StopReason): void {
    if (this.current === 'closed' || this.current === 'stopping') return;
    const connection = this.connection;
    if (this.current !== 'connected' || connection === null) {
      this.end({ reason: 'stopped', error: null });
      return;
    }
    this.acks.flush();
    this.current = 'stopping';
    this.failRequests(closedError());
    connection.send(encodeStop(this.nextMsgId(), reason));
    connection.finish();
    this.cancelStop = this.options.clock.after(STOP_TIMEOUT_MS, () =>
      connection.abort(ErrorCode.None, 'client stopped'),
    );
  }

  /** Leaves at once and without STOP: the session stays at the gateway until its time is up. */
  close(): void {
    if (this.current !== 'closed') this.end({ reason: 'closed', error: null });
  }

  onLink(link: Link, address: string, token: string): void {
    const { clock, transport } = this.options;
    const probe = transport.probe?.(link);
    const connection = new Connection(link, address, clock, this.options, this, probe);
    this.connection = connection;
    const msgId = this.nextMsgId();
    connection.start(msgId, this.startFrame(msgId, token));
  }

  private startFrame(msgId: number, token: string): Frame {
    const { openid } = this.options;
    const { sessionId, epoch, epochProof } = this.memory;
    const lastAckedSeq = this.pushes.highest;
    return encodeStart(msgId, { openid, token, lastAckedSeq, sessionId, epoch, epochProof });
  }

  onAttemptFailed(error: unknown): void {
    this.lastFailure = error;
    this.connector.retry();
  }

  onRetry(attempt: number, delayMs: number, address: string): void {
    this.events.emit('reconnecting', { attempt, delayMs, address });
  }

  onStarted(connection: Connection, response: StartResponse): void {
    const knewOne = this.memory.sessionId !== '';
    const resumed = this.memory.learn(response);
    const { nextClientSeq, nextPushSeq, recovered } = response;
    const lost = resumed ? this.requests.resume(nextClientSeq) : this.requests.restart();
    const lastReceived = this.pushes.highest;
    this.pushes.begin(nextPushSeq, resumed);
    this.acks.begin(lastReceived);
    this.connector.succeeded();
    this.current = 'connected';
    this.lastFailure = undefined;
    const { address, transport } = connection;
    const { sessionId } = this.memory;
    for (const request of lost) {
      const why = 'the gateway no longer knows the session';
      request.reject(new OutcomeUnknownError(request.action, 0, why));
    }
    this.events.emit('connected', { address, transport, sessionId, resumed, recovered });
    if (!recovered && knewOne && this.state !== 'closed') {
      this.events.emit('unrecovered', { sessionId, resumed, lastReceived, nextPush: nextPushSeq });
    }
    this.pump();
  }

  onPush(connection: Connection, push: ServerPush): void {
    if (connection !== this.connection || this.current !== 'connected') return;
    if (push.seqId > 0 && !this.inSequence(connection, push.seqId)) return;
    try {
      this.inbox.deliver(push);
    } finally {
      if (push.seqId > 0 && this.connection === connection) this.acks.note(push.seqId);
    }
    this.pump();
  }

  onWritable(connection: Connection): void {
    if (connection !== this.connection) return;
    this.acks.flush();
    this.pump();
  }

  onEnded(connection: Connection, end: ConnectionEnd): void {
    if (connection !== this.connection) return;
    this.connection = null;
    this.acks.stop();
    if (this.current === 'stopping') this.end({ reason: 'stopped', error: null });
    else if (this.current !== 'closed' && this.current !== 'idle') this.onLost(end);
  }

  awaitsAnswers(): boolean {
    return this.requests.inFlight > 0;
  }

  onMessage(push: Push): void {
    this.events.emit('push', push);
  }

  onNotice(notice: Notice): void {
    this.events.emit('notice', notice);
    if (notice.detail === TOKEN_EXPIRED) void this.renewToken();
  }

  /** A new token by START on the same connection (SESSIONS.md, "START"); its answer needs no action. */
  private async renewToken(): Promise<void> {
    const connection = this.connection;
    try {
      const token = await this.options.token();
      if (connection === null || connection !== this.connection) return;
      connection.ask(this.startFrame(this.nextMsgId(), token));
    } catch (error) {
      this.events.emit('error', new ConnectionError(0, `no new token: ${messageOf(error)}`));
    }
  }

  onPassingRefusal(request: PendingRequest, error: Error, wait: number): void {
    if (!this.retries.take(request, wait)) request.reject(error);
  }

  onMisnumbered(reason: string): void {
    this.connection?.abort(ErrorCode.None, `request numbers disagree: ${reason}`);
  }

  private inSequence(connection: Connection, seq: number): boolean {
    const { expected } = this.pushes;
    const arrival = this.pushes.accept(seq);
    if (arrival !== 'gap') return arrival === 'deliver';
    const willReplay = this.pushes.mayRecover(seq);
    this.events.emit('error', new PushGapError(expected, seq, willReplay));
    if (willReplay) connection.abort(ErrorCode.None, 'frames are missing');
    return !willReplay;
  }

  private onLost(end: ConnectionEnd): void {
    const { code, reason, detail } = end;
    const verdict = verdictOn(end);
    const final = verdict === 'replaced' || verdict === 'refused';
    this.lastFailure = new ConnectionError(code, code === 0 ? reason : `${code}: ${reason}`);
    if (end.started) {
      this.current = 'reconnecting';
      this.events.emit('disconnected', { code, reason, willReconnect: !final });
      // A listener may have closed the client.
      if (this.state === 'closed') return;
    }
    if (verdict === 'replaced') {
      this.end({ reason: 'replaced', error: new SessionReplacedError(reason) });
    } else if (verdict === 'refused') {
      this.end({ reason: 'refused', error: new SessionRefusedError(code, reason, detail) });
    } else if (verdict === 'redirect') {
      this.connector.redirect(detail);
    } else {
      if (verdict === 'move-on') this.connector.moveOn();
      this.connector.retry();
    }
  }

  private end(closed: Closed): void {
    this.current = 'closed';
    this.cancelStop?.();
    this.acks.stop();
    this.connector.stop();
    const connection = this.connection;
    this.connection = null;
    connection?.abort(ErrorCode.None, 'client closed');
    this.inbox.flush();
    this.failRequests(closedError(closed.error));
    this.events.emit('closed', closed);
  }

  private failRequests(error: Error): void {
    for (const request of [...this.requests.drain(), ...this.retries.drain()]) {
      request.reject(error);
    }
  }

  private again(request: PendingRequest): void {
    request.msgId = this.nextMsgId();
    this.requests.requeue(request);
    this.pump();
  }

  private pump(): void {
    if (this.current === 'connected') this.requests.pump(this.write);
  }

  private sendAck(seq: number): boolean {
    return this.current === 'connected' && this.connection?.send(encodeAck(seq)) === 'ok';
  }
}

function closedError(cause: GatewayClientError | null = null): ClientClosedError {
  if (cause === null) return new ClientClosedError('the client is closed');
  return new ClientClosedError(`the client is closed: ${messageOf(cause)}`, { cause });
}
