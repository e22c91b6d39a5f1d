import { rootCertificates } from 'node:tls';
import { SystemClock } from '../../base/clock.js';
import type { Clock } from '../../base/clock.js';
import type { Link, LinkClosed } from '../../link/link.js';
import { StreamLink } from '../../link/stream-link.js';
import type { QuicConnectionObserver } from '../../quic/connection-observer.js';
import { QuicClient } from '../../quic/quic-client.js';
import type { QuicClosed } from '../../quic/quic-closed.js';
import type { TransportLimits } from '../../quic/limits.js';
import { silentLogger } from '../../telemetry/log.js';
import { Metrics } from '../../telemetry/metrics.js';
import type { QuicMetrics } from '../../telemetry/quic-metrics.js';
import { ErrorCode } from '../../wire/error-catalogue.js';
import type { PathProbe, Transport } from './core/transport.js';
import { targetOf } from './gateway-address.js';
import type { TlsOptions } from './gateway-address.js';

/** The protocol name of the gateway (WIRE.md, "Client edge"). */
const ALPN = 'gatesvr';

export interface QuicTransportOptions extends TlsOptions {
  /** How long the path may be silent before the connection is given up, ms. Default 60,000. */
  readonly idleTimeoutMs?: number;
  /** A QuicClient of one's own: thousands of clients over one socket. Its trust and limits apply. */
  readonly shared?: QuicClient;
}

/** Of a QuicClient; `shared` would be another one. */
export interface QuicClientSettings extends Omit<QuicTransportOptions, 'shared'> {
  /** How long a handshake may take, ms. Default 10,000; a GatewayClient's own timeouts go before it. */
  readonly handshakeTimeoutMs?: number;
}

/** The QuicClient behind a transport, also for one to share between many. */
export function createQuicClient(
  options: QuicClientSettings = {},
  metrics: QuicMetrics = new Metrics().quic,
): QuicClient {
  const { ca = rootCertificates.join('\n'), insecure = false } = options;
  const { idleTimeoutMs, handshakeTimeoutMs } = options;
  const limits: Partial<TransportLimits> = {
    ...(idleTimeoutMs === undefined ? {} : { idleTimeout: idleTimeoutMs }),
    ...(handshakeTimeoutMs === undefined ? {} : { handshakeTimeout: handshakeTimeoutMs }),
  };
  return new QuicClient({
    trust: { ca: Buffer.from(ca), verify: !insecure },
    alpns: [ALPN],
    metrics,
    log: silentLogger(),
    limits,
  });
}

/** Reaches the gateway over QUIC; each connection has a UDP socket of its own unless one is shared. */
export class QuicTransport implements Transport {
  readonly name = 'QUIC';
  private readonly clock: Clock = new SystemClock();
  private readonly metrics = new Metrics().quic;
  private readonly probes = new WeakMap<Link, PathProbe>();

  constructor(private readonly options: QuicTransportOptions = {}) {}

  async open(address: string, signal: AbortSignal): Promise<Link> {
    const target = targetOf(address, this.options.serverName);
    const { shared } = this.options;
    const client = shared ?? createQuicClient(this.options, this.metrics);
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
