import type { Cancel, Clock } from '../../base/clock.js';
import { RingQueue } from '../../base/ring-queue.js';
import { LINK_BUFFER_BYTES } from '../../link/link.js';
import type { Link, LinkClosed, LinkObserver, SendResult } from '../../link/link.js';
import { ErrorCode } from '../../wire/error-catalogue.js';
import type { Frame } from '../../wire/frame-encoder.js';
import { FRAME_PREFIX_BYTES, MAX_FRAME_BYTES } from '../../wire/limits.js';
import { WsCloseCode, closeCodeOf, closeReason, errorCodeOf } from '../../websocket/ws-fault.js';
import type { PlatformWebSocket } from './platform.js';

/** readyState of an open WebSocket. */
const OPEN = 1;

/** The API tells nobody when its buffer empties: how often it is looked at while that is awaited, ms. */
const DRAIN_CHECK_MS = 20;

/**
 * The API cannot stop reading, so a paused Link holds what comes, twice what a gateway sends unacknowledged
 * by default (`session.outbox_max_bytes`). With more the connection ends; the resume brings it again.
 */
const MAX_HELD_BYTES = 8 * 1024 * 1024;

/** What a held frame costs beside its bytes, roughly. */
const HELD_FRAME_COST = 128;

/** How long the closing handshake may take, ms, before the Link counts as ended without it. */
const CLOSE_TIMEOUT_MS = 1_000;

/** A Link over the WebSocket of a browser: each message is one frame. */
export class WebSocketLink implements Link {
  readonly transport = 'websocket';
  private observer: LinkObserver | null = null;
  private paused = false;
  private blocked = false;
  private closing: LinkClosed | null = null;
  private ended = false;
  private readonly held = new RingQueue<Uint8Array>();
  private heldBytes = 0;
  private cancelDrain: Cancel | null = null;
  private cancelClose: Cancel | null = null;

  /** @param socket open, its binaryType `arraybuffer`. */
  constructor(
    private readonly socket: PlatformWebSocket,
    readonly remoteAddress: string,
    private readonly clock: Clock,
  ) {
    socket.onmessage = ({ data }) => this.onMessage(data);
    socket.onclose = ({ code, reason }) => this.onClose(code, reason);
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }

  bind(observer: LinkObserver): void {
    this.observer = observer;
    this.deliverSoon();
  }

  send(frame: Frame): SendResult {
    const { socket } = this;
    if (this.closing !== null || socket.readyState !== OPEN) return 'closed';
    if (socket.bufferedAmount >= LINK_BUFFER_BYTES) {
      this.awaitRoom();
      return 'full';
    }
    socket.send(frame.subarray(FRAME_PREFIX_BYTES));
    return 'ok';
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.deliverSoon();
  }

  /** What was sent goes before the close frame. */
  finish(code: ErrorCode, reason: string): void {
    this.close(code, reason);
  }

  close(code: ErrorCode, reason: string): void {
    if (this.closing !== null || this.ended) return;
    this.closing = { code, reason, by: 'local' };
    this.held.clear();
    this.socket.close(closeCodeOf(code), closeReason(reason));
    // A gateway that is gone answers no close frame, and the browser would wait for long.
    this.cancelClose = this.clock.after(CLOSE_TIMEOUT_MS, () => this.end(this.closing));
  }

  private onMessage(data: unknown): void {
    if (this.closing !== null || this.ended) return;
    const frame = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0);
    if (this.delivers && this.held.length === 0) this.deliverFrame(frame);
    else this.hold(frame);
  }

  private get delivers(): boolean {
    return this.observer !== null && !this.paused && this.closing === null && !this.ended;
  }

  private deliverFrame(frame: Uint8Array): void {
    if (frame.length === 0) {
      this.observer?.onBadFrame(ErrorCode.BadFrame, 'a message that is no binary frame');
    } else if (frame.length > MAX_FRAME_BYTES) {
      const reason = `frame of ${frame.length} bytes, the limit is ${MAX_FRAME_BYTES}`;
      this.observer?.onBadFrame(ErrorCode.TooLarge, reason);
    } else {
      this.observer?.onFrame(frame);
    }
  }

  private hold(frame: Uint8Array): void {
    this.held.push(frame);
    this.heldBytes += frame.length + HELD_FRAME_COST;
    if (this.heldBytes > MAX_HELD_BYTES) {
      this.close(ErrorCode.None, 'too much came while reading is paused');
    }
  }

  private deliverSoon(): void {
    if (this.held.length > 0) queueMicrotask(() => this.deliverHeld());
  }

  private deliverHeld(): void {
    while (this.delivers) {
      const frame = this.held.shift();
      if (frame === undefined) return;
      this.heldBytes -= frame.length + HELD_FRAME_COST;
      this.deliverFrame(frame);
    }
  }

  private awaitRoom(): void {
    if (this.blocked) return;
    this.blocked = true;
    const look = (): void => {
      if (this.ended || this.closing !== null) return;
      if (this.socket.bufferedAmount > LINK_BUFFER_BYTES / 2) {
        this.cancelDrain = this.clock.after(DRAIN_CHECK_MS, look);
        return;
      }
      this.blocked = false;
      this.observer?.onWritable();
    };
    this.cancelDrain = this.clock.after(DRAIN_CHECK_MS, look);
  }

  private onClose(code: number, reason: string): void {
    // Frames came before the close: nobody may read their end first.
    this.deliverHeld();
    this.end(this.closing ?? closedByPeer(code, reason));
  }

  private end(closed: LinkClosed | null): void {
    if (this.ended || closed === null) return;
    this.ended = true;
    this.cancelDrain?.();
    this.cancelClose?.();
    this.held.clear();
    this.observer?.onClosed(closed);
    this.observer = null;
  }
}

function closedByPeer(code: number, reason: string): LinkClosed {
  // The platform's word for a socket that ended without a close frame (RFC 6455 section 7.1.5).
  if (code === 1006) return { code: 0, reason: 'connection lost', by: 'loss' };
  const text = code === WsCloseCode.NoStatus ? 'peer closed' : reason;
  return { code: errorCodeOf(code), reason: text, by: 'peer' };
}
