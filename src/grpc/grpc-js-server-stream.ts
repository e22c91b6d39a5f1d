import type { ServerDuplexStream } from '@grpc/grpc-js';
import { grpcJs } from './grpc-js-library.js';
import type { ResponseStream, StreamCall, StreamMethod } from './server-method.js';
import { GrpcStatus } from './unary-caller.js';
import { WriteGate } from './write-gate.js';

/** One call of a streaming method: the way back to its caller, and what its server hears of it. */
export class GrpcJsServerStream implements ResponseStream {
  private readonly gate = new WriteGate();
  private served: StreamCall | null = null;
  private over = false;

  constructor(private readonly call: ServerDuplexStream<Buffer, Buffer>) {
    // grpc-js ends the call by itself on errors of the connection.
    call.on('error', () => undefined);
    call.on('close', () => this.onClose());
  }

  /** Lets the method have the call. What the method throws ends it with INTERNAL, without its text. */
  serve(method: StreamMethod): void {
    // At once, so that the caller knows that the method is there.
    const { Metadata } = grpcJs();
    this.call.sendMetadata(new Metadata());
    this.guarded(() => {
      const served = method.open(this, this.call.getPeer());
      this.served = served;
      this.call.on('data', (request: Buffer) => {
        if (!this.over) this.guarded(() => served.onMessage(request));
      });
      this.call.on('end', () => {
        if (!this.over) this.guarded(() => served.onHalfClose());
      });
    });
  }

  get queuedBytes(): number {
    return this.gate.bytes;
  }

  write(response: Uint8Array): boolean {
    if (this.over) return false;
    const { length } = response;
    const refusal = this.gate.refusal(length);
    if (refusal !== null) {
      this.end(GrpcStatus.RESOURCE_EXHAUSTED, refusal);
      return false;
    }
    const goesOn = this.gate.enter(length);
    this.call.write(response as Buffer, () => this.onSent(length));
    return goesOn;
  }

  end(status: number = GrpcStatus.OK, message = ''): void {
    if (this.over) return;
    this.over = true;
    if (status === GrpcStatus.OK) this.call.end();
    else this.call.emit('error', { code: status, details: message });
  }

  pause(): void {
    this.call.pause();
  }

  resume(): void {
    this.call.resume();
  }

  private onSent(bytes: number): void {
    const drained = this.gate.leave(bytes);
    if (drained && !this.over) this.guarded(() => this.served?.onDrain?.());
  }

  private onClose(): void {
    this.over = true;
    const { served } = this;
    this.served = null;
    if (served !== null) this.guarded(() => served.onClosed());
  }

  private guarded(run: () => void): void {
    try {
      run();
    } catch {
      this.end(GrpcStatus.INTERNAL, 'internal error');
    }
  }
}
