import type { Metadata } from '@grpc/grpc-js';
import { RingQueue } from '../base/ring-queue.js';
import type { ChannelWatch, ConnectionFollower } from './channel-watch.js';
import type { GrpcJsCall } from './grpc-js-library.js';
import type { ClientStream, StreamObserver } from './message-stream.js';
import { statusLine } from './status-mapping.js';
import { GrpcStatus } from './unary-caller.js';
import { WriteGate } from './write-gate.js';

/** One bidirectional call: end of its caller, listener to grpc-js. */
export class GrpcJsStream implements ClientStream, ConnectionFollower {
  private readonly mark: number;
  private call: GrpcJsCall | null = null;
  private readonly queue = new RingQueue<Uint8Array>();
  private readonly gate = new WriteGate();
  /** The message that grpc-js has: it takes one at a time. */
  private leaving: Uint8Array | null = null;
  /** Whether its connection was told of, or was there from the start; what comes later is another call's. */
  private hasConnection = false;
  private opened = false;
  private ended = false;
  private closed = false;
  private paused = false;
  private reading = false;

  constructor(
    private readonly watch: ChannelWatch,
    private readonly observer: StreamObserver,
  ) {
    this.mark = watch.mark();
  }

  start(call: GrpcJsCall, metadata: Metadata): void {
    this.call = call;
    call.start(metadata, this);
    this.read();
    this.hasConnection = this.connected;
    this.watch.follow(this);
  }

  /** Nothing was started: the channel is closed. */
  failLater(message: string): void {
    queueMicrotask(() => this.finish(GrpcStatus.UNAVAILABLE, message));
  }

  get connected(): boolean {
    return this.watch.connectedSince(this.mark);
  }

  get queuedBytes(): number {
    return this.gate.bytes;
  }

  write(message: Uint8Array): boolean {
    if (this.closed || this.ended || this.call === null) return false;
    const refusal = this.gate.refusal(message.length);
    if (refusal !== null) {
      this.abort(GrpcStatus.RESOURCE_EXHAUSTED, refusal);
      return false;
    }
    const goesOn = this.gate.enter(message.length);
    this.queue.push(message);
    this.pump();
    return goesOn;
  }

  end(): void {
    if (this.ended || this.closed) return;
    this.ended = true;
    this.pump();
  }

  cancel(): void {
    this.abort(GrpcStatus.CANCELLED, 'cancelled by this side');
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.read();
  }

  onConnected(): void {
    if (this.closed || this.hasConnection) return;
    this.hasConnection = true;
    this.observer.onConnected?.();
  }

  onLeft(): void {
    if (this.closed || !this.hasConnection) return;
    this.watch.unfollow(this);
    this.observer.onLeaving?.();
  }

  onReceiveMetadata(): void {
    if (this.opened || this.closed) return;
    this.opened = true;
    this.observer.onOpen?.();
  }

  onReceiveMessage(message: Buffer): void {
    this.reading = false;
    if (this.closed) return;
    this.observer.onMessage(message);
    this.read();
  }

  onReceiveStatus({ code, details }: { readonly code: number; readonly details: string }): void {
    this.finish(code, details);
  }

  private abort(status: number, message: string): void {
    if (this.closed) return;
    this.ended = true;
    this.queue.clear();
    this.call?.cancelWithStatus(status, message);
  }

  private read(): void {
    if (this.paused || this.reading || this.closed || this.call === null) return;
    this.reading = true;
    this.call.startRead();
  }

  private pump(): void {
    if (this.leaving !== null || this.closed || this.call === null) return;
    const message = this.queue.shift();
    if (message === undefined) {
      if (this.ended) this.call.halfClose();
      return;
    }
    this.leaving = message;
    this.call.sendMessageWithContext({ callback: () => this.onSent(message) }, asBuffer(message));
  }

  private onSent(message: Uint8Array): void {
    if (this.leaving !== message) return;
    this.leaving = null;
    const drained = this.gate.leave(message.length);
    if (this.closed) return;
    this.pump();
    if (drained && !this.ended) this.observer.onDrain?.();
  }

  private finish(status: number, details: string): void {
    if (this.closed) return;
    this.closed = true;
    this.queue.clear();
    this.watch.unfollow(this);
    const neverSent = status !== GrpcStatus.OK && !this.connected;
    this.observer.onClosed({ status, message: statusLine(details), neverSent });
  }
}

/** The same bytes, as grpc-js wants them. */
export function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
