import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { writeCertificates } from '../../config/certificates.js';
import { ZONES } from '../../routing/zone.js';
import { createQuicClient } from '../../sdk/client/quic-client.js';
import { UpstreamServer } from '../../sdk/upstream/index.js';
import { LatencyRecorder } from '../client/latency-recorder.js';
import type { Row } from '../report/row.js';
import { OURS } from '../report/contestant-names.js';
import { freeTcpPort, freeUdpPort } from './free-ports.js';
import { GatewayProcess, bareSettings } from './gateway-process.js';
import type { GatewayPorts } from './gateway-process.js';
import { Player } from './player.js';
import { counted } from './rounds.js';

export interface RestartPlan {
  readonly clients: number;
  readonly restarts: number;
  /** Load before, between and after the restarts, ms. */
  readonly hold: number;
}

/** How long a client may take to come back, or the last pushes to arrive, ms. */
const PATIENCE_MS = 60_000;
/** Requests per second of all clients together: this process plays them all, the upstreams too. */
const REQUESTS_PER_SECOND = 2_000;
/** Pushes are made one after the other to the clients of a lane, and in all lanes at once. */
const PUSH_LANES = 16;
const PUSH_PAUSE_MS = 10;

/**
 * Restarts the gateway with SIGTERM, again and again, under requests and pushes of clients of the SDK
 * that resume.
 * @returns how long clients were away (`waitP50`, `waitP99`, `waitMax`, ms), and what was done meanwhile.
 * @throws {Error} where a push was lost, came twice or out of order, where a request was executed twice
 * or not answered, or where the gateway did not end with 0.
 */
export async function runRestarts(plan: RestartPlan): Promise<Row> {
  const stage = new RestartStage(plan);
  try {
    await stage.open();
    const pushing = stage.pushToAll();
    for (let restart = 1; restart <= plan.restarts; restart++) {
      await pause(plan.hold);
      await stage.restart();
      await until(() => stage.players.every(({ waits }) => waits.length >= restart), 'clients');
    }
    await pause(plan.hold);
    await stage.finish(pushing);
    return stage.row();
  } finally {
    await stage.close();
  }
}

class RestartStage {
  readonly players: Player[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'gatesvr-restart-'));
  private readonly upstreams: UpstreamServer[] = [];
  private readonly executed = new Map<string, number>();
  private readonly accepted = new Map<string, string[]>();
  private shared: ReturnType<typeof createQuicClient> | null = null;
  private gateway: GatewayProcess | null = null;
  private ports: GatewayPorts | null = null;
  private pushing = true;

  constructor(private readonly plan: RestartPlan) {}

  async open(): Promise<void> {
    await writeCertificates(this.folder);
    await this.startGateway();
    const gateways = [`127.0.0.1:${this.ports?.grpc}`];
    for (const zone of ZONES) {
      const listen = '127.0.0.1:0';
      const upstream = new UpstreamServer({ zone, serviceName: 'rolling', listen, gateways });
      upstream.handle('echo', (request) => {
        this.executed.set(request.text, (this.executed.get(request.text) ?? 0) + 1);
        return { data: request.data };
      });
      this.upstreams.push(upstream);
      await upstream.start();
    }
    this.shared = createQuicClient({ ca: readFileSync(join(this.folder, 'ca.crt')) });
    for (let index = 0; index < this.plan.clients; index++) {
      const address = `127.0.0.1:${this.ports?.quic}`;
      this.players.push(new Player(`player-${index}`, address, this.shared));
    }
    for (const { client } of this.players) await client.connect();
    const pauseMs = (this.players.length * 1000) / REQUESTS_PER_SECOND;
    for (const player of this.players) player.play(pauseMs);
  }

  /** A push counts from its success on; while the gateway is away the same one is tried again. */
  async pushToAll(): Promise<void> {
    const lanes = Array.from({ length: PUSH_LANES }, (_, lane) =>
      this.pushTo(this.players.filter((_player, index) => index % PUSH_LANES === lane)),
    );
    await Promise.all(lanes);
  }

  private async pushTo(players: readonly Player[]): Promise<void> {
    for (let number = 1; this.pushing; number++) {
      for (const { openid } of players) {
        const data = `push ${number}`;
        const push = { openid, type: 'news', data, idempotencyKey: `${openid}/${number}` };
        while (!(await this.pushed(push))) await pause(50);
        const sent = this.accepted.get(openid);
        if (sent === undefined) this.accepted.set(openid, [data]);
        else sent.push(data);
      }
      await pause(PUSH_PAUSE_MS);
    }
  }

  /** @throws {Error} where the gateway did not end with 0. */
  async restart(): Promise<void> {
    await this.gateway?.stop();
    const code = this.gateway?.exitCode;
    if (code !== 0) throw new Error(`the gateway ended with ${String(code)}`);
    await this.startGateway();
  }

  /** Waits for everything that is under way and compares it. */
  async finish(pushing: Promise<void>): Promise<void> {
    this.pushing = false;
    await pushing;
    for (const player of this.players) await player.finish();
    for (const { openid, pushes } of this.players) {
      const sent = this.accepted.get(openid) ?? [];
      await until(() => pushes.length >= sent.length, `${sent.length} pushes to ${openid}`);
      if (pushes.join() !== sent.join()) {
        throw new Error(`${openid} received ${pushes.length} pushes, not the ${sent.length} sent`);
      }
    }
    const repeated = [...this.executed.values()].filter((times) => times !== 1).length;
    if (repeated > 0) throw new Error(`${repeated} requests were executed twice`);
    if (this.executed.size !== this.answers) {
      throw new Error(`${this.executed.size} executions, but ${this.answers} answers`);
    }
  }

  row(): Row {
    const waits = new LatencyRecorder();
    for (const player of this.players) for (const wait of player.waits) waits.record(wait);
    const { p50, p99, max } = waits.figures();
    return {
      contestant: OURS,
      case: `${counted(this.plan.restarts, 'restarts')}, ${counted(this.plan.clients, 'clients')}`,
      requests: this.answers,
      pushes: [...this.accepted.values()].reduce((sum, { length }) => sum + length, 0),
      pushesLost: 0,
      executedTwice: 0,
      returns: waits.count,
      waitP50: p50,
      waitP99: p99,
      waitMax: max,
    };
  }

  async close(): Promise<void> {
    this.pushing = false;
    for (const { client } of this.players) client.close();
    await this.shared?.stop();
    for (const upstream of this.upstreams) await upstream.stop();
    await this.gateway?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get answers(): number {
    return this.players.reduce((sum, { answered }) => sum + answered, 0);
  }

  private async pushed(push: Parameters<UpstreamServer['push']>[0]): Promise<boolean> {
    const done = this.upstreams[0]?.push(push).then(
      () => true,
      () => false,
    );
    return (await done) ?? false;
  }

  /** All on the same ports, which the system gives to nobody else while there is no gateway. */
  private async startGateway(): Promise<void> {
    const { folder } = this;
    const ports = (this.ports ??= { quic: await freeUdpPort(), grpc: await freeTcpPort() });
    this.gateway = new GatewayProcess({
      ...bareSettings(folder, ports),
      'server.state_file': join(folder, 'gateway.state'),
      'routing.registry_file': join(folder, 'upstreams.json'),
    });
    await this.gateway.ports();
  }
}

async function until(reached: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !reached(); await pause(10)) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
  }
}
