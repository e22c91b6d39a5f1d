import { WebSocket } from 'ws';
import type { Cancel, Clock } from '../base/clock.js';
import { RingQueue } from '../base/ring-queue.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import { LINGER_MS, LINK_BUFFER_BYTES } from '../link/link.js';
import type { Link, LinkClosed, LinkObserver, SendResult } from '../link/link.js';
import { ErrorCode } from '../wire/error-catalogue.js';
import type { Frame } from '../wire/frame-encoder.js';
import type { WsCodec } from './ws-codec.js';
import {
  WsCloseCode,
  WsFault,
  closeCodeOf,
  closeReason,
  errorCodeOf,
  faultOfLibrary,
} from './ws-fault.js';
import { Liveness } from './ws-liveness.js';
import type { LivenessOptions, Pinged } from './ws-liveness.js';
import type { Corkable, WriteTurn } from './ws-write-turn.js';

/** After full, half of the buffer must be free before onWritable: fewer and longer bursts. */
const WAKE_BYTES = LINK_BUFFER_BYTES / 2;

/**
 * A paused Link takes so much before it stops reading its socket: closes, pings and pongs are still
 * seen then, and the peer's next burst is already here on resume.
 */
const HELD_WINDOW_BYTES = 64 * 1024;

/** What a held frame costs beside its bytes, roughly. */
const HELD_FRAME_COST = 128;

/**
 * More than one read of the socket can hold, but for compressed messages: those may be a thousand
 * times larger than what was read. A peer that sends such while its Link is paused is closed.
 */
const MAX_HELD_BYTES = 4 * 1024 * 1024;

/** The socket below a WebSocket, as far as a Link needs it. */
export interface LinkSocket extends Corkable {
  readonly bytesRead: number;
}

export interface WsLinkOptions {
  readonly codec: WsCodec;
  /** host:port of the peer. */
  readonly remoteAddress: string;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly turn: WriteTurn;
  readonly liveness: LivenessOptions;
  /** Told once, after the observer. */
  readonly onEnded?: (link: WsLink) => void;
}

/** A Link over an open WebSocket: each message is one frame. Used by both sides. */
export class WsLink implements Link, Pinged {
  private observer: LinkObserver | null = null;
  private paused = false;
  private socketPaused = false;
  private blocked = false;
  /** Frames that came while nobody was to hear of them. */
  private readonly held = new RingQueue<Uint8Array>();
  private heldBytes = 0;
  private deliveryScheduled = false;
  /** The message that ended reading. */
  private fault: WsFault | null = null;
  private faultTold = false;
  /** How this side ends it, once `finish` or `close` was called or the peer was found dead. */
  private closing: LinkClosed | null = null;
  private ended = false;
  private linger: Cancel | null = null;
  private readonly liveness: Liveness;
  private readonly onSent = (): void => this.wake();
  private readonly runDelivery = (): void => {
    this.deliveryScheduled = false;
    if (!this.ended) this.deliver();
  };

  constructor(
    private readonly websocket: WebSocket,
    private readonly socket: LinkSocket,
    private readonly options: WsLinkOptions,
  ) {
    websocket.on('message', (data, binary) => this.onMessage(data as Buffer, binary));
    websocket.on('error', (error) => this.stopAt(faultOfLibrary(error)));
    websocket.on('close', (code, reason) => this.onClose(code, reason.toString('utf8')));
    this.liveness = new Liveness(options.wheel, this, options.liveness);
  }

  get transport(): string {
    return this.options.codec.transport;
  }

  get remoteAddress(): string {
    return this.options.remoteAddress;
  }

  get bufferedBytes(): number {
    return this.websocket.bufferedAmount;
  }

  get bytesRead(): number {
    return this.socket.bytesRead;
  }

  get readingHeld(): boolean {
    return this.socketPaused;
  }

  bind(observer: LinkObserver): void {
    this.observer = observer;
    this.scheduleDelivery();
  }

  send(frame: Frame): SendResult {
    const { websocket } = this;
    if (this.closing !== null || websocket.readyState !== WebSocket.OPEN) return 'closed';
    const buffered = websocket.bufferedAmount;
    if (buffered >= LINK_BUFFER_BYTES) {
      this.blocked = true;
      return 'full';
    }
    const message = this.options.codec.encode(frame);
    this.options.turn.join(this.socket);
    // The frame that fills the buffer always asks to be told when it has left; small ones need not.
    if (buffered + mostBytes(message) < WAKE_BYTES) websocket.send(message);
    else websocket.send(message, this.onSent);
    return 'ok';
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.scheduleDelivery();
  }

  finish(code: ErrorCode, reason: string): void {
    this.endWith(code, reason);
  }

  /** What is buffered still goes before the close frame if the peer takes it within LINGER_MS. */
  close(code: ErrorCode, reason: string): void {
    this.endWith(code, reason);
  }

