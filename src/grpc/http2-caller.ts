import { parseAddress } from '../base/address.js';
import { Backoff } from '../base/backoff.js';
import { SystemClock } from '../base/clock.js';
import type { Cancel, Clock } from '../base/clock.js';
import type { CallConnection, ConnectionOwner, Connector } from './call-connection.js';
import type { TlsSource } from './caller-tls.js';
import type { CallOwner, CarriedCall } from './carried-call.js';
import { DEFAULT_KEEPALIVE_MS, DEFAULT_MAX_MESSAGE_BYTES, RECONNECT } from './channel-options.js';
import type { ChannelTuning } from './channel-options.js';
import { DeadlineQueue } from './deadline-queue.js';
import type { ClientStream, StreamObserver, StreamOpener } from './message-stream.js';
import { StreamedCall } from './streamed-call.js';
import { UnaryCall } from './unary-call.js';
import { GrpcStatus } from './unary-caller.js';
import type { CallHandle, CallObserver, UnaryCaller } from './unary-caller.js';

/** From the first packet to the peer's SETTINGS, ms; grpc-js and grpc-go wait as long. */
const CONNECT_TIMEOUT_MS = 20_000;
/** Calls that wait for a connection, or for the peer to allow more streams; further ones fail. */
const MAX_WAITING_CALLS = 10_000;
const MAX_WAITING_BYTES = 64 * 1_048_576;
/** By how much pauses between attempts to connect differ. */
const JITTER = 0.2;

/**
 * Unary and bidirectional calls over one HTTP/2 connection at a time, which is made with the first call and again when
 * it was lost. What the connection is made of is the Connector's business.
 *
 * While the pause after a failed attempt runs, calls fail at once; while an attempt runs they wait
 * for it, and so do calls above the number of streams that the peer allows. Calls that a peer did
 * not look at, by its GOAWAY or REFUSED_STREAM, are sent once more, ahead of younger ones.
 */
export class Http2Caller implements UnaryCaller, StreamOpener, CallOwner, ConnectionOwner {
  readonly maxMessageBytes: number;
  private readonly deadlines: DeadlineQueue;
  private readonly waiting = new Set<CarriedCall>();
  private waitingBytes = 0;
  /** Of `waiting`, those that were sent once; they go first. */
  private returned: CarriedCall[] = [];
  /** Connecting or connected; null between attempts. */
  private connection: CallConnection | null = null;
  connected = false;
  /** Every connection there is: those that a GOAWAY retired finish their calls. */
  private readonly connections = new Set<CallConnection>();
  private cancelConnect: Cancel | null = null;
  /** Whether the connection has carried a call: a peer that lets none through is not asked again at once. */
  private carried = false;
  private readonly backoff: Backoff;
  /** Clock time before which no attempt is made. */
  private pausedUntil = -Infinity;
  private lastFault = 'not connected';
  private calls = 0;
  private attempts = 0;
  private closed = false;

  /** @param address `host:port`, IPv6 in brackets. Nothing is dialled before the first call. */
  constructor(
    private readonly address: string,
    private readonly connect: Connector,
    private readonly tuning: ChannelTuning = {},
    private readonly tls: TlsSource = () => null,
    private readonly clock: Clock = new SystemClock(),
  ) {
    this.maxMessageBytes = tuning.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
    this.deadlines = new DeadlineQueue(clock);
    this.backoff = new Backoff({
      firstMs: tuning.initialReconnectMs ?? RECONNECT.initialMs,
      longestMs: tuning.maxReconnectMs ?? RECONNECT.maxMs,
      factor: RECONNECT.factor,
      jitter: JITTER,
    });
  }

  get outage(): number {
    const { connection } = this;
    return connection !== null && connection.ready && !connection.leaving ? 0 : this.attempts;
  }

  call(method: string, request: Uint8Array, deadline: number, observer: CallObserver): CallHandle {
    const until = this.clock.now() + deadline;
    const call = new UnaryCall(this, this.calls++, method, request, until, observer);
    if (this.closed) {
      call.stopLater(GrpcStatus.UNAVAILABLE, 'the caller is closed');
    } else if (request.length > this.maxMessageBytes) {
      const reason = `a request of ${request.length} bytes, the limit is ${this.maxMessageBytes}`;
      call.stopLater(GrpcStatus.RESOURCE_EXHAUSTED, reason);
    } else {
      this.deadlines.add(call);
      this.admit(call);
    }
    return call;
  }

  open(method: string, observer: StreamObserver): ClientStream {
    const call = new StreamedCall(this, this.calls++, method, observer);
    if (this.closed) call.stopLater(GrpcStatus.UNAVAILABLE, 'the caller is closed');
    else this.admit(call);
    return call;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.cancelConnect?.();
    for (const call of [...this.waiting])
      call.stop(GrpcStatus.UNAVAILABLE, 'the caller was closed');
    for (const connection of [...this.connections]) connection.destroy('the caller was closed');
  }

