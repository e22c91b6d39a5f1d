import { messageOf } from '../../../base/errors.js';
import type { Link } from '../../../link/link.js';
import { ErrorCode, TOKEN_EXPIRED } from '../../../wire/error-catalogue.js';
import type { Frame } from '../../../wire/frame-encoder.js';
import type { ServerPush, StartResponse } from '../../../wire/client-messages.js';
import { retryAfterOf } from '../../../wire/retry-after.js';
import type { ClientEvents, ClientState, Closed, Notice } from './client-events.js';
import { Connection } from './connection.js';
import type { ConnectionEnd, ConnectionOwner } from './connection.js';
import { Downstream } from './downstream.js';
import type { DownstreamOwner } from './downstream.js';
import { verdictOn } from './end-verdict.js';
import {
  ClientClosedError,
  ConnectionError,
  SessionRefusedError,
  SessionReplacedError,
} from './errors.js';
import type { GatewayClientError } from './errors.js';
import type { EventEmitter } from './events.js';
import { Farewell } from './farewell.js';
import type { ResolvedOptions } from './options.js';
import { OutgoingRequests } from './outgoing-requests.js';
import type { RequestsOwner } from './outgoing-requests.js';
import type { Push } from './payload.js';
import type { PendingRequest } from './pending-request.js';
import { Reconnection } from './reconnection.js';
import type { ReconnectionOwner } from './reconnection.js';
import { encodeAck, encodeStop } from './request-frames.js';
import type { StopReason } from './request-frames.js';
import { Resumption } from './resumption.js';
import { SessionStart } from './session-start.js';
import { SessionMemory } from './session-memory.js';
import { TokenRenewal } from './token-renewal.js';

/**
 * The state machine of a client: connections come and go, the session and its requests stay
 * (docs/SESSIONS.md, from the client's side). Its events are the only way out.
 */
