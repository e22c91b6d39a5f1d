import type { Child } from '../child.js';
import { LOG_LINES } from '../deployment.js';
import { Processes } from '../processes.js';
import { PairMember } from './pair-member.js';

/** A primary and its standby, and upstreams that know both, each a process of its own. */
export class PairDeployment {
  private constructor(
    readonly members: readonly [PairMember, PairMember],
    readonly processes: Processes,
  ) {}

  /** Takes ports and a folder, and makes certificates; starts nothing yet. */
  static async prepare(): Promise<PairDeployment> {
    const members = await Promise.all(['one', 'two'].map((name) => PairMember.withPorts(name)));
    const [one, two] = members as [PairMember, PairMember];
    const processes = await Processes.prepare();
    one.configure(processes.folder, two);
    two.configure(processes.folder, one);
    return new PairDeployment([one, two], processes);
  }

  get quicAddresses(): readonly string[] {
    return this.members.map(({ place }) => place.quicAddress);
  }

  get grpcAddresses(): readonly string[] {
    return this.members.map(({ place }) => place.grpcAddress);
  }

  /** Starts a gateway; resolves once its process is up, whatever its role. */
  async startGateway(member: PairMember): Promise<Child> {
    const argv = ['serve', '--config', member.configFile];
    const child = this.processes.spawn(`gateway ${member.name}`, argv);
    member.process = child;
    await child.printed(/gateway has started/);
    return child;
  }

  /** Starts an upstream for a zone; resolves once a gateway has it. */
  startUpstream(zone: string): Promise<Child> {
    return this.processes.startUpstream(zone, this.grpcAddresses);
  }

  /** What each gateway printed last: where to look when a claim was false. */
  gatewayLog(): string[] {
    return this.members.flatMap(({ name, process }) =>
      (process?.tail(LOG_LINES) ?? []).map((line) => `${name}: ${line}`),
    );
  }
}
