import { DELIVERY_ANSWER } from './audience.js';
import type { EchoConnection } from './echo-load.js';
import type { QuicStream } from '../../quic/quic-stream.js';

/** What every byte of a frame counts up to: one of DELIVERY_ANSWER is no such byte. */
const FRAME_NUMBERS = 0x7f;

/** One connection that has had its first frame echoed, waits, and answers every delivery. */
export class DeliveryEnd {
  /** Resolves when the first frame is back. */
  readonly ready: Promise<void>;
  private readonly stream: QuicStream;
  /** Frames that came whole, the echo of the first one among them. */
  private frames = 0;
  private missing: number;
  private onFrame: () => void = () => undefined;
  private onBroken: (error: Error) => void = () => undefined;

  /** @param bytes of the first frame, and of every delivery. */
  constructor(
    { connection, ended }: EchoConnection,
    private readonly bytes: number,
  ) {
    this.missing = bytes;
    this.stream = connection.openStream();
    this.stream.bind({
      onReadable: () => {
        for (let got = this.stream.read(); got !== null; got = this.stream.read()) this.take(got);
      },
      onDrained: () => undefined,
      onAborted: (code) => this.onBroken(new Error(`a stream broke off with ${code}`)),
    });
    void ended.then(({ reason }) => this.onBroken(new Error(`a connection ended: ${reason}`)));
    this.ready = this.next();
    this.stream.write(Buffer.alloc(bytes));
  }

  /**
   * Resolves when the next frame has come and, where it is a delivery, is answered.
   * @throws {Error} where a byte was wrong, or stream or connection ended before.
   */
  next(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onFrame = resolve;
      this.onBroken = reject;
    });
  }

  /** Sends a frame that is echoed, and resolves as `next()` when the echo is back and answered. */
  ask(): Promise<void> {
    const echoed = this.next();
    this.stream.write(Buffer.alloc(this.bytes, this.frames & FRAME_NUMBERS));
    return echoed;
  }

  private take(got: Uint8Array): void {
    const expected = this.frames & FRAME_NUMBERS;
    if (got.length > this.missing || got.some((byte) => byte !== expected)) {
      this.onBroken(new Error('a wrong delivery'));
    }
    this.missing -= got.length;
    if (this.missing > 0) return;
    this.missing = this.bytes;
    if (this.frames++ > 0) this.stream.write(DELIVERY_ANSWER);
    this.onFrame();
  }
}
