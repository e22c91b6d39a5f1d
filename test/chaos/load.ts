import { placementOf } from '../../src/routing/zone.js';
import type { QuicClient } from '../../src/quic/quic-client.js';
import { UpstreamServer } from '../../src/sdk/upstream/index.js';
import type { Cluster } from './cluster.js';
import { PushChain, broadcastText } from './history.js';
import type { History } from './history.js';
import { DeployedPlayer, SdkPlayer, pause } from './players.js';
import type { Player } from './players.js';

/** Zones with upstreams: two processes' worth, so that a request in the wrong one shows. */
const ZONES = ['001', '002'];
/** Longest time that an upstream takes for a request, ms: some are under way whenever a gateway dies. */
const WORK_MS = 30;
/** Between two requests, or two pushes, of one client, ms. */
const THINK_MS = 25;
/** Between two broadcasts, and two pushes to somebody who never came, ms. */
const RARE_MS = 200;
/** Share of pushes of which the key is repeated after a success. */
const REPEATED = 0.1;
/** Who has no session while there is load. */
const NOBODY = 'nobody';
/** Between two attempts of a push, ms. */
const RETRY_MS = 40;

/** Names whose zones have upstreams. */
function namesInZones(count: number, prefix: string): string[] {
  const names: string[] = [];
  for (let number = 0; names.length < count; number++) {
    const name = `${prefix}-${number}`;
    if (ZONES.includes(placementOf(name).zone)) names.push(name);
  }
  return names;
}

/** Clients that ask and are pushed to, and the upstreams behind; everything is written into the history. */
export class Load {
  readonly players: Player[];
  private readonly upstreams: UpstreamServer[];
  /** Never started, for they serve nothing: each pushes through one gateway only. */
  private readonly pushers: UpstreamServer[];
  private readonly loops: Promise<void>[] = [];
  private on = true;

  constructor(
    private readonly cluster: Cluster,
    private readonly history: History,
    private readonly shared: QuicClient,
    clients: { readonly sdk: number; readonly deployed: number },
  ) {
    this.players = [
      ...namesInZones(clients.sdk, 'sdk').map(
        (name) => new SdkPlayer(name, cluster, shared, history),
      ),
      ...namesInZones(clients.deployed, 'deployed').map(
        (name) => new DeployedPlayer(name, cluster, history),
      ),
    ];
    this.upstreams = ZONES.map((zone) => this.upstream(zone, cluster.grpcAddresses));
    this.pushers = cluster.grpcAddresses.map((address) => this.upstream('006', [address]));
  }

  /** Starts upstreams, connects everybody, begins to ask and to push. */
  async start(): Promise<void> {
    await Promise.all(this.upstreams.map((upstream) => upstream.start()));
    await Promise.all(this.players.map((player) => player.connect()));
    this.loops.push(this.broadcastOn(), this.pushToNobody());
    for (const player of this.players) {
      this.loops.push(this.askOn(player, 'a'), this.askOn(player, 'b'), this.pushOn(player));
    }
  }

  /** No new request and no new push; resolves when those under way have ended. */
  async calm(): Promise<void> {
    this.on = false;
    await Promise.all(this.loops);
  }

  /** Everybody asks once more, until there is an answer. @throws {Error} naming whom nobody serves. */
  async everybodyIsServed(patienceMs: number): Promise<void> {
    const end = performance.now() + patienceMs;
    const served = this.players.map(async (player) => {
      for (let number = 1; ; number++) {
        if ((await this.ask(player, `${player.openid}/last/${number}`)) === 'answered') return;
        if (performance.now() > end) throw new Error(`${player.openid} is not served again`);
        await pause(RETRY_MS);
      }
    });
    await Promise.all(served);
  }

  /** Whom pushes were kept for comes at last, where they are kept. */
  async lateComerArrives(): Promise<void> {
    if (!this.cluster.keepsOffline) return;
    const player = new SdkPlayer(NOBODY, this.cluster, this.shared, this.history);
    this.players.push(player);
    await player.connect();
  }

  async stop(): Promise<void> {
    this.on = false;
    await Promise.all(this.players.map((player) => player.leave()));
    await Promise.all([...this.upstreams, ...this.pushers].map((upstream) => upstream.stop()));
  }

  private upstream(zone: string, gateways: readonly string[]): UpstreamServer {
    const server = new UpstreamServer({
      zone,
      serviceName: `chaos-${zone}`,
      listen: '127.0.0.1:0',
      gateways,
      // A gateway that is stopped answers no call.
      callTimeoutMs: 2_000,
    });
    server.handle('hello', () => ({}));
    server.handle('work', async ({ openid, sessionId: session, clientSeqId, text, data }) => {
      this.history.add({ kind: 'executed', openid, session, clientSeq: clientSeqId, id: text });
      await pause(Math.random() * WORK_MS);
      return { data };
    });
    return server;
  }

  private async askOn(player: Player, lane: string): Promise<void> {
    for (let number = 1; this.on; number++) {
      await this.ask(player, `${player.openid}/${lane}/${number}`);
      await pause(Math.random() * 2 * THINK_MS);
    }
  }

  private async ask(player: Player, id: string): Promise<string> {
    const { openid } = player;
    this.history.add({ kind: 'asked', openid, id });
    const { end, text } = await player.ask(id);
    this.history.add({ kind: 'settled', openid, id, end, text });
    return end;
  }

  /** One push after the other; each is tried under its key, here and there, until it is accepted. */
  private async pushOn({ openid }: Player): Promise<void> {
    const chain = new PushChain(openid);
    for (let at = 0; this.on;) {
      const { number, text } = chain.next();
      const push = { openid, type: 'chaos', data: text, idempotencyKey: `${openid}/${number}` };
      while (!(await this.accepts(at, number, push))) {
        // An attempt may have come through unheard: only its repeat may end the chain.
        at = this.after(at);
        await pause(RETRY_MS);
      }
      if (Math.random() < REPEATED) await this.accepts(this.after(at), number, push);
      await pause(Math.random() * 2 * THINK_MS);
    }
  }

  /** To somebody without a session. Where nothing is kept for anybody a success would be a loss. */
  private async pushToNobody(): Promise<void> {
    const openid = NOBODY;
    const chain = new PushChain(openid);
    for (let at = 0; this.on; at = this.after(at)) {
      const { number, text } = chain.next();
      const idempotencyKey = `${openid}/${number}`;
      await this.accepts(at, number, { openid, type: 'chaos', data: text, idempotencyKey });
      await pause(RARE_MS);
    }
  }

  /** Each is tried once: a repeat would be another broadcast. */
  private async broadcastOn(): Promise<void> {
    for (let [number, at] = [1, 0]; this.on; number++) {
      const node = this.cluster.names[at] ?? '';
      try {
        const content = { type: 'chaos', data: broadcastText(number) };
        const sessions = (await this.pushers[at]?.broadcast(content)) ?? 0;
        this.history.add({ kind: 'broadcast', node, number, sessions });
      } catch {
        at = this.after(at);
      }
      await pause(RARE_MS);
    }
  }

  private after(at: number): number {
    return (at + 1) % this.pushers.length;
  }

  private async accepts(
    at: number,
    number: number,
    push: { openid: string; type: string; data: string; idempotencyKey: string },
  ): Promise<boolean> {
    try {
      await this.pushers[at]?.push(push);
    } catch {
      return false;
    }
    const node = this.cluster.names[at] ?? '';
    this.history.add({ kind: 'accepted', node, openid: push.openid, number });
    return true;
  }
}
