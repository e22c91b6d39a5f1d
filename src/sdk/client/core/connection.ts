import type { Cancel, Clock } from '../../../base/clock.js';
import { messageOf } from '../../../base/errors.js';
import type { Link, LinkClosed, LinkObserver, SendResult } from '../../../link/link.js';
import { ErrorCode, TOKEN_EXPIRED, describeError } from '../../../wire/error-catalogue.js';
import type { Frame } from '../../../wire/frame-encoder.js';
import { FRAME_PREFIX_BYTES } from '../../../wire/limits.js';
import {
  ErrorMessage,
  PushType,
  ServerPush,
  StartResponse,
  decodeMessage,
} from '../../../wire/client-messages.js';
import type { ClientMetrics } from './client-metrics.js';
import { Liveness } from './liveness.js';
import type { LivenessOptions } from './liveness.js';
import { encodeHeartbeat } from './request-frames.js';
import type { PathProbe } from './transport.js';

/** How a connection ended. */
export interface ConnectionEnd {
  /** The gateway's error code where it gave one, else the close code, 0 for a plain loss. */
  readonly code: number;
  readonly reason: string;
  /** For 421 the address to go to. */
  readonly detail: string;
  readonly by: LinkClosed['by'];
  /** Whether the gateway had accepted START. */
  readonly started: boolean;
  /** Whether it answered START with a refusal. */
  readonly startRefused: boolean;
}

/** What a connection tells the client that owns it. */
export interface ConnectionOwner {
  onStarted(connection: Connection, response: StartResponse): void;
  /** The gateway answered another START on a connection that had started. */
  onStartAnswered(connection: Connection, response: StartResponse): void;
  /** Everything behind START_RESP but heartbeat answers. Bytes of `push` are valid only during the call. */
  onPush(connection: Connection, push: ServerPush): void;
  onWritable(connection: Connection): void;
  /** Once, and the last call. */
  onEnded(connection: Connection, end: ConnectionEnd): void;
  /** Whether requests written on this connection are unanswered. */
  awaitsAnswers(): boolean;
  nextMsgId(): number;
}

export interface ConnectionOptions extends LivenessOptions {
  /** How long START_RESP may take, ms. */
  readonly startTimeoutMs: number;
}

/** What a connection takes from the options of its client. */
export interface ConnectionContext extends ConnectionOptions {
  readonly clock: Clock;
  readonly metrics: Pick<ClientMetrics, 'sent' | 'received'>;
}

/** One Link from START to its end: the handshake, heartbeats, liveness, and decoding. */
export class Connection implements LinkObserver {
  private phase: 'starting' | 'started' | 'ended' = 'starting';
  /** Whether START was answered with a refusal. */
  private startRefused = false;
  private startMsgId = 0;
  /** The last frame, if it was one of the connection's own errors. */
  private notice: ErrorMessage | null = null;
  private readonly clock: Clock;
  private readonly liveness: Liveness;
  private readonly deadAfterMs: number;
  private readingPaused = false;
  private arrivals = 0;
  private cancelStart: Cancel | null = null;
  private cancelPings: Cancel | null = null;
  private cancelHeartbeat: Cancel | null = null;
  private cancelCheck: Cancel | null = null;

  constructor(
    private readonly link: Link,
    readonly address: string,
    private readonly options: ConnectionContext,
    private readonly owner: ConnectionOwner,
    private readonly probe?: PathProbe,
  ) {
    this.clock = options.clock;
    const { pingAfterMs, deadAfterMs } = options;
    this.deadAfterMs = Math.max(deadAfterMs, probe?.silenceMs ?? 0);
    this.liveness = new Liveness({ pingAfterMs, deadAfterMs: this.deadAfterMs });
  }

  /** `quic` or `websocket`; in browsers `webtransport` or `websocket`. */
  get transport(): string {
    return this.link.transport;
  }

