import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from '../child.js';
import { freePorts } from '../free-ports.js';
import type { Ports } from '../free-ports.js';

const HOST = '127.0.0.1';

/** A peer silent for so long is taken for dead; the default is 6 s. */
export const PEER_TIMEOUT_MS = 2_000;
const HEARTBEAT_MS = 200;

/** How long a gateway may take to say how it is, ms. */
const ANSWER_MS = 2_000;

/** What a gateway of the pair says of itself. */
export interface Standing {
  /** GET /ready says that it takes clients. */
  readonly serves: boolean;
  /** The standby may take over. */
  readonly inSync: boolean;
  readonly epoch: number;
}

/** One gateway of the pair: its ports, its configuration, and its process while it runs. */
export class PairMember {
  /** The process that was started last. */
  process: Child | null = null;
  configFile = '';

  private constructor(
    readonly name: string,
    private readonly ports: Ports,
    private readonly between: Ports,
  ) {}

  static async withPorts(name: string): Promise<PairMember> {
    return new PairMember(name, await freePorts(), await freePorts());
  }

  get quicAddress(): string {
    return `${HOST}:${this.ports.quic}`;
  }

  get grpcAddress(): string {
    return `${HOST}:${this.ports.grpc}`;
  }

  get heartbeatAddress(): string {
    return `${HOST}:${this.between.http}`;
  }

  get syncAddress(): string {
    return `${HOST}:${this.between.grpc}`;
  }

  /** Writes its configuration file. */
  configure(folder: string, peer: PairMember): void {
    this.configFile = join(folder, `${this.name}.yaml`);
    writeFileSync(this.configFile, this.configuration(folder, peer));
  }

  /** Asks it how it is. @returns null where it does not answer. */
  async standing(): Promise<Standing | null> {
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const ready = await fetch(`http://${HOST}:${this.ports.http}/ready`, { signal });
      await ready.arrayBuffer();
      const metrics = await fetch(`http://${HOST}:${this.ports.metrics}/metrics`, { signal });
      const text = await metrics.text();
      return {
        serves: ready.status === 200,
        inSync: gauge(text, 'gatesvr_replication_in_sync') === 1,
        epoch: gauge(text, 'gatesvr_replication_epoch'),
      };
    } catch {
      return null;
    }
  }

  /** Asks it to become the backup, as `gatesvr switch` does. @throws {Error} with its refusal. */
  async handOver(): Promise<void> {
    const url = `http://${HOST}:${this.ports.http}/backup/switch?mode=backup`;
    const answer = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(ANSWER_MS) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${text}`);
  }

  private configuration(folder: string, peer: PairMember): string {
    const { quic, http, grpc, metrics } = this.ports;
    return [
      'server:',
      `  quic_addr: ${HOST}:${quic}`,
      `  http_addr: ${HOST}:${http}`,
      `  grpc_addr: ${HOST}:${grpc}`,
      `  metrics_addr: ${HOST}:${metrics}`,
      `  advertise_addr: ${this.quicAddress}`,
      '  cert_file: server.crt',
      '  key_file: server.key',
      `  state_file: 'off'`,
      'routing:',
      `  registry_file: 'off'`,
      'backup:',
      '  enabled: true',
      `  mode: ${this.name === 'one' ? 'primary' : 'backup'}`,
      `  server_id: ${this.name}`,
      `  role_file: ${join(folder, `${this.name}.role`)}`,
      '  cluster_secret: of this demo',
      '  heartbeat:',
      `    interval: ${HEARTBEAT_MS}ms`,
      `    timeout: ${PEER_TIMEOUT_MS}ms`,
      `    listen_addr: ${this.heartbeatAddress}`,
      `    peer_addr: ${peer.heartbeatAddress}`,
      '  sync:',
      '    mode: sync',
      `    listen_addr: ${this.syncAddress}`,
      `    peer_addr: ${peer.syncAddress}`,
      'log:',
      '  format: json',
      '',
    ].join('\n');
  }
}

function gauge(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
}
