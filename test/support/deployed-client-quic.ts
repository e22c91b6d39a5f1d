import { SystemClock } from '../../src/base/clock.js';
import type { Link } from '../../src/link/link.js';
import { StreamLink } from '../../src/link/stream-link.js';
import { QuicClient } from '../../src/quic/quic-client.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { parseAddress } from '../../src/base/address.js';

/** Opens connections as deployed clients do: ALPN `gatesvr`, idle timeout 30 s, no keepalive. */
export class DeployedQuic {
  private readonly client = new QuicClient({
    trust: { verify: false },
    alpns: ['gatesvr'],
    metrics: new Metrics().quic,
    log: silentLogger(),
    limits: { idleTimeout: 30_000 },
  });

  /** @param address `host:port` of the gateway. */
  constructor(private readonly address: () => string) {}

  readonly open = async (): Promise<Link> => {
    const target = parseAddress(this.address());
    if (target === null) throw new Error(`${this.address()} is no address`);
    let link: StreamLink | null = null;
    const connection = await this.client.connect(target, {
      onStream: (stream) => stream.reset(0),
      onClosed: ({ application, code, reason, by }) =>
        link?.connectionClosed({ code: application ? code : 0, reason, by }),
    });
    link = new StreamLink('quic', connection.openStream(), connection, new SystemClock());
    return link;
  };

  /** Another local port for every connection, as a NAT rebinding would give it. */
  async rebind(): Promise<void> {
    await this.client.rebind();
  }

  async stop(): Promise<void> {
    await this.client.stop();
  }
}
