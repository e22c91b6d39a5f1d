import type { Link, LinkClosed, LinkObserver } from '../../src/link/link.js';
import type { ErrorCode } from '../../src/wire/error-catalogue.js';
import { PATIENCE_MS } from '../support/patience.js';

/**
 * Writes down what a Link says and holds it to its contract: no call from inside a call to the same
 * Link, nothing after onClosed.
 */
export class RecordingObserver implements LinkObserver {
  readonly frames: Buffer[] = [];
  readonly bad: { code: ErrorCode; reason: string }[] = [];
  readonly closed: LinkClosed[] = [];
  readonly breaches: string[] = [];
  writable = 0;
  /** What the test wants done inside the callbacks. */
  onEachFrame: ((frame: Buffer) => void) | null = null;
  private callDepth = 0;
  private readonly waiting = new Set<() => void>();

  /** @param unwrap what the test put into a frame, out of it. */
  constructor(
    readonly link: Link,
    private readonly unwrap: (frame: Buffer) => Buffer = (frame) => frame,
  ) {
    link.bind(this);
  }

  /** Calls the Link; a callback that happens meanwhile is a breach. */
  call<T>(use: (link: Link) => T): T {
    this.callDepth++;
    try {
      return use(this.link);
    } finally {
      this.callDepth--;
    }
  }

  onFrame(frame: Uint8Array): void {
    this.note('onFrame');
    const copy = this.unwrap(Buffer.from(frame));
    this.frames.push(copy);
    this.onEachFrame?.(copy);
    this.wake();
  }

  onBadFrame(code: ErrorCode, reason: string): void {
    this.note('onBadFrame');
    this.bad.push({ code, reason });
    this.wake();
  }

  onWritable(): void {
    this.note('onWritable');
    this.writable++;
    this.wake();
  }

  onClosed(closed: LinkClosed): void {
    this.note('onClosed');
    this.closed.push(closed);
    this.wake();
  }

  /** Waits until `reached`, looking again after each call of the Link. */
  async until(reached: () => boolean, what: string): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    while (!reached()) {
      if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
      await this.nextCall();
    }
  }

  private nextCall(): Promise<void> {
    return new Promise((done) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.waiting.delete(finish);
        done();
      };
      const timer = setTimeout(finish, 20);
      this.waiting.add(finish);
    });
  }

  private note(call: string): void {
    if (this.callDepth > 0) this.breaches.push(`${call} inside a call to the link`);
    if (this.closed.length > 0) this.breaches.push(`${call} after onClosed`);
  }

  private wake(): void {
    for (const finish of [...this.waiting]) finish();
  }
}
