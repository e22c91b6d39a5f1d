import { Registry } from 'prom-client';
import { SystemClock } from '../../src/base/clock.js';
import { TimerWheel } from '../../src/base/timer-wheel.js';
import { WsServer } from '../../src/edge/ws-server.js';
import type { WsServerOptions } from '../../src/edge/ws-server.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { QuicMetrics } from '../../src/telemetry/quic-metrics.js';
import { WsMetrics } from '../../src/telemetry/ws-metrics.js';
import { testIdentity } from './quic-harness.js';

/** A WebSocket listener on a free port of 127.0.0.1 with metrics of its own. */
export class WsHarness {
  private constructor(
    readonly server: WsServer,
    readonly registry: Registry,
    private readonly wheel: TimerWheel,
  ) {}

  static async start(
    options: Partial<WsServerOptions> & Pick<WsServerOptions, 'accept'>,
  ): Promise<WsHarness> {
    const registry = new Registry();
    const clock = options.clock ?? new SystemClock();
    const wheel = options.wheel ?? new TimerWheel(clock, 20);
    const { cert, key } = await testIdentity();
    const server = new WsServer({
      host: '127.0.0.1',
      port: 0,
      identity: { cert, key },
      clock,
      wheel,
      metrics: new WsMetrics(registry, new QuicMetrics(registry).rejected),
      log: silentLogger(),
      origins: [],
      compression: false,
      liveness: { interval: 25_000, limit: 10_000 },
      handshakeTimeout: 10_000,
      maxConnections: Infinity,
      ...options,
    });
    await server.start();
    return new WsHarness(server, registry, wheel);
  }

  /** The value of gatesvr_connections_rejected_total for a reason. */
  async rejected(reason: string): Promise<number> {
    const metric = await this.registry.getSingleMetric('gatesvr_connections_rejected_total')?.get();
    return metric?.values.find(({ labels }) => labels['reason'] === reason)?.value ?? 0;
  }

  async close(): Promise<void> {
    await this.server.stop();
    this.wheel.stop();
  }
}
