import { join } from 'node:path';
import type { Settings } from '../../src/bench/load/gateway-process.js';
import { GatewayPlace } from '../../src/cli/demo/gateway-place.js';
import { writeSharedCertificates } from '../support/shared-certificates.js';
import type { Cluster } from './cluster.js';
import { GatewayNode } from './gateway-node.js';
import type { History } from './history.js';
import { commonSettings } from './lone-gateway.js';
import { PairWatch } from './pair-watch.js';
import { PeerWire } from './peer-wire.js';
import { pause } from './players.js';
import type { Fault } from './schedule.js';

const NAMES = ['one', 'two'] as const;
const STARTED = /gateway has started/;

/** How long a pair may take to be whole again, ms: the machine may be slow and busy. */
const PATIENCE_MS = 90_000;
const POLL_MS = 20;

/** A peer silent for so long is taken for dead, ms. */
export const PEER_TIMEOUT_MS = 1_500;

export interface PairOptions {
  readonly onPeerLoss: 'continue' | 'step_down';
  readonly onTimeout: 'degrade' | 'refuse';
  /** Whether each keeps a journal on disk. */
  readonly journal: boolean;
  /** Whether a fault waits until the pair has come together again after the one before. */
  readonly oneAtATime: boolean;
}

/** A primary and its standby in sync mode, and the wire between them. */
export class GatewayPair implements Cluster {
  readonly names = NAMES;
  readonly keepsOffline = false;
  private readonly watch: PairWatch;
  private stopped = false;

  private constructor(
    private readonly nodes: readonly GatewayNode[],
    private readonly wires: readonly PeerWire[],
    private readonly options: PairOptions,
    private readonly history: History,
  ) {
    this.watch = new PairWatch(nodes, history, () => this.noteWhatIsPromised());
  }

  static async prepare(
    folder: string,
    history: History,
    options: PairOptions,
  ): Promise<GatewayPair> {
    await writeSharedCertificates(folder);
    const members: Member[] = [];
    const wires: PeerWire[] = [];
    for (const name of NAMES) {
      const [place, listens] = [await GatewayPlace.take(), await GatewayPlace.take()];
      const heartbeat = await PeerWire.to(listens.ports.http);
      const sync = await PeerWire.to(listens.ports.grpc);
      members.push({ name, place, listens, heartbeat, sync });
      wires.push(heartbeat, sync);
    }
    const [one, two] = members as [Member, Member];
    const nodes = [
      new GatewayNode(one.name, one.place, settingsOf(folder, one, two, options), history),
      new GatewayNode(two.name, two.place, settingsOf(folder, two, one, options), history),
    ];
    return new GatewayPair(nodes, wires, options, history);
  }

  get addresses(): readonly string[] {
    return this.nodes.map(({ place }) => place.quicAddress);
  }

  get grpcAddresses(): readonly string[] {
    return this.nodes.map(({ place }) => place.grpcAddress);
  }

  balanced(): string {
    return this.nodes[this.watch.primary ?? 0]?.place.quicAddress ?? '';
  }

  nodeAt(address: string): string {
    return this.nodes.find(({ place }) => place.quicAddress === address)?.name ?? address;
  }

  async start(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.start(STARTED)));
    await this.heal();
  }

  async kick(openid: string): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kick(openid)));
  }

  async apply(fault: Fault): Promise<void> {
    if (this.options.oneAtATime) await this.heal();
    switch (fault.kind) {
      case 'kill': {
        const node = this.node(fault.node);
        node.kill();
        await pause(fault.downMs);
        return await node.start(STARTED);
      }
      case 'pause': {
        const node = this.node(fault.node);
        node.pause();
        await pause(fault.forMs);
        return node.continue();
      }
      case 'cut':
        return await this.cut(fault.forMs);
      case 'delay':
        for (const wire of this.wires) wire.late = fault.byMs;
        await pause(fault.forMs);
        for (const wire of this.wires) wire.late = 0;
        return;
      case 'switch':
        return await this.switch();
      case 'storm':
      case 'restart apps':
      case 'kick':
      case 'absence':
        return;
    }
  }

  async heal(): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!this.watch.whole && !this.stopped) {
      if (performance.now() > end) {
        throw new Error(`the pair does not come together: ${JSON.stringify(this.watch.reports)}`);
      }
      await pause(POLL_MS);
    }
  }

  lastWords(): Promise<string> {
    const said = this.nodes.map(async (node) => `${node.name}:\n${await node.lastWords()}`);
    return Promise.all(said).then((all) => all.join('\n'));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.watch.stop();
    await Promise.all(this.nodes.map((node) => node.stop()));
    await Promise.all(this.wires.map((wire) => wire.close()));
  }

  private node(index: number): GatewayNode {
    return this.nodes[index] as GatewayNode;
  }

  private async cut(forMs: number): Promise<void> {
    if (this.options.onPeerLoss === 'continue') {
      const twoMayServeForMs = forMs + 2 * PEER_TIMEOUT_MS;
      this.history.add({ kind: 'fault', node: '', what: 'cut', twoMayServeForMs });
    }
    for (const wire of this.wires) wire.cut = true;
    await pause(forMs);
    for (const wire of this.wires) wire.cut = false;
  }

  /** As an operator asks for it; a pair that is not whole refuses, which is no failure here. */
  private async switch(): Promise<void> {
    const { primary } = this.watch;
    if (primary === null) return;
    const url = `http://${this.node(primary).place.httpAddress}/backup/switch?mode=backup`;
    const asked = fetch(url, { method: 'POST', signal: AbortSignal.timeout(5_000) });
    await asked.then((answer) => answer.arrayBuffer()).catch(() => undefined);
  }

  /** Under `refuse` success always means the same; under `degrade` only while the pair is whole. */
  private noteWhatIsPromised(): void {
    if (this.options.onTimeout === 'refuse') return;
    this.history.add({ kind: 'promise', holds: this.watch.whole });
  }
}

interface Member {
  readonly name: string;
  readonly place: GatewayPlace;
  /** For its peer: heartbeats on the port of HTTP, the journal on that of gRPC. */
  readonly listens: GatewayPlace;
  /** In front of those ports; this is where the peer dials. */
  readonly heartbeat: PeerWire;
  readonly sync: PeerWire;
}

function settingsOf(
  folder: string,
  { name, place, listens }: Member,
  peer: Member,
  options: PairOptions,
): Settings {
  return {
    ...commonSettings(folder, place),
    'server.metrics_addr': place.metricsAddress,
    'server.advertise_addr': place.quicAddress,
    'server.drain_timeout': '2s',
    ...(options.journal ? { 'journal.path': join(folder, `journal-${name}`) } : {}),
    'backup.enabled': 'true',
    'backup.mode': name === NAMES[0] ? 'primary' : 'backup',
    'backup.server_id': name,
    'backup.role_file': join(folder, `${name}.role`),
    'backup.cluster_secret': 'of this run',
    'backup.on_peer_loss': options.onPeerLoss,
    'backup.heartbeat.interval': '100ms',
    'backup.heartbeat.timeout': `${PEER_TIMEOUT_MS}ms`,
    'backup.heartbeat.listen_addr': listens.httpAddress,
    'backup.heartbeat.peer_addr': `127.0.0.1:${peer.heartbeat.port}`,
    'backup.sync.mode': 'sync',
    'backup.sync.on_timeout': options.onTimeout,
    'backup.sync.timeout': '1s',
    'backup.sync.listen_addr': listens.grpcAddress,
    'backup.sync.peer_addr': `127.0.0.1:${peer.sync.port}`,
  };
}
