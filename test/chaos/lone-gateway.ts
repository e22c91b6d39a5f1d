import { join } from 'node:path';
import { freePorts } from '../../src/cli/demo/free-ports.js';
import type { Ports } from '../../src/cli/demo/free-ports.js';
import { writeCertificates } from '../../src/config/certificates.js';
import type { Cluster } from './cluster.js';
import { GatewayNode } from './gateway-node.js';
import type { History } from './history.js';
import { pause } from './players.js';
import type { Fault } from './schedule.js';

const NAME = 'gateway';
const SERVING = /gateway is serving/;

/** One gateway with a journal on disk: kill -9 may cost time, never a message. */
export class LoneGateway implements Cluster {
  readonly names = [NAME];
  private constructor(private readonly node: GatewayNode) {}

  /** @param folder for certificates, keys and the journal. */
  static async prepare(folder: string, history: History): Promise<LoneGateway> {
    await writeCertificates(folder);
    const ports = await freePorts();
    const settings = {
      ...commonSettings(folder, ports),
      'routing.registry_file': 'off',
      'journal.path': join(folder, 'journal'),
    };
    return new LoneGateway(new GatewayNode(NAME, ports, settings, history));
  }

  get addresses(): readonly string[] {
    return [this.node.quicAddress];
  }

  get grpcAddresses(): readonly string[] {
    return [this.node.grpcAddress];
  }

  balanced(): string {
    return this.node.quicAddress;
  }

  nodeAt(): string {
    return NAME;
  }

  start(): Promise<void> {
    return this.node.start(SERVING);
  }

  async apply(fault: Fault): Promise<void> {
    if (fault.kind === 'kill') {
      this.node.kill();
      await pause(fault.downMs);
      await this.node.start(SERVING);
    } else if (fault.kind === 'pause') {
      this.node.pause();
      await pause(fault.forMs);
      this.node.continue();
    }
  }

  heal(): Promise<void> {
    return Promise.resolve();
  }

  lastWords(): Promise<string> {
    return this.node.lastWords();
  }

  stop(): Promise<void> {
    return this.node.stop();
  }
}

/** What every gateway under test has, its ports and files apart. */
export function commonSettings(folder: string, ports: Ports): Record<string, string> {
  return {
    'server.quic_addr': `127.0.0.1:${ports.quic}`,
    'server.grpc_addr': `127.0.0.1:${ports.grpc}`,
    'server.http_addr': `127.0.0.1:${ports.http}`,
    'server.metrics_addr': 'off',
    'server.ws_addr': 'off',
    'server.state_file': 'off',
    'server.cert_file': join(folder, 'server.crt'),
    'server.key_file': join(folder, 'server.key'),
    'quic.retry_key_file': join(folder, 'gateway.keys'),
    'log.format': 'json',
    // Whoever shares the machine must not decide what a run sees.
    'overload_protection.max_event_loop_delay': '0s',
    'watchdog.enabled': 'false',
  };
}
