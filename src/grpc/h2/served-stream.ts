import type { Decompressor } from '../message-encoding.js';
import { MessageIntake } from '../message-intake.js';
import type { IntakeSink } from '../message-intake.js';
import type { ResponseStream, StreamCall, StreamMethod } from '../server-method.js';
import { GrpcStatus } from '../unary-caller.js';
import { WriteGate } from '../write-gate.js';
import type { FramedStream } from './framed-stream.js';
import { ServedCall } from './served-call.js';
import type { CallCarrier } from './served-call.js';

/** A streaming call: the way back to its caller, and what its method hears of it. */
export class ServedStream extends ServedCall implements ResponseStream, IntakeSink {
  private readonly gate: WriteGate;
  private readonly intake: MessageIntake;
  private served: StreamCall | null = null;
  private ended = false;

  constructor(
    carrier: CallCarrier,
    private readonly method: StreamMethod,
    deadline: number,
    decompressor: Decompressor | null,
    maxMessageBytes: number,
  ) {
    super(carrier, deadline, decompressor, maxMessageBytes);
    this.gate = new WriteGate(carrier.maxSent, 'response');
    this.intake = new MessageIntake(this);
  }

  override begin(stream: FramedStream<ServedCall>): void {
    super.begin(stream);
    // At once, so that the caller knows that the method is there.
    this.carrier.sendHeaders(stream);
    this.guarded(() => {
      this.served = this.method.open(this, this.carrier.peerName);
    });
  }

  get queuedBytes(): number {
    return this.gate.bytes;
  }

  write(response: Uint8Array): boolean {
    const { stream } = this;
    const { length } = response;
    if (stream === null || this.ended) return false;
    const refusal = this.gate.refusal(length);
    if (refusal !== null) {
      this.end(GrpcStatus.RESOURCE_EXHAUSTED, refusal);
      return false;
    }
    const goesOn = this.gate.enter(length);
    this.gate.given(length, stream.write(response));
    return goesOn;
  }

  end(status: number = GrpcStatus.OK, message = ''): void {
    this.finish(status, message);
  }

  override finish(status: number, details: string): void {
    if (this.ended) return;
    this.ended = true;
    this.intake.close();
    super.finish(status, details);
  }

  pause(): void {
    this.intake.pause();
    this.stream?.pause();
  }

  resume(): void {
    this.intake.resume();
    // What was kept may have made the method pause again.
    if (!this.intake.paused) this.stream?.resume();
  }

  protected takeData(chunk: Buffer): void {
    this.intake.receive(chunk);
  }

  onMessage(message: Buffer, compressed: boolean): void {
    const plain = this.plain(message, compressed);
    if (plain !== null && !this.ended) this.guarded(() => this.served?.onMessage(plain));
  }

  protected takeEnd(): void {
    this.intake.end();
  }

  onEnd(whole: boolean): void {
    if (whole) this.guarded(() => this.served?.onHalfClose());
    else this.onUnusable(false, 'the last message is cut short');
  }

  onSent(messages: number): void {
    const drained = this.gate.leaveNext(messages);
    if (drained && !this.ended) this.guarded(() => this.served?.onDrain?.());
  }

  onOver(): void {
    this.ended = true;
    this.stream = null;
    this.intake.close();
    this.carrier.release();
    // Not from within `end`, nor before `open` has returned.
    queueMicrotask(() => this.guarded(() => this.served?.onClosed()));
  }

  private guarded(run: () => void): void {
    try {
      run();
    } catch {
      this.end(GrpcStatus.INTERNAL, 'internal error');
    }
  }
}
