import { createQuicClient } from '../../sdk/client/quic-client.js';
import { numbered } from '../client/openids.js';
import { BenchPair } from './bench-pair.js';
import { DeployedPlayer } from './deployed-player.js';
import type { FailoverPlayer } from './failover-player.js';
import { LoadProcess } from './load-process.js';
import { freshPrefix } from './rounds.js';
import { SdkPlayer } from './sdk-player.js';

/** Who is connected, and how soon a peer is taken for dead. */
export interface FailoverCase {
  readonly name: string;
  readonly clients: 'sdk' | 'deployed';
  /** ms; the gateway's defaults where it is missing. */
  readonly heartbeat?: { readonly interval: number; readonly timeout: number };
}

/**
 * So few connections share a socket that every stateless reset finds the one that it is meant for (OFFERS in
 * src/quic/reset-search.ts), also while each of them has an old and a new one.
 */
const PER_SOCKET = 8;
/** What deployed clients offer, ms. */
const DEPLOYED_IDLE_MS = 30_000;
const CONNECTS_AT_ONCE = 32;
/** Four seconds of entries at full size: the standby shares its cores with all the clients. */
const BUFFER_ENTRIES = '20000';

/** What the upstreams executed. */
interface Executions {
  readonly executed: number;
  readonly repeated: number;
}

/** What was promised to each openid, in their order. */
interface Promised {
  readonly accepted: readonly number[];
  readonly fault: string | null;
}

/** Everybody and everything of one failover: a pair, upstreams, who pushes, and the clients. */
export class FailoverStage {
  readonly players: FailoverPlayer[] = [];
  private readonly sockets: ReturnType<typeof createQuicClient>[] = [];

  private constructor(
    readonly pair: BenchPair,
    private readonly upstreams: LoadProcess,
    private readonly pushing: LoadProcess,
    private readonly forwarder: LoadProcess,
    private readonly openids: readonly string[],
  ) {}

  /** Starts all processes; no client yet. */
  static async open(
    { heartbeat }: FailoverCase,
    sessions: number,
    pushesPerSecond: number,
  ): Promise<FailoverStage> {
    const pair = await BenchPair.start({
      sync: 'sync',
      settings: { 'backup.sync.buffer_size': BUFFER_ENTRIES },
      ...(heartbeat === undefined ? {} : { heartbeat }),
    });
    const started: LoadProcess[] = [];
    const part = async (script: string, args: readonly (string | number)[]) => {
      started.push(await LoadProcess.start(script, args.map(String)));
      return started.at(-1) as LoadProcess;
    };
    try {
      const prefix = freshPrefix('failover');
      const grpc = pair.members.map(({ grpcPort }) => grpcPort);
      const addresses = pair.members.flatMap(({ quicPort, httpPort }) => [quicPort, httpPort]);
      return new FailoverStage(
        pair,
        await part('counting-upstream-part.js', grpc),
        await part('pushing-part.js', [prefix, sessions, pushesPerSecond, ...grpc]),
        await part('forwarder-part.js', addresses),
        numbered(prefix, sessions),
      );
    } catch (error) {
      await Promise.all(started.map((each) => each.stop()));
      await pair.stop();
      throw error;
    }
  }

  /** Every client has a session. @throws {Error} where one has not. */
  async connect(clients: 'sdk' | 'deployed'): Promise<void> {
    for (const openid of this.openids) this.players.push(this.player(openid, clients));
    let next = 0;
    const connectNext = async (): Promise<void> => {
      while (next < this.players.length) await this.players[next++]?.connect();
    };
    await Promise.all(Array.from({ length: CONNECTS_AT_ONCE }, connectNext));
  }

  async beginPushes(): Promise<void> {
    await this.pushing.ask('begin');
  }

  /** No new push; resolves when those under way have been answered for. */
  async endPushes(): Promise<Promised> {
    return (await this.pushing.ask('end')) as Promised;
  }

  async executions(): Promise<Executions> {
    return (await this.upstreams.ask('executions')) as Executions;
  }

  async close(): Promise<void> {
    for (const player of this.players) player.leave();
    await Promise.all(this.sockets.map((socket) => socket.stop()));
    for (const part of [this.upstreams, this.pushing, this.forwarder]) await part.stop();
    await this.pair.stop();
  }

  private player(openid: string, clients: 'sdk' | 'deployed'): FailoverPlayer {
    const socket = this.socket(clients);
    if (clients === 'deployed') {
      return new DeployedPlayer(openid, Number(this.forwarder.info), socket);
    }
    const addresses = this.pair.members.map(({ quicPort }) => `127.0.0.1:${quicPort}`);
    return new SdkPlayer(openid, addresses, socket);
  }

  private socket(clients: 'sdk' | 'deployed'): ReturnType<typeof createQuicClient> {
    if (this.players.length % PER_SOCKET === 0) {
      const idle = clients === 'deployed' ? { idleTimeoutMs: DEPLOYED_IDLE_MS } : {};
      this.sockets.push(createQuicClient({ insecure: true, ...idle }));
    }
    return this.sockets.at(-1) as ReturnType<typeof createQuicClient>;
  }
}
