import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../base/clock.js';

/** How long packets are counted before it is judged whether they are many, ms. */
const WINDOW_MS = 20;

/** Packets of a window that are many, as a broadcast makes them: 15,000 a second, and 2 ms for their finalizers. */
const MANY_PACKETS = 300;

/** Connections that began since the last collection and are many. */
const MANY_CONNECTIONS = 8;

/**
 * Least time between collections because of connections, ms. More often they move handshakes under way to old
 * space, whose collections, rarer and longer, come sooner then: with 20 ms p99 beside hostile clients was worse.
 */
const CONNECTIONS_INTERVAL_MS = 50;

/**
 * Has V8 collect young objects early while there are many packets or new connections. Left alone it waits for 13 MB
 * of them. With each packet that quiche makes comes a handle, whose finalizer runs after the next collection, one
 * behind the other, some 5 us each; and what is alive, mostly handshakes under way, is copied: together 10 to 20 ms
 * in which nobody is served (docs/PERFORMANCE-NOTES.md, "Pauses"). Elsewhere nothing is done: it would pay nobody.
 */
export class EarlyCollection {
  private packets = 0;
  private connections = 0;
  private windowBegan = -Infinity;
  private collected = -Infinity;

  /** @param collect collects young objects, and takes its time for that; see minorCollector(). */
  constructor(
    private readonly clock: Clock,
    private readonly collect: () => void,
  ) {}

  packetMade(): void {
    this.packets++;
  }

  connectionBegins(): void {
    this.connections++;
  }

  /** To be called when everything of a turn was sent: nobody waits for a collection that can wait for them. */
  turnEnds(): void {
    const now = this.clock.now();
    if (now - this.windowBegan < WINDOW_MS) return;
    const due = this.packets >= MANY_PACKETS || this.crowded(now);
    this.packets = 0;
    this.windowBegan = now;
    if (!due) return;
    this.connections = 0;
    this.collect();
    this.windowBegan = this.collected = this.clock.now();
  }

  private crowded(now: number): boolean {
    return this.connections >= MANY_CONNECTIONS && now - this.collected >= CONNECTIONS_INTERVAL_MS;
  }
}

/**
 * V8's own function for a collection of young objects, which it shows to new contexts while a flag is set; one that
 * does nothing where it shows none.
 */
export function minorCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('globalThis.gc') as
    ((options: { type: 'minor' }) => void) | undefined;
  setFlagsFromString('--no-expose-gc');
  return () => collect?.({ type: 'minor' });
}
