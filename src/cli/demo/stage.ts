import { UpstreamServer } from '../../sdk/upstream/index.js';
import type { Child } from './child.js';
import { Deployment } from './deployment.js';
import { HOST } from './host.js';
import { onePersonPerZone, zones } from './people.js';
import { Relay } from './relay.js';
import { Visitor } from './visitor.js';

/** Everybody and everything that the chapters play with. */
export class Stage {
  /** One for each zone, in the order of the zones. */
  readonly visitors: readonly Visitor[];
  /** A service that only pushes: it is nobody's upstream. */
  readonly service: UpstreamServer;

  private constructor(
    readonly deployment: Deployment,
    /** The network of the first visitor; the others reach the gateway directly. */
    readonly network: Relay,
    ca: string,
  ) {
    this.visitors = onePersonPerZone().map((name, index) => {
      const address = index === 0 ? network.address : deployment.place.quicAddress;
      return new Visitor(name, zones[index] as string, address, ca);
    });
    this.service = new UpstreamServer({
      zone: zones[0] as string,
      serviceName: 'news',
      listen: `${HOST}:0`,
      gateways: [deployment.place.grpcAddress],
    });
  }

  /** Takes ports and makes certificates; starts nothing yet. */
  static async prepare(): Promise<Stage> {
    const deployment = await Deployment.prepare();
    try {
      const network = await Relay.to(deployment.place.ports.quic);
      return new Stage(deployment, network, await deployment.processes.ca());
    } catch (error) {
      await deployment.processes.stop();
      throw error;
    }
  }

  /** The visitor behind the network that can be cut. */
  get traveller(): Visitor {
    return this.visitors[0] as Visitor;
  }

  /** The visitor of a zone. */
  visitorOf(zone: string): Visitor {
    return this.visitors[zones.indexOf(zone)] as Visitor;
  }

  /** The upstream that serves a zone: the one that came last. */
  upstreamOf(zone: string): Child {
    const child = this.deployment.upstreams.get(zone)?.at(-1);
    if (child === undefined) throw new Error(`zone ${zone} has no upstream`);
    return child;
  }

  /** Ends everybody and everything. */
  async clear(): Promise<void> {
    for (const { client } of this.visitors) client.close();
    this.network.close();
    await this.service.stop();
    await this.deployment.processes.stop();
  }
}
