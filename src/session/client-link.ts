import { RingQueue } from '../base/ring-queue.js';
import { discardLink } from '../link/link.js';
import type { Link, SendResult } from '../link/link.js';
import type { SessionMetrics } from '../telemetry/session-metrics.js';
import { errorName } from '../wire/error-catalogue.js';
import type { ErrorCode } from '../wire/error-catalogue.js';
import type { Frame } from '../wire/frame-encoder.js';
import type { ClientRequest } from '../wire/messages.js';
import { errorFrame, startRefusedFrame } from './responses.js';
import type { StartedSession } from './start-procedure.js';
import { ConnectionTap } from './trace/connection-tap.js';
import type { TappedSession } from './trace/connection-tap.js';
import { TappedLink } from './trace/tapped-link.js';
import type { OutgoingLink } from './trace/tapped-link.js';
import type { Tracing } from './trace/tracing.js';
import type { Watch } from './trace/watch.js';

/** Unsequenced answers kept for a client that does not read; one that lets more pile up is closed. */
const MAX_WAITING = 64;
/** Of these for heartbeats: one that comes later is not answered, and takes no room from what must be. */
const MAX_WAITING_HEARTBEATS = 32;

/** Who answers through a ClientLink. */
export interface AnswerOwner {
  /** A frame without a number was thrown away, for too many of them wait unread. */
  onAnswersUnread(): void;
}

/**
 * The Link of one client as its connection uses it: frames of the session, unsequenced answers, the last
 * word, and who listens. What was given first leaves first; unsequenced frames that the Link has no room
 * for wait here.
 */
export class ClientLink {
  /** Hears of what passes; null where nobody follows this client. */
  tap: ConnectionTap | null = null;
  private readonly waiting = new RingQueue<Frame>();
  /** The Link, or what stands before it while somebody listens. */
  private out: OutgoingLink;

  constructor(
    private readonly link: Link,
    private readonly owner: AnswerOwner,
    private readonly metrics: SessionMetrics,
    private readonly tracing: Tracing,
  ) {
    this.out = link;
  }

  /** A sequenced frame; it overtakes nothing that waits. */
  send(frame: Frame): SendResult {
    if (this.waiting.length > 0) return 'full';
    const result = this.out.send(frame);
    if (result === 'ok') this.metrics.bytesOut.add(frame.length);
    return result;
  }

  /** A frame without a number. */
  answer(frame: Frame): void {
    if (this.waiting.length === 0 && this.out.send(frame) !== 'full') {
      this.metrics.bytesOut.add(frame.length);
    } else if (this.waiting.length < MAX_WAITING) this.waiting.push(frame);
    else this.owner.onAnswersUnread();
  }

  /**
   * The answer to a heartbeat. Where many wait already, behind a large frame on a slow path for one, it is left
   * out: those tell the same, and a client that goes on with its heartbeats does nothing wrong.
   */
  answerHeartbeat(frame: Frame): void {
    if (this.waiting.length < MAX_WAITING_HEARTBEATS) this.answer(frame);
  }

  /** Refuses one frame; the connection stays. */
  refuse(msgId: number, code: ErrorCode, reason: string): void {
    this.countRefusal(code);
    this.answer(errorFrame(msgId, code, reason));
  }

  /** Refuses a START; the connection stays. */
  refuseStart(msgId: number, code: ErrorCode, reason: string): void {
    this.countRefusal(code);
    this.answer(startRefusedFrame(msgId, code, reason));
  }

  /** There is room again. @returns whether it took all that waited. */
  flush(): boolean {
    while (this.waiting.length > 0) {
      const frame = this.waiting.at(0) as Frame;
      if (this.out.send(frame) !== 'ok') return false;
      this.metrics.bytesOut.add(frame.length);
      this.waiting.shift();
    }
    return true;
  }

  /** The last word, then FIN and the close; without the word where it would have to wait. */
  leave(lastFrame: Frame, code: ErrorCode, reason: string): void {
    this.countRefusal(code);
    const told = this.waiting.length === 0 && this.out.send(lastFrame) === 'ok';
    if (!told) return this.out.close(code, reason);
    this.metrics.bytesOut.add(lastFrame.length);
    this.out.finish(code, reason);
  }

  /** Ends gracefully, without a word. */
  finish(code: ErrorCode, reason: string): void {
    this.out.finish(code, reason);
  }

  /** Ends at once; what waits may not leave any more. */
  close(code: ErrorCode, reason: string): void {
    this.out.close(code, reason);
  }

  /** Ends at once; nothing that waits leaves any more. */
  discard(code: ErrorCode, reason: string): void {
    discardLink(this.out, code, reason);
  }

  /** Who is told of everything that passes from now on; null: nobody. */
  watch(watch: Watch | null, session: TappedSession | null): ConnectionTap | null {
    this.tap = watch === null ? null : new ConnectionTap(watch, this.link, session);
    this.out = this.tap === null ? this.link : new TappedLink(this.link, this.tap);
    return this.tap;
  }

  /** A frame on a connection without a session says whose it is: who follows that client hears of it. */
  recognise(frame: ClientRequest, bytes: Uint8Array): void {
    if (this.tap !== null) return;
    const watch = this.tracing.ofStranger(frame);
    if (watch === null) return;
    this.watch(watch, null)?.received(bytes);
  }

  /** A START was accepted; somebody may have begun to listen while its token was verified. */
  started({ session, kind, recovered }: StartedSession): void {
    const watch = this.tracing.of(session.openid);
    if (watch === null) return;
    const tap = this.tap?.watch === watch ? this.tap : this.watch(watch, session);
    tap?.attached(session, kind, recovered);
  }

  /** The client is told of an error. */
  private countRefusal(code: ErrorCode): void {
    this.metrics.errors.add(errorName(code));
  }
}
