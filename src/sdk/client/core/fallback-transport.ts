import type { Clock } from '../../../base/clock.js';
import type { Link } from '../../../link/link.js';
import { StaggeredRace } from './staggered-race.js';
import type { PathProbe, Transport } from './transport.js';

/** How long the first transport may take before the second is tried beside it, ms. */
const HEAD_START_MS = 3_000;

/**
 * How long the second transport is tried first after the first had to give way, ms: the network
 * that blocked it is most likely still there, but a laptop moves on.
 */
const REMEMBER_MS = 10 * 60_000;

export interface FallbackOptions {
  readonly clock: Clock;
  readonly headStartMs?: number;
  readonly rememberMs?: number;
  /** Default: as long as the transport lives. */
  readonly memory?: FallbackMemory;
}

/** Keeps for which addresses the other transport goes first. */
export interface FallbackMemory {
  otherFirst(address: string): boolean;
  /** @param forMs how long, ms. */
  remember(address: string, forMs: number): void;
  forget(address: string): void;
}

class OwnMemory implements FallbackMemory {
  /** Until when (clock ms), by address. */
  private readonly until = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  otherFirst(address: string): boolean {
    return (this.until.get(address) ?? -Infinity) > this.clock.now();
  }

  remember(address: string, forMs: number): void {
    this.until.set(address, this.clock.now() + forMs);
  }

  forget(address: string): void {
    this.until.delete(address);
  }
}

/**
 * Two ways to a gateway: the preferred one, and another for networks that do not let it through. The
 * other is tried when the first has failed or taken too long; who is ready first wins. What won is
 * remembered for an address and goes first next time.
 */
export class FallbackTransport implements Transport {
  readonly name: string;
  private readonly memory: FallbackMemory;

  constructor(
    private readonly preferred: Transport,
    private readonly other: Transport,
    private readonly options: FallbackOptions,
  ) {
    this.name = `${preferred.name} or ${other.name}`;
    this.memory = options.memory ?? new OwnMemory(options.clock);
  }

  async open(address: string, signal: AbortSignal): Promise<Link> {
    const { clock, headStartMs = HEAD_START_MS, rememberMs = REMEMBER_MS } = this.options;
    const swapped = this.memory.otherFirst(address);
    const order = swapped ? [this.other, this.preferred] : [this.preferred, this.other];
    const { link, index } = await new StaggeredRace(
      order.map((transport) => ({
        name: transport.name,
        open: async (own) => transport.open(address, own),
      })),
      { clock, headStart: () => headStartMs, onFailure: 'next' },
      signal,
    ).run();
    if (order[index] === this.preferred) this.memory.forget(address);
    else if (!swapped) this.memory.remember(address, rememberMs);
    return link;
  }

  probe(link: Link): PathProbe | undefined {
    return this.preferred.probe?.(link) ?? this.other.probe?.(link);
  }
}
