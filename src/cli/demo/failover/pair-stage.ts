import { UpstreamServer } from '../../../sdk/upstream/index.js';
import { HOST } from '../host.js';
import { zoneOf, zones } from '../people.js';
import { until } from '../verify.js';
import { BusyClient } from './busy-client.js';
import { PairDeployment } from './pair-deployment.js';
import type { PairMember } from './pair-member.js';

/** Clients in each zone. */
const PER_ZONE = 2;
const POLL_MS = 50;
/** Less than the transcript waits for a claim, so that the reason is told, ms. */
const PATIENCE_MS = 14_000;

/** Everybody and everything that the failover is played with. */
export class PairStage {
  readonly clients: readonly BusyClient[];
  /** Pushes through both gateways, whichever serves; it is nobody's upstream. */
  readonly service: UpstreamServer;

  private constructor(
    readonly deployment: PairDeployment,
    ca: string,
  ) {
    const { quicAddresses, grpcAddresses } = deployment;
    this.clients = names().map((name) => new BusyClient(name, zoneOf(name), quicAddresses, ca));
    this.service = new UpstreamServer({
      zone: zones[0] as string,
      serviceName: 'ticker',
      listen: `${HOST}:0`,
      gateways: grpcAddresses,
      callTimeoutMs: 2_000,
    });
  }

  /** Takes ports and makes certificates; starts nothing yet. */
  static async prepare(): Promise<PairStage> {
    const deployment = await PairDeployment.prepare();
    try {
      return new PairStage(deployment, await deployment.processes.ca());
    } catch (error) {
      await deployment.processes.stop();
      throw error;
    }
  }

  /** Waits until a gateway serves and its standby may take over. @returns both. */
  async whole(): Promise<{ primary: PairMember; standby: PairMember; epoch: number }> {
    const [one, two] = this.deployment.members;
    const found: { primary: PairMember; standby: PairMember; epoch: number }[] = [];
    let asking = false;
    const look = async (): Promise<void> => {
      const [first, second] = await Promise.all([one.standing(), two.standing()]);
      if (first === null || second === null || !first.inSync || !second.inSync) return;
      if (first.serves === second.serves || first.epoch !== second.epoch) return;
      const [primary, standby] = first.serves ? [one, two] : [two, one];
      found.push({ primary, standby, epoch: first.epoch });
    };
    const poll = setInterval(() => {
      if (asking) return;
      asking = true;
      void look().finally(() => (asking = false));
    }, POLL_MS);
    try {
      const ended = () => [one, two].find(({ process }) => process?.hasEnded === true);
      const decided = () => found.length > 0 || ended() !== undefined;
      await until(decided, 'one gateway serves and the other is in sync', PATIENCE_MS);
      if (found[0] === undefined) throw new Error(`gateway ${ended()?.name ?? ''} has ended`);
      return found[0];
    } finally {
      clearInterval(poll);
    }
  }

  /** Ends everybody and everything. */
  async clear(): Promise<void> {
    const stopped = this.clients.map((client) => client.stop());
    for (const { visitor } of this.clients) visitor.client.close();
    await this.service.stop();
    await this.deployment.processes.stop();
    await Promise.all(stopped);
  }
}

/** So many names in each zone. */
function names(): string[] {
  const found: string[] = [];
  for (let number = 1; found.length < PER_ZONE * zones.length; number++) {
    const name = `client-${number}`;
    const sameZone = found.filter((other) => zoneOf(other) === zoneOf(name));
    if (sameZone.length < PER_ZONE) found.push(name);
  }
  return found;
}
