import type {
  ClientStream,
  StreamEnd,
  StreamObserver,
  StreamOpener,
} from '../../src/grpc/message-stream.js';
import type { ResponseStream } from '../../src/grpc/server-method.js';
import { GrpcStatus } from '../../src/grpc/unary-caller.js';
import { WriteGate } from '../../src/grpc/write-gate.js';

/** One stream that the code under test opened; the test is its peer. */
export class FakeStream implements ClientStream {
  readonly written: Uint8Array[] = [];
  ended = false;
  cancelled = false;
  paused = false;
  readonly queuedBytes = 0;
  private over = false;

  constructor(
    readonly method: string,
    readonly observer: StreamObserver,
    /** What `write` answers. */
    public goesOn = true,
    public connected = true,
  ) {}

  write(message: Uint8Array): boolean {
    if (this.over) return false;
    this.written.push(message);
    return this.goesOn;
  }

  end(): void {
    this.ended = true;
  }

  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    queueMicrotask(() => this.close({ status: GrpcStatus.CANCELLED }));
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  /** The peer says something. */
  say(message: Uint8Array): void {
    if (!this.over) this.observer.onMessage(message);
  }

  close(end: Partial<StreamEnd> = {}): void {
    if (this.over) return;
    this.over = true;
    const good = { status: GrpcStatus.OK, message: 'over', neverSent: false };
    this.observer.onClosed({ ...good, ...end });
  }
}

/** Opens streams whose peer is the test. */
export class FakeOpener implements StreamOpener {
  readonly maxMessageBytes = 4 * 1_048_576;
  readonly streams: FakeStream[] = [];
  /** What `write` of the next streams answers. */
  goesOn = true;
  /** Whether the next streams have their connection at once. */
  connected = true;

  open(method: string, observer: StreamObserver): ClientStream {
    const stream = new FakeStream(method, observer, this.goesOn, this.connected);
    this.streams.push(stream);
    return stream;
  }

  /** The latest stream. */
  last(): FakeStream {
    const stream = this.streams.at(-1);
    if (stream === undefined) throw new Error('nothing was opened');
    return stream;
  }
}

/** The way back to a caller that is the test; as a ServerStream, it ends the call of a writer that does not wait. */
export class FakeResponses implements ResponseStream {
  /** What the caller has read. */
  readonly read: Uint8Array[] = [];
  paused = false;
  /** The status of the end; null: the call is under way. */
  ended: number | null = null;
  onDrain: () => void = () => undefined;
  private readonly gate = new WriteGate();
  private unread: Uint8Array[] = [];
  private reads = true;

  get queuedBytes(): number {
    return this.gate.bytes;
  }

  write(message: Uint8Array): boolean {
    if (this.ended !== null) return false;
    if (this.gate.refusal(message.length) !== null) {
      this.end(GrpcStatus.RESOURCE_EXHAUSTED);
      return false;
    }
    const goesOn = this.gate.enter(message.length);
    this.unread.push(message);
    if (!this.reads) return goesOn;
    this.take();
    return true;
  }

  end(status: number = GrpcStatus.OK): void {
    this.ended ??= status;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  /** Whether the caller reads. */
  setReading(reads: boolean): void {
    this.reads = reads;
    while (this.reads && this.unread.length > 0) if (this.take()) this.onDrain();
  }

  private take(): boolean {
    const message = this.unread.shift() as Uint8Array;
    this.read.push(message);
    return this.gate.leave(message.length);
  }
}
