import { SystemClock } from '../../src/base/clock.js';
import type { DevelopmentCertificates } from '../../src/config/certificates.js';
import { GATESVR_ALPN, quicEdge } from '../../src/edge/quic-edge.js';
import { QuicServer } from '../../src/quic/quic-server.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { FakeGateway } from './fake-gateway.js';
import { sharedCertificates } from './shared-certificates.js';

export { until } from './until.js';

/** A fake gateway behind real QUIC on 127.0.0.1. */
export class QuicFakeGateway extends FakeGateway {
  private constructor(
    private readonly server: QuicServer,
    /** PEM of the authority that signed its certificate. */
    readonly ca: string,
  ) {
    super();
  }

  get address(): string {
    return `127.0.0.1:${this.server.port}`;
  }

  static async start(port = 0): Promise<QuicFakeGateway> {
    const made = await certificates();
    const accept: { gateway: QuicFakeGateway | null } = { gateway: null };
    const metrics = new Metrics().quic;
    const server = new QuicServer({
      host: '127.0.0.1',
      port,
      identity: { cert: Buffer.from(made.certificate), key: Buffer.from(made.key) },
      protocols: {
        [GATESVR_ALPN]: quicEdge({
          accept: (link) => void accept.gateway?.serve(link),
          clock: new SystemClock(),
          metrics,
        }),
      },
      metrics,
      log: silentLogger(),
    });
    accept.gateway = new QuicFakeGateway(server, made.ca);
    await server.start();
    return accept.gateway;
  }

  async stop(): Promise<void> {
    await this.server.stop();
  }
}

let once: Promise<DevelopmentCertificates> | null = null;

/** One set of certificates serves all tests of a file. */
function certificates(): Promise<DevelopmentCertificates> {
  return (once ??= sharedCertificates());
}