export class ClientSession
  implements ConnectionOwner, ReconnectionOwner, DownstreamOwner, RequestsOwner
{
  private current: ClientState = 'idle';
  private connection: Connection | null = null;
  private lastFailure: unknown = undefined;
  private closedBy: GatewayClientError | null = null;
  private loading: Promise<void> | null = null;
  private readonly memory = new SessionMemory();
  readonly requests: OutgoingRequests;
  private readonly reconnection: Reconnection;
  private readonly renewal: TokenRenewal;
  private readonly start: SessionStart;
  readonly resumption: Resumption;
  readonly downstream: Downstream;
  /** When the attempt under way began. */
  private attemptAt = 0;
  private readonly farewell: Farewell;
  private readonly write = (frame: Frame) => this.connection?.ask(frame) ?? 'closed';

  constructor(
    private readonly options: ResolvedOptions,
    private readonly events: EventEmitter<ClientEvents>,
  ) {
    this.farewell = new Farewell(options.clock);
    this.requests = new OutgoingRequests(options, this);
    this.reconnection = new Reconnection(options, this);
    const { memory } = this;
    const { table, msgIds } = this.requests;
    const parts = () => ({ memory, msgIds, downstream: this.downstream });
    const report = (error: GatewayClientError): void => events.emit('error', error);
    this.resumption = new Resumption(options, parts, report);
    const keep = this.resumption.keeps ? (seq: number) => this.resumption.save(seq) : null;
    this.downstream = new Downstream(options, events, table, this, keep);
    this.start = new SessionStart(options, memory, this.downstream);
    const sendToken = (token: string) => this.write(this.start.frame(this.nextMsgId(), token));
    this.renewal = new TokenRenewal(options, sendToken, report);
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
    return this.loading === null ? this.lastFailure : new Error('the store has not answered yet');
  }

  /** Begins to connect; `connected` or `closed` tells how it went. Without effect unless idle. */
  connect(): void {
    if (this.current !== 'idle') return;
    this.current = 'connecting';
    // One that was given up may still wait for the store: it goes on for this one.
    if (this.resumption.mayLoad) this.loading ??= this.loadAndConnect();
    else this.reconnection.connect();
  }

  private async loadAndConnect(): Promise<void> {
    await this.resumption.load();
    this.loading = null;
    if (this.state === 'connecting') this.reconnection.connect();
  }

  /** Ends attempts that never led to a session. Without effect in any other state. */
  giveUp(): void {
    if (this.current !== 'connecting') return;
    this.current = 'idle';
    this.reconnection.stop();
    this.connection?.abort(ErrorCode.None, 'given up');
  }

  /** See GatewayClientCore. */
  wake(): void {
    this.reconnection.wake();
    this.connection?.check();
  }

  nextMsgId(): number {
    return this.requests.msgIds.next();
  }

  /** @throws {RequestQueueFullError | RequestTooLargeError | ClientClosedError} */
  submit(request: PendingRequest): void {
    if (this.current === 'closed' || this.current === 'stopping') throw closedError(this.closedBy);
    this.requests.submit(request);
  }

  /** Leaves with STOP where there is a connection that has room for it in time; `closed` follows. */
  stop(reason: StopReason): void {
    if (this.current === 'closed' || this.current === 'stopping') return;
    const connection = this.connection;
    if (this.current !== 'connected' || connection === null) {
      this.end({ reason: 'stopped', error: null });
      return;
    }
    this.downstream.flushAcks();
    this.current = 'stopping';
    // Neither a move that the gateway asked for nor pushes that were left may cut STOP off; and a
    // gateway that waits for us to read may not read.
    this.reconnection.stop();
    this.downstream.lost();
    connection.resumeReading();
    this.requests.fail(closedError());
    this.farewell.begin(connection, encodeStop(this.nextMsgId(), reason));
  }

  /** Leaves at once and without STOP: the session stays at the gateway until its time is up. */
  close(): void {
    if (this.current !== 'closed') this.end({ reason: 'closed', error: null });
  }

  onLink(link: Link, address: string, token: string): void {
    const { transport } = this.options;
    const probe = transport.probe?.(link);
    const connection = new Connection(link, address, this.options, this, probe);
    this.connection = connection;
    const msgId = this.nextMsgId();
    connection.start(msgId, this.start.frame(msgId, token));
  }

  onAttemptFailed(error: unknown): void {
    this.lastFailure = error;
    this.reconnection.retry();
  }

  onConnecting(address: string, attempt: number): void {
    this.attemptAt = this.options.clock.now();
    this.events.emit('connecting', { address, attempt });
  }

  onRetry(attempt: number, delay: number, address: string): void {
    this.options.metrics.reconnecting?.(attempt, delay);
    this.events.emit('reconnecting', { attempt, delay, address });
  }

  onPushArrived(push: Push, waiting: number): void {
    this.options.metrics.push?.(push, waiting);
  }

  onStarted(connection: Connection, response: StartResponse): void {
    const knewOne = this.memory.sessionId !== '';
    const resumed = this.memory.learn(response);
    const { nextClientSeq, nextPushSeq, recovered } = response;
    const rejectLost = this.requests.begin(resumed ? nextClientSeq : null);
    const lastReceived = this.downstream.received;
    this.reconnection.succeeded();
    this.current = 'connected';
    this.downstream.begin(nextPushSeq, resumed, this.start.claimed);
    void this.resumption.save(this.downstream.claim);
    this.lastFailure = undefined;
    const { address, transport } = connection;
    const { sessionId } = this.memory;
    rejectLost();
    const { clock, metrics } = this.options;
    metrics.connected?.(transport, resumed, clock.now() - this.attemptAt);
    this.events.emit('connected', { address, transport, sessionId, resumed, recovered });
    if (resumed) this.events.emit('resumed', { sessionId, recovered });
    if (!recovered && knewOne && this.state !== 'closed') {
      this.events.emit('unrecovered', { sessionId, resumed, lastReceived, nextPush: nextPushSeq });
    }
    this.onRequestsReady();
  }

  onStartAnswered(connection: Connection, { success }: StartResponse): void {
    if (connection === this.connection) this.renewal.answered(success);
  }

  onPush(connection: Connection, push: ServerPush): void {
    if (connection !== this.connection || this.current !== 'connected') return;
    this.downstream.accept(push);
    this.onRequestsReady();
    this.reconnection.look();
  }

  onWritable(connection: Connection): void {
    if (connection !== this.connection) return;
    this.downstream.flushAcks();
    this.farewell.send(connection);
    this.onRequestsReady();
  }

  onEnded(connection: Connection, end: ConnectionEnd): void {
    if (connection !== this.connection) return;
    this.connection = null;
    this.downstream.lost();
    this.renewal.end();
    if (this.current === 'stopping') this.end({ reason: 'stopped', error: null });
    else if (this.current !== 'closed' && this.current !== 'idle') this.onLost(end);
  }

  awaitsAnswers(): boolean {
    return this.requests.table.inFlight > 0;
  }

  onNotice(notice: Notice): void {
    const { code, message, detail } = notice;
    this.events.emit('notice', notice);
    const wait = retryAfterOf(detail);
    if (detail === TOKEN_EXPIRED) {
      this.events.emit('token_expired', { message });
      if (this.current === 'connected') this.renewal.begin();
    } else if (code === ErrorCode.Overloaded && wait > 0 && this.state === 'connected') {
      this.onAskedToMove(wait);
    }
  }

  private onAskedToMove(delay: number): void {
    if (!this.reconnection.askedToMove(delay)) return;
    // The gateway waits for them before it lets go.
    this.downstream.flushAcks();
    this.events.emit('moving', { delay });
  }

  depart(): void {
    this.downstream.flushAcks();
    this.connection?.abort(ErrorCode.None, 'the gateway asked to move');
  }

  pauseReading(): void {
    this.connection?.pauseReading();
  }

  resumeReading(): void {
    this.connection?.resumeReading();
  }

  fetchWhatWasLeft(): void {
    this.reconnection.returnAtOnce();
    this.connection?.abort(ErrorCode.None, 'fetching the pushes that were left');
  }

  replay(): void {
    this.connection?.abort(ErrorCode.None, 'frames are missing');
  }

  onPassingRefusal(request: PendingRequest, error: Error, wait: number): void {
    this.requests.refused(request, error, wait);
  }

  onMisnumbered(reason: string): void {
    this.connection?.abort(ErrorCode.None, `request numbers disagree: ${reason}`);
  }

  private onLost(end: ConnectionEnd): void {
    const { code, reason, detail } = end;
    const verdict = verdictOn(end);
    const final = verdict === 'replaced' || verdict === 'refused';
    this.lastFailure = new ConnectionError(code, code === 0 ? reason : `${code}: ${reason}`);
    if (end.started) {
      this.current = 'reconnecting';
      this.requests.broken(end);
      this.options.metrics.disconnected?.(code);
      this.events.emit('disconnected', { code, reason, willReconnect: !final });
      // A listener may have closed the client.
      if (this.state === 'closed') return;
    }
    if (verdict === 'replaced') {
      this.end({ reason: 'replaced', error: new SessionReplacedError(detail || reason) });
    } else if (verdict === 'refused') {
      this.end({ reason: 'refused', error: new SessionRefusedError(code, reason, detail) });
    } else {
      this.reconnection.lost(verdict, end);
    }
  }

  private end(closed: Closed): void {
    this.current = 'closed';
    this.closedBy = closed.error;
    this.farewell.end();
    this.renewal.end();
    this.reconnection.stop();
    const connection = this.connection;
    this.connection = null;
    connection?.abort(ErrorCode.None, 'client closed');
    this.downstream.end(closed.error);
    if (closed.reason === 'stopped' && this.farewell.sent) this.resumption.forget();
    else void this.resumption.save(this.downstream.settled);
    this.requests.fail(closedError(closed.error));
    this.events.emit('closed', closed);
  }

  onRequestsReady(): void {
    // Asked to move: the gateway takes no request any more, the next connection will.
    if (this.current !== 'connected' || this.reconnection.moving) return;
    this.requests.pump(this.write);
    this.downstream.watchAnswers();
  }

  sendAck(seq: number): boolean {
    if (this.current !== 'connected' && this.current !== 'stopping') return false;
    return this.connection?.send(encodeAck(seq)) === 'ok';
  }
}

function closedError(cause: GatewayClientError | null = null): ClientClosedError {
  if (cause === null) return new ClientClosedError('the client is closed');
  return new ClientClosedError(`the client is closed: ${messageOf(cause)}`, { cause });
}