  get started(): boolean {
    return this.phase === 'started';
  }

  /** Sends START; its answer comes to the owner. */
  start(msgId: number, frame: Frame): void {
    this.startMsgId = msgId;
    const { startTimeoutMs, pingAfterMs } = this.options;
    this.cancelStart = this.clock.after(startTimeoutMs, () =>
      this.abort(ErrorCode.None, `no answer to START within ${startTimeoutMs} ms`),
    );
    // Where our port has changed meanwhile this is what the gateway hears of it by: until it has confirmed the
    // handshake QUIC repeats nothing else of ours (RFC 9002 section 6.2.1).
    this.cancelPings = this.clock.every(pingAfterMs, () => this.probe?.ping?.());
    this.link.bind(this);
    this.send(frame);
  }

  /** Sends a frame that the gateway does not answer. */
  send(frame: Frame): SendResult {
    const result = this.link.send(frame);
    if (result === 'ok') this.options.metrics.sent?.(frame.length);
    return result;
  }

  /** Reads no further: flow control holds the gateway. Its silence then proves nothing. */
  pauseReading(): void {
    this.readingPaused = true;
    this.link.pause();
  }

  resumeReading(): void {
    if (!this.readingPaused) return;
    this.readingPaused = false;
    this.liveness.heard(this.clock.now(), this.owner.awaitsAnswers());
    this.link.resume();
  }

  /** Sends a frame that the gateway answers: from now on silence counts. */
  ask(frame: Frame): SendResult {
    const result = this.send(frame);
    if (result === 'ok' && this.liveness.expect(this.clock.now()) && this.cancelCheck === null) {
      this.checkIn(this.options.pingAfterMs);
    }
    return result;
  }

  /** Asks for a sign of life, though nothing is due: silence counts from now on. */
  check(): void {
    if (this.started) this.heartbeat();
  }

  /** Delivers what was sent, then ends; onEnded follows. */
  finish(): void {
    if (this.phase === 'ended') return;
    this.stopTimers();
    this.link.finish(ErrorCode.None, 'client stopped');
  }

  /** Ends at once, of the client's own accord. */
  abort(code: ErrorCode, reason: string): void {
    if (this.phase === 'ended') return;
    this.link.close(code, reason);
    this.end({ code, reason, detail: '', by: 'local' });
  }

  onFrame(frame: Uint8Array): void {
    if (this.phase === 'ended') return;
    this.options.metrics.received?.(FRAME_PREFIX_BYTES + frame.length);
    try {
      const push = decodeMessage(ServerPush, frame);
      this.notice = null;
      if (this.phase === 'starting') this.onStartAnswer(push);
      else this.onStartedFrame(push);
    } catch (error) {
      this.abort(ErrorCode.BadFrame, `frame that does not parse: ${messageOf(error)}`);
    }
    this.liveness.heard(this.clock.now(), this.owner.awaitsAnswers());
  }

  onBadFrame(code: ErrorCode, reason: string): void {
    this.abort(code, reason);
  }

  onWritable(): void {
    if (this.phase === 'started') this.owner.onWritable(this);
  }

  onClosed(closed: LinkClosed): void {
    const { code, reason, by } = closed;
    // The final frame says more than the close that follows it, if that says anything at all.
    const notice = code === 0 || this.notice?.errorCode === code ? this.notice : null;
    if (notice === null || by !== 'peer') this.end({ code, reason, detail: '', by });
    else this.endBy(notice);
  }

  private onStartAnswer(push: ServerPush): void {
    if (push.type === PushType.PUSH_ERROR) {
      this.link.close(ErrorCode.None, 'START failed');
      this.endBy(decodeMessage(ErrorMessage, push.payload));
    } else if (push.type !== PushType.PUSH_START_RESP || push.msgId !== this.startMsgId) {
      this.abort(ErrorCode.BadFrame, `frame of type ${push.type} before the answer to START`);
    } else {
      const response = decodeMessage(StartResponse, push.payload);
      if (response.success) this.accepted(response);
      else this.refused(ErrorMessage.create(response.error ?? { errorCode: ErrorCode.Internal }));
    }
  }

