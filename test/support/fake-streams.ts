import type {
  ClientStream,
  StreamEnd,
  StreamObserver,
  StreamOpener,
} from '../../src/grpc/message-stream.js';
import { GrpcStatus } from '../../src/grpc/unary-caller.js';

/** One stream that the code under test opened; the test is its peer. */
export class FakeStream implements ClientStream {
  readonly written: Uint8Array[] = [];
  /** What `write` answers. */
  goesOn = true;
  ended = false;
  cancelled = false;
  paused = false;
  readonly queuedBytes = 0;
  private over = false;

  constructor(
    readonly method: string,
    readonly observer: StreamObserver,
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

  open(method: string, observer: StreamObserver): ClientStream {
    const stream = new FakeStream(method, observer);
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