  /** Without a close frame: what is buffered would go before it. */
  discard(code: ErrorCode, reason: string): void {
    if (this.ended) return;
    this.closing ??= { code, reason, by: 'local' };
    this.liveness.stop();
    this.held.clear();
    this.websocket.terminate();
  }

  ping(): void {
    if (this.websocket.readyState === WebSocket.OPEN) this.websocket.ping();
  }

  onSilence(): void {
    this.closing ??= { code: 0, reason: 'no answer to a ping', by: 'loss' };
    this.websocket.terminate();
  }

  private onMessage(data: Buffer, binary: boolean): void {
    if (this.closing !== null || this.fault !== null) return;
    let frame: Uint8Array;
    try {
      frame = this.options.codec.decode(data, binary);
    } catch (error) {
      if (!(error instanceof WsFault)) throw error;
      this.stopAt(error);
      return;
    }
    if (this.delivers && this.held.length === 0) this.observer?.onFrame(frame);
    else this.hold(frame);
  }

  private get delivers(): boolean {
    return this.observer !== null && !this.paused && this.closing === null;
  }

  private hold(frame: Uint8Array): void {
    this.held.push(frame);
    this.heldBytes += frame.length + HELD_FRAME_COST;
    if (this.heldBytes > MAX_HELD_BYTES) {
      this.close(ErrorCode.TooManyRequests, 'too much was sent while reading is paused');
    } else if (this.heldBytes > HELD_WINDOW_BYTES) {
      this.pauseSocket();
    }
  }

  private scheduleDelivery(): void {
    if (this.deliveryScheduled || this.ended) return;
    this.deliveryScheduled = true;
    setImmediate(this.runDelivery);
  }

  private deliver(): void {
    while (this.delivers) {
      const frame = this.held.shift();
      if (frame === undefined) break;
      this.heldBytes -= frame.length + HELD_FRAME_COST;
      this.observer?.onFrame(frame);
    }
    if (!this.delivers) return;
    if (this.fault === null) this.resumeSocket();
    else if (!this.faultTold) this.tellFault(this.fault);
  }

  private tellFault(fault: WsFault): void {
    this.faultTold = true;
    this.observer?.onBadFrame(fault.code, fault.message);
  }

  /** Nothing after this message is read; what came before it is still delivered first. */
  private stopAt(fault: WsFault): void {
    if (this.fault !== null || this.closing !== null) return;
    this.fault = fault;
    // Reading on would only throw bytes away; they stay with the peer.
    this.pauseSocket();
    this.scheduleDelivery();
  }

  private pauseSocket(): void {
    if (this.socketPaused) return;
    this.socketPaused = true;
    this.websocket.pause();
  }

  private resumeSocket(): void {
    if (!this.socketPaused) return;
    this.socketPaused = false;
    this.websocket.resume();
  }

  private wake(): void {
    if (!this.blocked || this.closing !== null || this.websocket.bufferedAmount > WAKE_BYTES)
      return;
    if (this.websocket.readyState !== WebSocket.OPEN) return;
    this.blocked = false;
    this.observer?.onWritable();
  }

  private endWith(code: ErrorCode, reason: string): void {
    if (this.closing !== null || this.ended) return;
    this.closing = { code, reason, by: 'local' };
    this.liveness.stop();
    this.held.clear();
    // What the peer sends is read on and thrown away, so that its close frame is seen.
    this.resumeSocket();
    const { fault } = this;
    const closeCode = fault !== null && fault.code === code ? fault.closeCode : closeCodeOf(code);
    this.options.turn.join(this.socket);
    this.websocket.close(closeCode, closeReason(reason));
    this.linger = this.options.clock.after(LINGER_MS, () => this.websocket.terminate());
  }

  private onClose(closeCode: number, reason: string): void {
    this.liveness.stop();
    this.deliver();
    this.linger?.();
    this.ended = true;
    this.observer?.onClosed(this.closing ?? this.closedByPeer(closeCode, reason));
    this.observer = null;
    this.held.clear();
    this.options.onEnded?.(this);
  }

  private closedByPeer(closeCode: number, reason: string): LinkClosed {
    if (this.fault !== null) {
      return { code: this.fault.code, reason: this.fault.message, by: 'local' };
    }
    // The library's word for a socket that ended without a close frame (RFC 6455 section 7.1.5).
    if (closeCode === 1006) return { code: 0, reason: 'connection lost', by: 'loss' };
    const text = closeCode === WsCloseCode.NoStatus ? 'peer closed' : reason;
    return { code: errorCodeOf(closeCode), reason: text, by: 'peer' };
  }
}

/** Bytes of a message at most: a UTF-16 unit has three in UTF-8 at most. */
function mostBytes(message: Uint8Array | string): number {
  return typeof message === 'string' ? 3 * message.length : message.length;
}
