import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { deploymentFlags, makeCertificates } from './contestant.js';
import { freeTcpPort, freeUdpPort } from './free-ports.js';
import { GatewayProcess } from './gateway-process.js';

export interface PairSettings {
  readonly sync: 'async' | 'sync';
  /** Of heartbeats, ms; the gateway's own defaults where it is missing. */
  readonly heartbeat?: { readonly interval: number; readonly timeout: number };
  /** Any other configuration key, for both. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What `GET /backup/stats` tells that a benchmark needs. */
export interface PairStats {
  readonly role: string;
  readonly accepting: boolean;
  readonly in_sync: boolean;
  readonly degraded: boolean;
  readonly epoch: number;
  readonly position: number;
  readonly lag_frames: number;
  readonly lag_ms: number;
}

/** How long a pair may take to come together, ms: the machine may be busy. */
const PATIENCE_MS = 60_000;
const POLL_MS = 50;
/** A gateway that does not answer by then counts as gone, ms. */
const ANSWER_MS = 2_000;

/** One gateway of a pair under load. */
export interface PairedGateway {
  readonly name: string;
  readonly process: GatewayProcess;
  readonly quicPort: number;
  readonly grpcPort: number;
  readonly httpPort: number;
}

interface Place {
  readonly name: string;
  readonly quic: number;
  readonly grpc: number;
  readonly http: number;
  readonly heartbeat: number;
  readonly sync: number;
}

/** A primary and its standby, two processes of `gatesvr serve` on this machine. */
export class BenchPair {
  private constructor(
    readonly primary: PairedGateway,
    readonly standby: PairedGateway,
    private readonly folder: string,
  ) {}

  /** Resolves once the standby is in sync. @throws {Error} where that does not come about. */
  static async start(plan: PairSettings): Promise<BenchPair> {
    const folder = mkdtempSync(join(tmpdir(), 'gatesvr-pair-'));
    await makeCertificates(folder);
    const [one, two] = [await takePlace('one'), await takePlace('two')];
    const primary = startAt(one, flagsOf(folder, one, two, plan));
    const standby = startAt(two, flagsOf(folder, two, one, plan));
    const pair = new BenchPair(primary, standby, folder);
    try {
      for (const { process } of pair.members) await process.waitFor(/gateway has started/);
      await pair.whole();
      return pair;
    } catch (error) {
      await pair.stop();
      throw error;
    }
  }

  get members(): readonly [PairedGateway, PairedGateway] {
    return [this.primary, this.standby];
  }

  /** Waits until the standby has everything and would take over. @throws {Error} after a minute. */
  async whole(): Promise<void> {
    let last: PairStats | null = null;
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(POLL_MS)) {
      last = await statsOf(this.primary);
      const following = await statsOf(this.standby);
      if (last?.accepting === true && isInSync(last) && following?.in_sync === true) return;
    }
    throw new Error(`the standby is not in sync: ${JSON.stringify(last)}`);
  }

  /** Ends both; the standby first, so that nobody takes over. */
  async stop(): Promise<void> {
    const kill = ({ process: child }: PairedGateway) => child.kill();
    kill(this.standby);
    kill(this.primary);
    for (const { process: child } of this.members) await child.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** @returns null where it does not answer. */
export async function statsOf({ httpPort }: PairedGateway): Promise<PairStats | null> {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answer = await fetch(`http://127.0.0.1:${httpPort}/backup/stats`, { signal });
    return answer.ok ? ((await answer.json()) as PairStats) : null;
  } catch {
    return null;
  }
}

/** Of a primary: everything is confirmed as its mode promises. */
export function isInSync({ in_sync: inSync, degraded }: PairStats): boolean {
  return inSync && !degraded;
}

async function takePlace(name: string): Promise<Place> {
  const [grpc, http] = [await freeTcpPort(), await freeTcpPort()];
  const [heartbeat, sync] = [await freeTcpPort(), await freeTcpPort()];
  return { name, quic: await freeUdpPort(), grpc, http, heartbeat, sync };
}

function startAt(place: Place, flags: Record<string, string>): PairedGateway {
  const { name, quic: quicPort, grpc: grpcPort, http: httpPort } = place;
  return { name, process: new GatewayProcess(flags), quicPort, grpcPort, httpPort };
}

function flagsOf(
  folder: string,
  place: Place,
  peer: Place,
  { sync, heartbeat, settings = {} }: PairSettings,
): Record<string, string> {
  const local = (port: number) => `127.0.0.1:${port}`;
  return {
    ...deploymentFlags(folder),
    'server.quic_addr': local(place.quic),
    'server.advertise_addr': local(place.quic),
    'server.grpc_addr': local(place.grpc),
    'server.http_addr': local(place.http),
    'server.state_file': 'off',
    'backup.enabled': 'true',
    'backup.mode': place.name === 'one' ? 'primary' : 'backup',
    'backup.server_id': place.name,
    'backup.role_file': join(folder, `${place.name}.role`),
    'backup.cluster_secret': 'of this benchmark',
    'backup.heartbeat.listen_addr': local(place.heartbeat),
    'backup.heartbeat.peer_addr': local(peer.heartbeat),
    'backup.sync.mode': sync,
    'backup.sync.listen_addr': local(place.sync),
    'backup.sync.peer_addr': local(peer.sync),
    ...(heartbeat === undefined
      ? {}
      : {
          'backup.heartbeat.interval': `${heartbeat.interval}ms`,
          'backup.heartbeat.timeout': `${heartbeat.timeout}ms`,
        }),
    ...settings,
  };
}
