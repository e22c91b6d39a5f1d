import type { ByteStream, ByteStreamObserver } from '../../link/stream-link.js';
import type { PlatformReader, PlatformStream, PlatformWriter } from './platform.js';

/**
 * A bidirectional stream of WebTransport as a ByteStream. At most one chunk is read ahead, so that a
 * pause holds the gateway by flow control; what is written in one turn leaves as one write.
 */
export class WebTransportStream implements ByteStream {
  private observer: ByteStreamObserver | null = null;
  private readonly reader: PlatformReader;
  private readonly writer: PlatformWriter;
  private chunk: Uint8Array | null = null;
  private reading = false;
  private paused = false;
  private ended = false;
  private arrived = 0;
  /** Written and not yet given to the browser. */
  private waiting: Uint8Array[] = [];
  private buffered = 0;
  private writing = false;
  /** Our side ends after what was written. */
  private ending = false;
  private wakeMark = -1;

  constructor(stream: PlatformStream) {
    this.reader = stream.readable.getReader();
    this.writer = stream.writable.getWriter();
  }

  get bufferedBytes(): number {
    return this.buffered;
  }

  get readEnded(): boolean {
    return this.ended && this.chunk === null;
  }

  /** Bytes that ever came. */
  get arrivedBytes(): number {
    return this.arrived;
  }

  bind(observer: ByteStreamObserver): void {
    this.observer = observer;
    this.pull();
  }

  read(): Uint8Array | null {
    const { chunk } = this;
    this.chunk = null;
    if (chunk === null) this.pull();
    return chunk;
  }

  write(chunk: Uint8Array): void {
    this.waiting.push(chunk);
    this.buffered += chunk.length;
    this.flushSoon();
  }

  /** The code goes by the session's close: an end of a stream carries none. */
  end(): void {
    this.ending = true;
    this.flushSoon();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    queueMicrotask(() => this.tell());
  }

  wakeBelow(bytes: number): void {
    this.wakeMark = bytes;
  }

  private pull(): void {
    if (this.reading || this.ended || this.paused || this.chunk !== null) return;
    this.reading = true;
    this.reader.read().then(
      ({ done, value }) => {
        this.reading = false;
        if (done) this.ended = true;
        else this.take(value);
        this.tell();
      },
      (error: unknown) => this.broken(error),
    );
  }

  private take(value: Uint8Array | undefined): void {
    this.chunk = value ?? null;
    this.arrived += value?.length ?? 0;
  }

  private tell(): void {
    if (!this.paused) this.observer?.onReadable();
  }

  private flushSoon(): void {
    if (this.writing) return;
    this.writing = true;
    queueMicrotask(() => void this.flush());
  }

  private async flush(): Promise<void> {
    try {
      while (this.waiting.length > 0) {
        const bytes = joined(this.waiting);
        this.waiting = [];
        await this.writer.write(bytes);
        this.buffered -= bytes.length;
        this.drained();
      }
      this.writing = false;
      if (this.ending) await this.writer.close();
    } catch (error) {
      this.broken(error);
    }
  }

  private drained(): void {
    if (this.buffered > this.wakeMark) return;
    this.wakeMark = -1;
    this.observer?.onDrained();
  }

  /** Where the whole session ended, its own end follows and says why. */
  private broken(error: unknown): void {
    const { source, streamErrorCode } = error as { source?: string; streamErrorCode?: number };
    if (source !== 'session') this.observer?.onAborted(streamErrorCode ?? 0);
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
