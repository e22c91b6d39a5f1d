import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { freeTcpPort, freeUdpPort } from '../../src/bench/load/free-ports.js';
import { GatewayProcess, bareSettings } from '../../src/bench/load/gateway-process.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { createQuicClient } from '../../src/sdk/client/quic-client.js';
import { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { ZONES } from '../../src/routing/zone.js';
import { ask } from '../support/ops-double.js';
import { TcpRelay } from '../support/replication-nodes.js';
import { eventually } from '../support/quic-harness.js';
import { PATIENCE_MS } from '../support/patience.js';
import { Visitor } from '../support/visitor.js';
import { writeSharedCertificates } from '../support/shared-certificates.js';

/** Of two addresses one may be dead: what opening a connection may take stays as users have it. */
const SLOW = { connectTimeoutMs: PATIENCE_MS, requestTimeoutMs: PATIENCE_MS };
const CLIENTS = 4;
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-pair-'));
/** Of one test, to be stopped newest first. */
let running: { stop(): Promise<unknown> }[] = [];
let load = false;

interface Stats {
  readonly role: string;
  readonly accepting: boolean;
  readonly in_sync: boolean;
  readonly degraded: boolean;
  readonly epoch: number;
}

type PeerPorts = Readonly<Record<'heartbeat' | 'sync', number>>;

/** One gateway of the pair in a process of its own; needs `make build`. */
class Node {
  process!: GatewayProcess;
  private peer: PeerPorts | null = null;
  private readonly roleFile = join(mkdtempSync(join(folder, 'node-')), 'role');
  readonly heartbeat = new TcpRelay();
  readonly sync = new TcpRelay();
  quic = 0;
  grpc = 0;
  http = 0;

  constructor(
    readonly name: string,
    private readonly mode: string,
    private readonly settings: Record<string, string>,
  ) {}

  /** Where it ran before, it gets the ports that clients and upstreams know again. */
  async start(peer: PeerPorts): Promise<void> {
    // Not such as the system gives away while this one is down.
    if (this.peer === null) {
      this.quic = await freeUdpPort();
      this.grpc = await freeTcpPort();
      this.http = await freeTcpPort();
    }
    this.peer = peer;
    const { quic, grpc, http } = this;
    this.process = new GatewayProcess({
      ...bareSettings(folder, { quic, grpc }),
      'server.http_addr': `127.0.0.1:${http}`,
      'server.drain_timeout': '3s',
      'overload_protection.max_event_loop_delay': '0s',
      'watchdog.enabled': 'false',
      'backup.enabled': 'true',
      'backup.mode': this.mode,
      'backup.server_id': this.name,
      'backup.cluster_secret': 'of this test',
      'backup.role_file': this.roleFile,
      'backup.heartbeat.interval': '300ms',
      // Beyond what a busy machine may stand still: nobody else's noise makes a standby take over.
      'backup.heartbeat.timeout': '6s',
      'backup.heartbeat.listen_addr': '127.0.0.1:0',
      'backup.heartbeat.peer_addr': `127.0.0.1:${peer.heartbeat}`,
      'backup.sync.listen_addr': '127.0.0.1:0',
      'backup.sync.peer_addr': `127.0.0.1:${peer.sync}`,
      'backup.sync.mode': 'sync',
      // A machine that others load must not degrade the pair: then success promises less.
      'backup.sync.timeout': '10s',
      ...this.settings,
    });
    const { process: gateway } = this;
    const stop = async () => {
      if (gateway.alive) this.signal('SIGCONT');
      await gateway.stop();
    };
    running.push({ stop });
    const ports = /"heartbeat":(\d+),"sync":(\d+).*has started/;
    const [, heartbeat, sync] = await this.process.waitFor(ports);
    [this.heartbeat.target, this.sync.target] = [Number(heartbeat), Number(sync)];
  }

  /** As a supervisor does it: kill -9, and at once another process. */
  async killAndRestart(): Promise<void> {
    const { process: killed, peer } = this;
    this.signal('SIGKILL');
    while (killed.alive) await new Promise((resolve) => setTimeout(resolve, 5));
    if (peer !== null) await this.start(peer);
  }

  async stats(): Promise<Stats> {
    const { text } = await ask({ port: this.http, path: '/backup/stats' });
    return JSON.parse(text) as Stats;
  }

  async reaches(what: string, reached: (stats: Stats) => boolean): Promise<void> {
    const until = Date.now() + PATIENCE_MS;
    while (!reached(await this.stats())) {
      if (Date.now() > until) throw new Error(`${this.name} does not come to ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.process.pid, name);
  }
}

/** A pair in sync, upstreams at both, clients with load. */
class World {
  readonly executed = new Map<string, number>();
  readonly visitors: Visitor[] = [];
  private work: Promise<void>[] = [];

  private constructor(
    readonly a: Node,
    readonly b: Node,
  ) {}

  static async begin(settings: Record<string, string> = {}): Promise<World> {
    const world = new World(new Node('a', 'primary', settings), new Node('b', 'backup', settings));
    const { a, b } = world;
    const ports: { heartbeat: number; sync: number }[] = [];
    for (const { heartbeat, sync } of [a, b]) {
      running.push(heartbeat, sync);
      ports.push({ heartbeat: await heartbeat.start(), sync: await sync.start() });
    }
    const [toA, toB] = ports as [(typeof ports)[0], (typeof ports)[0]];
    await Promise.all([a.start(toB), b.start(toA)]);
    await a.reaches('a backup in sync', (stats) => stats.in_sync && !stats.degraded);
    await b.reaches('being in sync', (stats) => stats.in_sync);
    const upstream = await world.startUpstreams();
    await world.startClients();
    load = true;
    world.work = world.visitors.map((each) => each.load(upstream, () => load));
    await world.goesOn();
    return world;
  }

  /** More of everything for everyone. */
  async goesOn(): Promise<void> {
    const before = this.visitors.map(({ answered, got }) => ({ answered, got: got.length }));
    const reached = () =>
      this.visitors.every(({ answered, got }, at) => {
        const then = before[at] as { answered: number; got: number };
        return answered > then.answered + 10 && got.length > then.got + 10;
      });
    await eventually(reached, 'answers and pushes for everyone');
  }

  /** Ends the load and holds what happened against what was promised. */
  async check(): Promise<void> {
    load = false;
    await Promise.all(this.work);
    for (const visitor of this.visitors) await visitor.lacksNothing();
    expect([...this.executed].filter(([, times]) => times > 1)).toEqual([]);
  }

  private async startUpstreams(): Promise<UpstreamServer> {
    const gateways = [this.a, this.b].map(({ grpc }) => `127.0.0.1:${grpc}`);
    let last: UpstreamServer | null = null;
    for (const zone of ZONES) {
      last = new UpstreamServer({ zone, serviceName: 'pair', listen: '127.0.0.1:0', gateways });
      last.handle('echo', ({ text, data }) => {
        this.executed.set(text, (this.executed.get(text) ?? 0) + 1);
        return { data };
      });
      running.push(last);
      await last.start();
    }
    return last as UpstreamServer;
  }

  private async startClients(): Promise<void> {
    const shared = createQuicClient({ ca: readFileSync(join(folder, 'ca.crt')) });
    running.push(shared);
    const addresses = [this.a, this.b].map(({ quic }) => `127.0.0.1:${quic}`);
    for (let index = 0; index < CLIENTS; index++) {
      const openid = `visitor-${index}`;
      const client = new GatewayClient({ ...SLOW, addresses, openid, shared, maxDelayMs: 200 });
      const visitor = new Visitor(openid, client);
      this.visitors.push(visitor);
      running.push({ stop: () => client.stop().catch(() => undefined) });
      await client.connect();
    }
  }
}

beforeAll(() => writeSharedCertificates(folder));

afterEach(async () => {
  load = false;
  for (const each of running.reverse()) await each.stop();
  running = [];
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a pair in sync mode, under load', () => {
  test('kill -9 of the primary: every session resumes, nothing that was promised is lost', async () => {
    const world = await World.begin();
    world.a.signal('SIGKILL');
    await world.b.reaches('serving', ({ accepting }) => accepting);
    await world.goesOn();
    await world.check();
    expect((await world.b.stats()).epoch).toBe(2);
    // Requests that were under way may have been executed; that is said, and counted.
    const unknown = world.visitors.reduce((sum, each) => sum + each.unknown.length, 0);
    expect(unknown).toBeLessThanOrEqual(3 * CLIENTS);
  });

  test('a primary that is killed and at once restarted loses nothing, though no timeout passed', async () => {
    const world = await World.begin({ 'backup.heartbeat.timeout': '60s' });
    await world.a.killAndRestart();
    await world.b.reaches('serving', ({ accepting }) => accepting);
    await world.goesOn();
    await world.a.reaches('being the backup', ({ role, in_sync }) => role === 'backup' && in_sync);
    await world.check();
    expect((await world.b.stats()).epoch).toBe(2);
  });

  test('with failback the gateway that is meant to be primary is it again, and nothing is lost', async () => {
    const failback = { 'backup.failback': 'auto', 'backup.failback_after': '1s' };
    const world = await World.begin({ ...failback, 'backup.heartbeat.timeout': '60s' });
    await world.a.killAndRestart();
    await world.b.reaches('serving', ({ accepting }) => accepting);
    await world.a.reaches('serving again', ({ accepting }) => accepting);
    await world.goesOn();
    await world.b.reaches('being the backup', ({ role, in_sync }) => role === 'backup' && in_sync);
    await world.check();
    expect((await world.a.stats()).epoch).toBe(3);
  });

  test('a planned switch loses nothing and jumps no number', async () => {
    const world = await World.begin({ 'backup.heartbeat.timeout': '60s' });
    const path = '/backup/switch?mode=primary';
    expect((await ask({ port: world.b.http, path, method: 'POST' })).status).toBe(202);
    await world.b.reaches('serving', ({ accepting }) => accepting);
    await world.goesOn();
    await world.check();
    for (const { seqs, unknown } of world.visitors) {
      expect(Math.max(...seqs)).toBeLessThan(2 ** 32);
      expect(unknown).toEqual([]);
    }
    expect(await world.a.stats()).toMatchObject({ role: 'backup', accepting: false });
  });

  test('a primary that was paused until the backup served accepts and delivers nothing', async () => {
    const world = await World.begin();
    world.a.signal('SIGSTOP');
    await world.b.reaches('serving', ({ accepting }) => accepting);
    await world.goesOn();
    world.a.signal('SIGCONT');
    await world.a.reaches('being the backup', ({ role, in_sync }) => role === 'backup' && in_sync);
    await world.goesOn();
    await world.check();
    expect(await world.a.stats()).toMatchObject({ accepting: false, epoch: 2 });
  });
});
