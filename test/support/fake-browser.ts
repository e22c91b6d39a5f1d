import { TransformStream } from 'node:stream/web';
import type { Link } from '../../src/link/link.js';
import { StreamLink } from '../../src/link/stream-link.js';
import type {
  Platform,
  PlatformLocks,
  PlatformStorage,
  PlatformStream,
  PlatformWebTransport,
} from '../../src/sdk/browser/platform.js';
import { WebTransportStream } from '../../src/sdk/browser/web-transport-stream.js';
import { HoldingClock } from '../../src/sdk/client/core/holding-clock.js';

interface Closed {
  readonly closeCode: number;
  readonly reason: string;
}

/** Both ends of a WebTransport session over streams of this process. */
class FakeWebTransport implements PlatformWebTransport {
  readonly ready = Promise.resolve();
  readonly closed: Promise<Closed>;
  /** Ends the session as its peer would, or null: as a broken network does. */
  end: (closed: Closed | null) => void = () => undefined;

  constructor(private readonly accept: (link: Link) => void) {
    this.closed = new Promise((resolve, reject) => {
      this.end = (closed) => (closed === null ? reject(new Error('lost')) : resolve(closed));
    });
    this.closed.catch(() => undefined);
  }

  createBidirectionalStream(): Promise<PlatformStream> {
    const [up, down] = [pipe(), pipe()];
    const carrier = {
      remoteAddress: 'page:1',
      close: (closeCode: number, reason: string) => this.end({ closeCode, reason }),
    };
    const stream = new WebTransportStream({ readable: up.readable, writable: down.writable });
    const server = new StreamLink('webtransport', stream, carrier, new HoldingClock());
    const told = (by: 'peer' | 'loss') => (info: Closed | null) => {
      const { closeCode: code = 0, reason = '' } = info ?? {};
      server.connectionClosed({ code, reason, by });
    };
    this.closed.then(told('peer'), () => told('loss')(null));
    this.accept(server);
    return Promise.resolve({ readable: down.readable, writable: up.writable });
  }

  close(info: { closeCode?: number; reason?: string } = {}): void {
    this.end({ closeCode: info.closeCode ?? 0, reason: info.reason ?? '' });
  }
}

function pipe() {
  const window = { highWaterMark: 64 * 1024, size: (chunk: Uint8Array) => chunk.length };
  return new TransformStream<Uint8Array, Uint8Array>({}, window, { ...window, highWaterMark: 0 });
}

/** A WebTransport class whose sessions' other ends are given to `accept`, and the sessions made. */
export function fakeWebTransport(accept: (link: Link) => void) {
  const sessions: FakeWebTransport[] = [];
  const asked: unknown[][] = [];
  class WebTransport extends FakeWebTransport {
    constructor(...given: unknown[]) {
      super(accept);
      sessions.push(this);
      asked.push(given);
    }
  }
  return { WebTransport, sessions, asked };
}

/** Storage in memory; `copy` is what a duplicated tab begins with. */
export class FakeStorage implements PlatformStorage {
  constructor(readonly items = new Map<string, string>()) {}

  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }

  removeItem(key: string): void {
    this.items.delete(key);
  }

  copy(): FakeStorage {
    return new FakeStorage(new Map(this.items));
  }
}

/** The locks of one origin, which its pages share. */
export class FakeLocks {
  private readonly holders = new Map<string, object>();

  /** What one page sees of them; `leave` is its end. */
  page(): PlatformLocks & { leave(): void } {
    const { holders } = this;
    const page = {
      request: (
        name: string,
        { signal }: { signal?: AbortSignal },
        holding: (lock: unknown) => Promise<unknown>,
      ): Promise<unknown> =>
        new Promise((resolve, reject) => {
          const attempt = (): void => {
            if (holders.has(name)) return;
            clearInterval(timer);
            holders.set(name, page);
            void holding({}).then(resolve, reject);
          };
          const timer = setInterval(attempt, 5);
          signal?.addEventListener('abort', () => {
            clearInterval(timer);
            reject(signal.reason as Error);
          });
          attempt();
        }),
      leave: (): void => {
        for (const [name, holder] of holders) if (holder === page) holders.delete(name);
      },
    };
    return page;
  }
}

/** Events of a window or document, by hand. */
export class FakeEvents {
  private readonly listeners = new Map<string, Set<() => void>>();
  visibilityState = 'visible';

  readonly addEventListener = (type: string, listener: () => void): void => {
    const set = this.listeners.get(type) ?? new Set();
    this.listeners.set(type, set.add(listener));
  };

  readonly removeEventListener = (type: string, listener: () => void): void => {
    this.listeners.get(type)?.delete(listener);
  };

  fire(type: string): void {
    for (const listener of [...(this.listeners.get(type) ?? [])]) listener();
  }

  get count(): number {
    return [...this.listeners.values()].reduce((sum, { size }) => sum + size, 0);
  }
}

/** A page's platform, of what a test gives. */
export function fakePage(parts: Partial<Platform> = {}) {
  const window = new FakeEvents();
  const document = new FakeEvents();
  const { addEventListener, removeEventListener } = window;
  const platform: Platform = { addEventListener, removeEventListener, document, ...parts };
  return { platform, window, document };
}