  onSettled(call: CarriedCall): void {
    if (call instanceof UnaryCall) this.deadlines.remove(call);
    this.stopWaiting(call);
  }

  onReady(connection: CallConnection): void {
    if (connection !== this.connection) return;
    this.cancelConnect?.();
    this.connected = true;
    this.backoff.reset();
    this.pump();
  }

  onRoom(connection: CallConnection): void {
    if (connection === this.connection && this.waiting.size > 0) this.pump();
  }

  onLeaving(connection: CallConnection): void {
    if (connection !== this.connection) return;
    this.lastFault = 'the peer goes away';
    if (!this.carried) this.pause();
    this.forgetConnection();
    if (this.waiting.size > 0) this.dial();
  }

  onReturned(call: CarriedCall): void {
    if (call.settled) return;
    if (this.closed || this.crowded(call) || !call.takeBack()) {
      call.lose('the peer did not look at the call', true);
      return;
    }
    this.wait(call);
    this.returned.push(call);
    if (this.connection === null) this.dial();
    else this.pump();
  }

  onClosed(connection: CallConnection, reason: string): void {
    this.connections.delete(connection);
    if (connection !== this.connection) return;
    this.lastFault = reason;
    if (!this.carried) this.pause();
    this.forgetConnection();
    if (!this.closed && this.waiting.size > 0) this.dial();
  }

  private admit(call: CarriedCall): void {
    const { connection } = this;
    if (connection !== null && connection.open && this.waiting.size === 0) {
      if (this.sendOn(connection, call)) return;
    } else if (connection === null && this.clock.now() < this.pausedUntil) {
      call.stopLater(GrpcStatus.UNAVAILABLE, this.faultLine());
      return;
    }
    if (this.crowded(call)) {
      call.stopLater(GrpcStatus.RESOURCE_EXHAUSTED, 'too many calls wait for the connection');
      return;
    }
    this.wait(call);
    if (this.connection === null) this.dial();
  }

  private crowded(call: CarriedCall): boolean {
    const bytes = this.waitingBytes + sizeOf(call);
    return this.waiting.size >= MAX_WAITING_CALLS || bytes > MAX_WAITING_BYTES;
  }

  private wait(call: CarriedCall): void {
    this.waiting.add(call);
    this.waitingBytes += sizeOf(call);
  }

  private stopWaiting(call: CarriedCall): void {
    if (this.waiting.delete(call)) this.waitingBytes -= sizeOf(call);
  }

  /** Sends what waits, as far as the peer allows. */
  private pump(): void {
    const returned = this.returned.sort((one, other) => one.order - other.order);
    this.returned = [];
    for (const call of returned) if (!this.sendWaiting(call)) this.returned.push(call);
    if (this.returned.length > 0) return;
    for (const call of this.waiting) if (!this.sendWaiting(call)) return;
  }

  /** @returns false where it has to go on waiting. */
  private sendWaiting(call: CarriedCall): boolean {
    if (call.settled) return true;
    const { connection } = this;
    if (connection === null || !connection.open) return false;
    if (!this.sendOn(connection, call)) return false;
    this.stopWaiting(call);
    return true;
  }

  private sendOn(connection: CallConnection, call: CarriedCall): boolean {
    call.sentAt = this.clock.now();
    if (!connection.send(call)) return false;
    this.carried = true;
    return true;
  }

  private dial(): void {
    const target = parseAddress(this.address);
    const { secret } = this.tuning;
    const now = this.clock.now();
    if (now < this.pausedUntil) {
      for (const call of this.waiting) call.stopLater(GrpcStatus.UNAVAILABLE, this.faultLine());
      return;
    }
    this.attempts++;
    const connection = this.connect(
      {
        host: target?.host ?? '',
        port: target?.port ?? 0,
        authority: this.address,
        tls: this.tls(),
        authorization: secret === undefined ? null : `Bearer ${secret}`,
        clock: this.clock,
        keepaliveMs: this.tuning.keepaliveMs ?? DEFAULT_KEEPALIVE_MS,
        pingTimeoutMs: this.tuning.pingTimeoutMs,
        maxMessageBytes: this.maxMessageBytes,
      },
      this,
    );
    this.connection = connection;
    this.connections.add(connection);
    this.cancelConnect = this.clock.after(CONNECT_TIMEOUT_MS, () =>
      connection.destroy(`no HTTP/2 peer answered within ${CONNECT_TIMEOUT_MS / 1000} s`),
    );
  }

  private forgetConnection(): void {
    this.cancelConnect?.();
    this.cancelConnect = null;
    this.connection = null;
    this.connected = this.carried = false;
  }

  /** Every failed attempt makes the pause longer, up to the limit. */
  private pause(): void {
    this.pausedUntil = this.clock.now() + this.backoff.next();
  }

  private faultLine(): string {
    return `cannot connect to ${this.address}: ${this.lastFault}`;
  }
}

/** Bytes that wait with a call; those of a stream are bounded by its own gate. */
function sizeOf(call: CarriedCall): number {
  return call.request?.length ?? 0;
}
