import { messageOf } from '../base/errors.js';
import type { Link, LinkClosed, LinkObserver, SendResult } from '../link/link.js';
import { ErrorCode, TOKEN_EXPIRED, errorName } from '../wire/error-catalogue.js';
import type { Frame } from '../wire/frame-encoder.js';
import { FRAME_PREFIX_BYTES } from '../wire/limits.js';
import {
  BusinessRequest,
  ClientAck,
  ClientRequest,
  HeartbeatRequest,
  RequestType,
  StartRequest,
  StopRequest,
  decodeFromClient,
} from '../wire/messages.js';
import type { MessageCodec } from '../wire/messages.js';
import { ClientLink } from './client-link.js';
import type { AnswerOwner } from './client-link.js';
import { isClientSeq } from './client-sequence.js';
import { ReadPause } from './read-pause.js';
import { ProofDeadline } from './proof-deadline.js';
import type { ProofOwner } from './proof-deadline.js';
import { errorFrame, heartbeatFrame, startAcceptedFrame, startRefusedFrame } from './responses.js';
import type { Session } from './session.js';
import type { SessionChannel } from './session-channel.js';
import type { SessionEnvironment } from './session-environment.js';
import type { IdentityProof, StartProcedure, StartRefusal } from './start-procedure.js';
import type { Watch } from './trace/watch.js';

/** What a connection needs of the service that accepted it. */
export interface ConnectionHost {
  readonly environment: SessionEnvironment;
  readonly starts: StartProcedure;
  onDetached(session: Session): void;
  onStopped(session: Session, reason: StopRequest): void;
  onConnectionClosed(connection: ClientConnection, closed: LinkClosed): void;
}

/**
 * One Link from its first frame to its end: START and its refusals, then every frame handed to the
 * session that the Link carries. When it loses its session it reads no more.
 */
export class ClientConnection implements LinkObserver, SessionChannel, ProofOwner, AnswerOwner {
  private session: Session | null = null;
  private mayJump = false;
  /** msg_id of the START whose token is being verified; the frames behind it wait. */
  private verifying: number | null = null;
  private leaving = false;
  private over = false;
  /** How it ended, once the last word is said: the peer may close first, with a code of its own. */
  private lastWord: LinkClosed | null = null;
  private readonly reading: ReadPause;
  private readonly out: ClientLink;
  private readonly proof: ProofDeadline;

  constructor(
    readonly link: Link,
    private readonly host: ConnectionHost,
  ) {
    const { clock, wheel, options, metrics, tracing } = host.environment;
    this.reading = new ReadPause(link);
    this.out = new ClientLink(link, this, metrics, tracing);
    this.proof = new ProofDeadline(clock, wheel, options, this, this.reading);
    link.bind(this);
  }

  get transport(): string {
    return this.link.transport;
  }

  get remoteAddress(): string {
    return this.link.remoteAddress;
  }

  /** The session that it serves now. */
  get carried(): Session | null {
    return this.session;
  }

  /** SessionChannel: a sequenced frame. */
  send(frame: Frame): SendResult {
    return this.out.send(frame);
  }

  watch(watch: Watch | null): void {
    this.out.watch(watch, this.session);
  }

  pauseReading(): void {
    this.reading.set('request_limit', true);
  }

  resumeReading(): void {
    this.reading.set('request_limit', false);
  }

  /**
   * Tells the client to connect elsewhere, or later. Its requests are ignored from here on, as if they
   * had not arrived; what was accepted is still answered, and acknowledgements count.
   */
  tellToMove(detail: string): void {
    this.leaving = true;
    if (!this.over) this.out.answer(errorFrame(0, ErrorCode.Overloaded, detail));
  }

  /** Ends it at once, without a word: another gateway serves, and what waits is no longer this one's to send. */
  abandon(): void {
    this.end();
    this.out.discard(ErrorCode.NotPrimary, 'not the primary gateway');
  }

  drop(code: ErrorCode, reason: string, atOnce = false): void {
    if (!atOnce) return this.fail(0, code, reason);
    this.end();
    this.out.close(code, reason);
  }

  onFrame(bytes: Uint8Array): void {
    if (this.over) return;
    if (this.out.tap !== null) this.out.tap.received(bytes);
    const { metrics, clock } = this.host.environment;
    metrics.decode.begin(clock);
    metrics.totalRequests.add();
    metrics.bytesIn.add(FRAME_PREFIX_BYTES + bytes.length);
    const frame = this.parse(ClientRequest, bytes, 0, 'ClientRequest');
    if (frame === null) return;
    if (this.session === null) this.out.recognise(frame, bytes);
    if (!this.host.environment.serving.accepts) return this.sendElsewhere(frame);
    if (frame.type === RequestType.REQUEST_START) {
      metrics.startRequests.add();
      this.onStart(frame);
    } else if (this.session === null) {
      this.fail(frame.msgId, ErrorCode.Unauthenticated, 'the first frame must be START');
    } else {
      this.session.lastFrameAt = this.host.environment.clock.now();
      this.onSessionFrame(this.session, frame);
    }
  }

