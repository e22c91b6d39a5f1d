import { formatAddress } from '../../base/address.js';
import { SystemClock } from '../../base/clock.js';
import type { Clock } from '../../base/clock.js';
import type { Link, LinkClosed } from '../../link/link.js';
import { StreamLink } from '../../link/stream-link.js';
import type { QuicConnectionObserver } from '../../quic/connection-observer.js';
import type { QuicClient } from '../../quic/quic-client.js';
import type { QuicClosed } from '../../quic/quic-closed.js';
import { Metrics } from '../../telemetry/metrics.js';
import { ErrorCode } from '../../wire/error-catalogue.js';
import type { PathProbe, Transport } from './core/transport.js';
import { StaggeredRace } from './core/staggered-race.js';
import { targetOf } from './gateway-address.js';
import type { Target } from './gateway-address.js';
import { targetsOf } from './name-addresses.js';
import { createQuicClient } from './quic-client.js';
import type { QuicClientSettings, QuicTransportOptions, SharedQuicClient } from './quic-options.js';

/** How long an address of a name may stay silent before the next one is tried beside it, ms (RFC 8305 section 8). */
const NEXT_ADDRESS_MS = 250;

/** A QUIC client to share between many transports; stop it when they are done. */
export function createSharedQuicClient(settings: QuicClientSettings = {}): SharedQuicClient {
  return createQuicClient(settings);
}

/** Reaches the gateway over QUIC; each connection has a UDP socket of its own unless one is shared. */
export class QuicTransport implements Transport {
  readonly name = 'QUIC';
  private readonly clock: Clock = new SystemClock();
  private readonly metrics = new Metrics().quic;
  private readonly probes = new WeakMap<Link, PathProbe>();

  constructor(private readonly options: QuicTransportOptions = {}) {}

  async open(address: string, signal: AbortSignal): Promise<Link> {
    const targets = await targetsOf(targetOf(address, this.options.serverName));
    const contenders = targets.map((target) => ({
      name: formatAddress(target.host, target.port),
      open: (own: AbortSignal) => this.openAt(target, own),
    }));
    const { clock } = this;
    const options = { clock, headStart: () => NEXT_ADDRESS_MS, onFailure: 'next' } as const;
    return (await new StaggeredRace(contenders, options, signal).run()).link;
  }

  private async openAt(target: Target, signal: AbortSignal): Promise<Link> {
    const { shared } = this.options;
    // Declared without its methods: the types of the QUIC library need the DOM's, which Node has not.
    const own = shared as QuicClient | undefined;
    const client = own ?? createQuicClient(this.options, this.metrics);
    // A socket of one's own goes with its connection, or it would keep the process alive.
    const release = (): void => {
      if (shared === undefined) void client.stop().catch(() => undefined);
    };
    let link: StreamLink | null = null;
    signal.addEventListener('abort', () => link === null && release(), { once: true });
    try {
      const observer: QuicConnectionObserver = {
        onStream: (stream) => stream.reset(ErrorCode.Forbidden),
        onClosed: (closed) => {
          link?.connectionClosed(linkClosedOf(closed));
          release();
        },
      };
      const connection = await client.connect(target, observer, signal);
      link = new StreamLink('quic', connection.openStream(), connection, this.clock);
      this.probes.set(link, {
        ping: () => connection.ping(),
        arrivals: () => (connection.closed ? -1 : connection.stats().received),
      });
      return link;
    } catch (error) {
      release();
      throw error;
    }
  }

  probe(link: Link): PathProbe | undefined {
    return this.probes.get(link);
  }
}

/** Only application codes are codes of the gateway. */
function linkClosedOf(closed: QuicClosed): LinkClosed {
  if (closed.application) return { code: closed.code, reason: closed.reason, by: closed.by };
  const by = closed.by === 'local' ? 'local' : 'loss';
  return { code: 0, reason: closed.reason || 'connection lost', by };
}
