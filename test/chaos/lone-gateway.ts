import { join } from 'node:path';
import { bareSettings } from '../../src/bench/load/gateway-process.js';
import type { Settings } from '../../src/bench/load/gateway-process.js';
import { GatewayPlace } from '../../src/cli/demo/gateway-place.js';
import { writeSharedCertificates } from '../support/shared-certificates.js';
import type { Cluster } from './cluster.js';
import { GatewayNode } from './gateway-node.js';
import type { History } from './history.js';
import { pause } from './players.js';
import type { Fault } from './schedule.js';

const NAME = 'gateway';
const SERVING = /gateway is serving/;

/** Settings under which sessions end for every reason, and the tokens of their clients. */
export interface SessionEndings {
  readonly settings: Settings;
  readonly tokenOf: (openid: string) => string;
}

/** One gateway with a journal on disk: kill -9 may cost time, never a message. */
export class LoneGateway implements Cluster {
  readonly names = [NAME];
  readonly endsSessions: boolean;
  readonly tokenOf?: (openid: string) => string;

  private constructor(
    private readonly node: GatewayNode,
    endings: SessionEndings | null,
  ) {
    this.endsSessions = endings !== null;
    if (endings !== null) this.tokenOf = endings.tokenOf;
  }

  /**
   * @param folder for certificates, keys and the journal.
   * @param endings how sessions end, where they do.
   */
  static async prepare(
    folder: string,
    history: History,
    endings: SessionEndings | null = null,
  ): Promise<LoneGateway> {
    await writeSharedCertificates(folder);
    const place = await GatewayPlace.take();
    const settings = {
      ...commonSettings(folder, place),
      'journal.path': join(folder, 'journal'),
      ...endings?.settings,
    };
    return new LoneGateway(new GatewayNode(NAME, place, settings, history), endings);
  }

  get keepsOffline(): boolean {
    return this.endsSessions;
  }

  kick(openid: string): Promise<void> {
    return this.node.kick(openid);
  }

  get addresses(): readonly string[] {
    return [this.node.place.quicAddress];
  }

  get grpcAddresses(): readonly string[] {
    return [this.node.place.grpcAddress];
  }

  balanced(): string {
    return this.node.place.quicAddress;
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
export function commonSettings(folder: string, place: GatewayPlace): Settings {
  return {
    ...bareSettings(folder, place.ports),
    'server.http_addr': place.httpAddress,
    // Whoever shares the machine must not decide what a run sees.
    'overload_protection.max_event_loop_delay': '0s',
    'watchdog.enabled': 'false',
  };
}
