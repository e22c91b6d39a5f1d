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
}

/**
 * Two ways to a gateway: the preferred one, and another for networks that do not let it through. The
 * other is tried when the first has failed or taken too long; who is ready first wins. What won is
 * remembered for an address and goes first next time.
 */
export class FallbackTransport implements Transport {
  readonly name: string;
  /** Until when (clock ms) the other goes first, by address. */
  private readonly otherFirst = new Map<string, number>();

  constructor(
    private readonly preferred: Transport,
    private readonly other: Transport,
    private readonly options: FallbackOptions,
  ) {
    this.name = `${preferred.name} or ${other.name}`;
  }

  async open(address: string, signal: AbortSignal): Promise<Link> {
    const { clock, headStartMs = HEAD_START_MS, rememberMs = REMEMBER_MS } = this.options;
    const swapped = (this.otherFirst.get(address) ?? -Infinity) > clock.now();
    const order = swapped ? [this.other, this.preferred] : [this.preferred, this.other];
    const { link, index } = await new StaggeredRace(
      order.map((transport) => ({
        name: transport.name,
        open: async (own) => transport.open(address, own),
      })),
      { clock, headStart: () => headStartMs, onFailure: 'next' },
      signal,
    ).run();
    if (order[index] === this.preferred) this.otherFirst.delete(address);
    else if (!swapped) this.otherFirst.set(address, clock.now() + rememberMs);
    return link;
  }

  probe(link: Link): PathProbe | undefined {
    return this.preferred.probe?.(link) ?? this.other.probe?.(link);
  }
}
