import { SystemClock } from '../../src/base/clock.js';
import type { GrpcServer } from '../../src/grpc/grpc-server.js';
import { grpcServer } from '../../src/grpc/server-kinds.js';
import { grpcJsCallers } from '../../src/grpc/grpc-js-caller.js';
import { ZoneRouter } from '../../src/routing/zone-router.js';
import type { ZoneRouterOptions } from '../../src/routing/zone-router.js';
import type { InstanceView } from '../../src/routing/router-view.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { GatewayService } from '../../src/upstream/gateway-service.js';
import { ForeignGatewayClient } from './upstream-foreign.js';
import { RecordingPushSink } from './upstream-recording-sinks.js';
import { PATIENCE_MS } from './patience.js';

/** Quick enough for tests; the schedule itself is tried with the fake clock. */
const QUICK_PROBES = {
  first: 100,
  interval: 100,
  timeout: 30_000,
  backoffFirst: 50,
  backoffMax: 100,
};

/** The upstream side of a gateway on real sockets: router, GatewayService, and a sink for pushes. */
export class GatewayEdge {
  readonly metrics = new Metrics();
  readonly pushes = new RecordingPushSink();
  readonly router: ZoneRouter;
  private readonly server: GrpcServer;
  private readonly clients: ForeignGatewayClient[] = [];

  constructor(options: ZoneRouterOptions = {}, host = '127.0.0.1') {
    this.router = new ZoneRouter(
      new SystemClock(),
      silentLogger(),
      this.metrics.upstream,
      grpcJsCallers({ initialReconnectMs: 100, maxReconnectMs: 200 }),
      { upstreamTimeoutMs: PATIENCE_MS, probeTimes: QUICK_PROBES, ...options },
    );
    const service = new GatewayService(this.pushes, this.router, silentLogger());
    this.server = grpcServer({ address: `${host}:0`, graceMs: 0 }, service.methods());
  }

  async start(): Promise<this> {
    await this.router.start();
    await this.server.start();
    return this;
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.close();
    await this.server.stop();
    await this.router.stop();
  }

  /** A client of an upstream's making. */
  client(host = '127.0.0.1'): ForeignGatewayClient {
    const client = new ForeignGatewayClient(`${host}:${this.server.port}`);
    this.clients.push(client);
    return client;
  }

  /** Registers over gRPC and returns the response. */
  register(address: string, zone = '001', host?: string): Promise<Record<string, unknown>> {
    const request = { address, zone_id: zone, service_name: 'foreign' };
    return this.client(host).call('RegisterUpstream', request);
  }

  instance(address: string): InstanceView | undefined {
    const all = this.router.view().zones.flatMap((zone) => zone.instances);
    return all.find((instance) => instance.address === address);
  }
}