  private accepted(response: StartResponse): void {
    this.phase = 'started';
    this.cancelStart?.();
    this.cancelPings?.();
    if (response.heartbeatInterval > 0) {
      const period = response.heartbeatInterval * 1_000;
      this.cancelHeartbeat = this.clock.every(period, () => this.heartbeat());
    }
    this.owner.onStarted(this, response);
  }

  private refused(error: ErrorMessage): void {
    this.startRefused = true;
    this.link.close(ErrorCode.None, 'START refused');
    this.endBy(error);
  }

  private onStartedFrame(push: ServerPush): void {
    if (push.type === PushType.PUSH_HEARTBEAT_RESP && push.seqId === 0) return;
    if (push.type === PushType.PUSH_START_RESP && push.seqId === 0) {
      this.owner.onStartAnswered(this, decodeMessage(StartResponse, push.payload));
      return;
    }
    if (push.type === PushType.PUSH_ERROR && push.msgId === 0 && push.seqId === 0) {
      const notice = decodeMessage(ErrorMessage, push.payload);
      this.notice = notice;
      // A token that ran out may still be renewed: then the gateway closes only after a grace time.
      const last = describeError(notice.errorCode)?.mayReconnect === false;
      if (last && notice.detail !== TOKEN_EXPIRED) {
        this.link.close(ErrorCode.None, 'session ended');
        this.endBy(notice);
        return;
      }
    }
    this.owner.onPush(this, push);
  }

  private heartbeat(): void {
    this.ask(this.heartbeatFrame());
  }

  private ping(): void {
    this.arrivals = this.probe?.arrivals?.() ?? 0;
    if (this.probe?.ping === undefined) this.send(this.heartbeatFrame());
    else this.probe.ping();
  }

  private heartbeatFrame(): Frame {
    return encodeHeartbeat(this.owner.nextMsgId(), this.clock.wallTime());
  }

  private checkIn(delay: number): void {
    this.cancelCheck = this.clock.after(delay, () => this.listen());
  }

  private listen(): void {
    this.cancelCheck = null;
    if (this.readingPaused) this.liveness.heard(this.clock.now(), this.owner.awaitsAnswers());
    const { verdict, inMs } = this.liveness.check(this.clock.now());
    if (verdict === 'idle') return;
    if (verdict === 'dead') {
      this.onSilence();
      return;
    }
    if (verdict === 'ping') this.ping();
    this.checkIn(inMs);
  }

  /** No frame for too long. While packets arrive the path lives: a large frame may be under way. */
  private onSilence(): void {
    const { pingAfterMs } = this.options;
    if ((this.probe?.arrivals?.() ?? 0) === this.arrivals) {
      this.abort(ErrorCode.None, `no sign of life within ${this.deadAfterMs} ms`);
      return;
    }
    this.liveness.heard(this.clock.now(), this.owner.awaitsAnswers());
    this.checkIn(pingAfterMs);
  }

  private endBy(error: ErrorMessage): void {
    const { errorCode, errorMessage, detail } = error;
    const reason = errorMessage || (describeError(errorCode)?.message ?? 'no reason given');
    this.end({ code: errorCode, reason, detail, by: 'peer' });
  }

  private end(end: Omit<ConnectionEnd, 'started' | 'startRefused'>): void {
    if (this.phase === 'ended') return;
    const started = this.phase === 'started';
    this.phase = 'ended';
    this.stopTimers();
    this.owner.onEnded(this, { ...end, started, startRefused: this.startRefused });
  }

  private stopTimers(): void {
    this.cancelStart?.();
    this.cancelPings?.();
    this.cancelHeartbeat?.();
    this.cancelCheck?.();
  }
}