  onBadFrame(code: ErrorCode, reason: string): void {
    if (!this.over) this.fail(0, code, reason);
  }

  onWritable(): void {
    if (this.out.flush()) this.session?.pump();
  }

  onClosed(closed: LinkClosed): void {
    this.end();
    this.out.tap?.closed(closed);
    this.host.onConnectionClosed(this, this.lastWord ?? closed);
  }

  onAnswersUnread(): void {
    this.fail(0, ErrorCode.TooManyRequests, 'answers are not read');
  }

  onStartOverdue(): void {
    this.failProof('no START was accepted in time');
  }

  onTokenExpired(): void {
    this.out.refuse(0, ErrorCode.Unauthenticated, TOKEN_EXPIRED);
  }

  onGraceOver(): void {
    this.failProof(TOKEN_EXPIRED);
  }

  /** This gateway does not serve: the frame counts as never arrived, the client goes to the one that does. */
  private sendElsewhere({ type, msgId }: ClientRequest): void {
    if (type !== RequestType.REQUEST_START || this.session !== null) return this.abandon();
    this.failStart(msgId, ErrorCode.NotPrimary, this.host.environment.serving.primaryAddress);
  }

  private failProof(reason: string): void {
    if (this.verifying === null) this.fail(0, ErrorCode.Unauthenticated, reason);
    else this.failStart(this.verifying, ErrorCode.Unauthenticated, reason);
  }

  private onSessionFrame(session: Session, frame: ClientRequest): void {
    const metrics = this.host.environment.metrics;
    switch (frame.type) {
      case RequestType.REQUEST_BUSINESS:
        if (this.leaving) return;
        metrics.businessRequests.add();
        return this.onBusiness(session, frame);
      case RequestType.REQUEST_ACK:
        metrics.ackRequests.add();
        return this.onAck(session, frame);
      case RequestType.REQUEST_HEARTBEAT:
        metrics.heartbeatRequests.add();
        return this.onHeartbeat(frame);
      case RequestType.REQUEST_STOP:
        metrics.stopRequests.add();
        return this.onStop(session, frame);
      default:
        this.out.refuse(frame.msgId, ErrorCode.BadFrame, `unknown request type ${frame.type}`);
    }
  }

  private onStart(frame: ClientRequest): void {
    const start = this.parse(StartRequest, frame.payload, frame.msgId, 'StartRequest');
    if (start === null) return;
    const malformed = this.host.starts.checkForm(frame.seqId, start);
    if (malformed !== null) return this.failStart(frame.msgId, malformed.code, malformed.reason);
    if (this.session !== null && this.session.openid !== start.openid) {
      const reason = 'this connection carries the session of another openid';
      return this.failStart(frame.msgId, ErrorCode.Forbidden, reason);
    }
    const arrival = this.host.starts.nextArrival();
    const refreshed = this.session;
    this.verifying = frame.msgId;
    this.host.starts.verify(start, this.remoteAddress, (proof) => {
      this.verifying = null;
      this.reading.set('verifying', false);
      if (this.over) return;
      if (!this.host.environment.serving.serves) return this.sendElsewhere(frame);
      if (refreshed !== null) this.refresh(frame.msgId, start, proof);
      else if ('code' in proof) this.failStart(frame.msgId, proof.code, proof.reason);
      else this.open(frame.msgId, start, arrival, proof);
    });
    this.reading.set('verifying', this.verifying !== null);
  }

  private open(msgId: number, start: StartRequest, arrival: number, proof: IdentityProof): void {
    const opened = this.host.starts.open(start, arrival, this);
    if ('code' in opened) return this.failStart(msgId, opened.code, opened.reason);
    this.session = opened.session;
    this.out.started(opened);
    this.mayJump = start.resumeSessionId === '';
    this.proof.proved(proof.expiresAt);
    this.acceptStart(msgId, opened.session, opened.resumed, opened.recovered);
    opened.session.pump();
  }

