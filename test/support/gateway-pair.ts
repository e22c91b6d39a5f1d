import { join } from 'node:path';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayHarness } from './gateway-harness.js';
import { eventually } from './quic-harness.js';
import { TcpRelay } from './replication-nodes.js';

export type NodeName = 'a' | 'b';

/** Two gateways in this process that are a pair over real gRPC, with relays between them. */
export class GatewayPair {
  readonly harness = new GatewayHarness();
  /** Before the ports of the node of that name. */
  readonly relays = {
    a: { heartbeat: new TcpRelay(), sync: new TcpRelay() },
    b: { heartbeat: new TcpRelay(), sync: new TcpRelay() },
  };
  a!: Gateway;
  b!: Gateway;
  private ports: Record<NodeName, { heartbeat: number; sync: number }> | null = null;

  /** @param keeps what each keeps on disk: nothing, a journal, or what a graceful stop leaves. */
  constructor(
    private readonly settings: Record<string, string> = {},
    private readonly keeps: 'nothing' | 'journal' | 'state' = 'nothing',
  ) {}

  /** Starts both, and waits until the backup may take over. */
  async start(): Promise<void> {
    await this.open();
    await Promise.all([this.boot('a'), this.boot('b')]);
    await this.inSync('a');
  }

  /** Gives each its addresses, for tests that start them one by one. */
  async open(): Promise<void> {
    const started = async (name: NodeName) => ({
      heartbeat: await this.relays[name].heartbeat.start(),
      sync: await this.relays[name].sync.start(),
    });
    this.ports = { a: await started('a'), b: await started('b') };
  }

  /** Starts one node, or starts it again with what it left on disk. */
  async boot(name: NodeName, settings: Record<string, string> = {}): Promise<Gateway> {
    const peer = this.ports?.[name === 'a' ? 'b' : 'a'];
    const gateway = await this.harness.gateway({
      'backup.enabled': 'true',
      'backup.mode': name === 'a' ? 'primary' : 'backup',
      'backup.server_id': name,
      'backup.cluster_secret': 'of this test',
      'backup.role_file': this.file(name, 'role'),
      'backup.heartbeat.interval': '100ms',
      'backup.heartbeat.timeout': '2500ms',
      'backup.heartbeat.listen_addr': '127.0.0.1:0',
      'backup.heartbeat.peer_addr': `127.0.0.1:${peer?.heartbeat}`,
      'backup.sync.listen_addr': '127.0.0.1:0',
      'backup.sync.peer_addr': `127.0.0.1:${peer?.sync}`,
      'server.state_file': 'off',
      'server.advertise_addr': `${name}.example:8453`,
      'server.drain_timeout': '2s',
      'routing.registry_file': 'off',
      ...(this.keeps === 'journal' ? { 'journal.path': this.file(name, 'journal') } : {}),
      ...(this.keeps === 'state' ? { 'server.state_file': this.file(name, 'state') } : {}),
      ...this.settings,
      ...settings,
    });
    this[name] = gateway;
    const { heartbeat, sync } = gateway.pair?.ports ?? { heartbeat: 0, sync: 0 };
    this.relays[name].heartbeat.target = heartbeat;
    this.relays[name].sync.target = sync;
    return gateway;
  }

  /** What this node keeps on disk under that name. */
  file(name: NodeName, kind: 'role' | 'journal' | 'state'): string {
    return join(this.harness.folder, `${name}.${kind}`);
  }

  /** Until this node serves and its peer may take over. */
  async inSync(name: NodeName): Promise<void> {
    const other = name === 'a' ? 'b' : 'a';
    const reached = () =>
      this[name].pair?.serves === true &&
      this[name].pair?.stats?.in_sync === true &&
      this[other].pair?.stats?.in_sync === true;
    await eventually(reached, `${name} to serve with its backup in sync`);
  }

  async serves(name: NodeName): Promise<void> {
    await eventually(() => this[name].pair?.accepts === true, `${name} to serve`);
  }

  /** The primary offers its role; the other one takes it, and nothing that it says of that comes back. */
  async loseAnswerToOffer(): Promise<void> {
    this.relays.a.heartbeat.cut = true;
    this.relays.a.heartbeat.kill();
    this.relays.b.heartbeat.tamper = () => Buffer.alloc(0);
    this.a.pair?.switchTo('backup');
    await this.serves('b');
    this.cut = true;
  }

  /** Nothing gets through between the two. */
  set cut(cut: boolean) {
    for (const { heartbeat, sync } of Object.values(this.relays)) {
      for (const relay of [heartbeat, sync]) {
        relay.cut = cut;
        if (cut) relay.kill();
      }
    }
  }

  async close(): Promise<void> {
    this.cut = true;
    await this.harness.close();
    for (const { heartbeat, sync } of Object.values(this.relays)) {
      await heartbeat.stop();
      await sync.stop();
    }
  }
}
