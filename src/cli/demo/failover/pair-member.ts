import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from '../child.js';
import { GatewayPlace } from '../gateway-place.js';

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
    readonly place: GatewayPlace,
    /** Where its peer reaches it. */
    private readonly between: GatewayPlace,
  ) {}

  static async withPorts(name: string): Promise<PairMember> {
    return new PairMember(name, await GatewayPlace.take(), await GatewayPlace.take());
  }

  get heartbeatAddress(): string {
    return this.between.httpAddress;
  }

  get syncAddress(): string {
    return this.between.grpcAddress;
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
      const ready = await fetch(`http://${this.place.httpAddress}/ready`, { signal });
      await ready.arrayBuffer();
      const metrics = await fetch(`http://${this.place.metricsAddress}/metrics`, { signal });
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
    const url = `http://${this.place.httpAddress}/backup/switch?mode=backup`;
    const answer = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(ANSWER_MS) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${text}`);
  }

  private configuration(folder: string, peer: PairMember): string {
    return [
      ...this.place.configuration(),
      `  advertise_addr: ${this.place.quicAddress}`,
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