  /**
   * START of the same openid on the Link that already carries its session. Where only the proof fails, the Link
   * goes on: the session is as proven as before, and logins that come in a storm would meet more of them.
   */
  private refresh(msgId: number, start: StartRequest, proof: IdentityProof | StartRefusal): void {
    const session = this.session;
    if (session === null) return;
    session.lastFrameAt = this.host.environment.clock.now();
    if ('code' in proof) {
      this.out.refuseStart(msgId, proof.code, proof.reason);
    } else if (!session.acknowledge(start.lastAckedSeqId)) {
      const reason = `last_acked_seq_id ${start.lastAckedSeqId} was never sent`;
      this.failStart(msgId, ErrorCode.BadFrame, reason);
    } else {
      this.proof.proved(proof.expiresAt);
      const recovered = !session.unrecovered || start.resumeSessionId === session.id;
      this.acceptStart(msgId, session, true, recovered);
    }
  }

  private acceptStart(msgId: number, session: Session, resumed: boolean, recovered: boolean): void {
    const { epochs, options } = this.host.environment;
    const { heartbeatInterval } = options;
    const epoch = { epoch: epochs.current, epochProof: epochs.proofFor(session.openid) };
    const facts = { ...session.standing, ...epoch, resumed, recovered, heartbeatInterval };
    this.out.answer(startAcceptedFrame(msgId, facts));
  }

  private onBusiness(session: Session, frame: ClientRequest): void {
    const business = this.parse(BusinessRequest, frame.payload, frame.msgId, 'BusinessRequest');
    if (business === null) return;
    this.host.environment.metrics.decode.end(this.host.environment.clock);
    const mayJump = this.mayJump;
    if (isClientSeq(frame.seqId)) this.mayJump = false;
    const refusal = session.receiveBusiness(frame, business, mayJump);
    if (refusal === null) return;
    this.host.environment.metrics.requestsRejected.add(errorName(refusal.code));
    if (refusal.final) this.fail(frame.msgId, refusal.code, refusal.reason);
    else this.out.refuse(frame.msgId, refusal.code, refusal.reason);
  }

  private onAck(session: Session, frame: ClientRequest): void {
    const ack = this.parse(ClientAck, frame.payload, frame.msgId, 'ClientAck');
    if (ack === null || session.acknowledge(ack.ackedSeqId)) return;
    const reason = `acked_seq_id ${ack.ackedSeqId} was never sent, the highest is ${session.highestSent}`;
    this.out.refuse(frame.msgId, ErrorCode.BadFrame, reason);
  }

  private onHeartbeat(frame: ClientRequest): void {
    const beat = this.parse(HeartbeatRequest, frame.payload, frame.msgId, 'HeartbeatRequest');
    if (beat === null) return;
    const now = this.host.environment.clock.wallTime();
    this.out.answerHeartbeat(heartbeatFrame(frame.msgId, beat.clientTimestamp, now));
  }

  private onStop(session: Session, frame: ClientRequest): void {
    const stop = this.parse(StopRequest, frame.payload, frame.msgId, 'StopRequest');
    if (stop === null) return;
    this.session = null;
    this.over = true;
    this.proof.cancel();
    this.lastWord = { code: ErrorCode.None, reason: 'stopped', by: 'peer' };
    this.host.onStopped(session, stop);
    this.out.finish(ErrorCode.None, 'stopped');
  }

  /** Decodes a payload; what does not parse closes the connection with 400, the session stays. */
  private parse<Decoded extends Properties, Properties>(
    codec: MessageCodec<Decoded, Properties>,
    bytes: Uint8Array,
    msgId: number,
    name: string,
  ): Decoded | null {
    try {
      return decodeFromClient(codec, bytes);
    } catch (error) {
      this.fail(msgId, ErrorCode.BadFrame, `the bytes are no ${name}: ${messageOf(error)}`);
      return null;
    }
  }

  /** The last word: an error, FIN, then the close. The session, if any, is detached. */
  private fail(msgId: number, code: ErrorCode, reason: string): void {
    this.leaveWith(errorFrame(msgId, code, reason), code, reason);
  }

  private failStart(msgId: number, code: ErrorCode, reason: string): void {
    this.leaveWith(startRefusedFrame(msgId, code, reason), code, reason);
  }

  private leaveWith(lastFrame: Frame, code: ErrorCode, reason: string): void {
    if (this.over) return;
    this.end();
    this.lastWord = { code, reason, by: 'local' };
    this.out.leave(lastFrame, code, reason);
  }

  /** It reads and answers no more. The session, if any, is detached. */
  private end(): void {
    this.over = true;
    this.proof.cancel();
    const session = this.session;
    if (session === null) return;
    this.session = null;
    if (session.currentChannel !== this) return this.out.tap?.lost('taken_over');
    session.detach();
    this.out.tap?.lost('detached');
    this.host.onDetached(session);
  }
}
