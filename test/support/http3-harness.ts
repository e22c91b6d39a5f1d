import { Registry } from 'prom-client';
import { SystemClock } from '../../src/base/clock.js';
import { TimerWheel } from '../../src/base/timer-wheel.js';
import { Http3Edge } from '../../src/edge/h3-edge.js';
import type { Http3EdgeOptions } from '../../src/edge/h3-edge.js';
import { http3Pages } from '../../src/edge/h3-pages.js';
import { Http3Metrics } from '../../src/telemetry/http3-metrics.js';
import { QuicMetrics } from '../../src/telemetry/quic-metrics.js';
import { Http3Client } from './http3-client.js';
import { QuicHarness } from './quic-harness.js';

/** The HTTP/3 edge on a QUIC server of its own, and clients; `close` ends them all. */
export class Http3Harness {
  private readonly clients: Http3Client[] = [];

  private constructor(
    readonly edge: Http3Edge,
    readonly metrics: Http3Metrics,
    readonly quic: QuicHarness,
    private readonly wheel: TimerWheel,
  ) {}

  static async start(
    options: Pick<Http3EdgeOptions, 'accept'> & Partial<Http3EdgeOptions>,
  ): Promise<Http3Harness> {
    const clock = options.clock ?? new SystemClock();
    const wheel = new TimerWheel(clock, 100);
    const metrics = new Http3Metrics(new Registry());
    const edge = new Http3Edge({
      pages: http3Pages({
        version: '1.2.3',
        readiness: () => ({ ready: true, state: 'serving' }),
        quicPort: () => 8453,
        wsPort: () => 8454,
        webTransport: true,
        idleTimeout: 90_000,
        maxInFlight: 64,
      }),
      origins: ['https://pages.example'],
      webTransport: { origins: ['https://pages.example'] },
      full: () => false,
      clock,
      wheel,
      metrics,
      rejected: new QuicMetrics(new Registry()).rejected,
      ...options,
    });
    const quic = await QuicHarness.start({ protocols: { h3: edge.accept }, limits: edge.limits });
    return new Http3Harness(edge, metrics, quic, wheel);
  }

  async connect(...how: [control?: Buffer | null, limits?: object]): Promise<Http3Client> {
    const client = await Http3Client.connect(this.quic.server.port, this.quic.ca, ...how);
    this.clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.stop()));
    this.wheel.stop();
    await this.quic.close();
  }
}
