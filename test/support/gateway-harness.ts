import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/base/clock.js';
import { loadConfig } from '../../src/config/load.js';
import { MAX_HASHED_DAYS } from '../../src/config/certificate-hash.js';
import { Gateway } from '../../src/gateway/gateway.js';
import { UpstreamServer } from '../../src/sdk/upstream/index.js';
import type { UpstreamServerOptions } from '../../src/sdk/upstream/index.js';
import { PATIENCE_MS } from './patience.js';
import { writeSharedCertificates } from './shared-certificates.js';

/** A whole gateway in this process on free ports, its files in a folder of its own. */
export class GatewayHarness {
  readonly folder = mkdtempSync(join(tmpdir(), 'gatesvr-test-'));
  private readonly running: { stop(): Promise<void> }[] = [];
  private certificates: Promise<unknown> | null = null;

  /** Starts a gateway; one after another they share the state file, as restarts do. */
  async gateway(settings: Record<string, string> = {}, clock?: Clock): Promise<Gateway> {
    await (this.certificates ??= writeSharedCertificates(this.folder, MAX_HASHED_DAYS));
    const flags: Record<string, string> = {
      'server.quic_addr': '127.0.0.1:0',
      'server.grpc_addr': '127.0.0.1:0',
      'server.http_addr': 'off',
      'server.metrics_addr': 'off',
      'server.ws_addr': 'off',
      'server.cert_file': join(this.folder, 'server.crt'),
      'server.key_file': join(this.folder, 'server.key'),
      'server.state_file': join(this.folder, 'gateway.state'),
      'quic.retry_key_file': join(this.folder, 'gateway.keys'),
      'routing.registry_file': join(this.folder, 'upstreams.json'),
      'log.level': 'error',
      'watchdog.enabled': 'false',
      // Whoever shares the machine must not decide what a test sees.
      'overload_protection.max_event_loop_delay': '0s',
      ...settings,
    };
    const gateway = new Gateway(loadConfig({ env: {}, flags }).config, [], clock);
    this.running.push(gateway);
    await gateway.start();
    return gateway;
  }

  /** Starts an upstream for a zone, registered at the gateway; handlers are added by `prepare`. */
  async upstream(
    gateway: Gateway,
    zone: string,
    prepare: (server: UpstreamServer) => void,
    options: Partial<UpstreamServerOptions> = {},
  ): Promise<UpstreamServer> {
    const server = new UpstreamServer({
      zone,
      serviceName: `test-${zone}`,
      listen: '127.0.0.1:0',
      gateways: [`127.0.0.1:${gateway.grpcPort}`],
      callTimeoutMs: PATIENCE_MS,
      ...options,
    });
    prepare(server);
    this.running.push(server);
    await server.start();
    return server;
  }

  /** Stops what was started last, also where its start failed. */
  async stopNewest(): Promise<void> {
    await this.running.at(-1)?.stop();
  }

  /** Stops everything that was started, newest first. */
  async close(): Promise<void> {
    for (const part of this.running.reverse()) await part.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** All zones, in order. */
export const ZONES = ['001', '002', '003', '004', '005', '006'] as const;
