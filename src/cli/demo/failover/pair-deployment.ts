import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCertificates } from '../../../config/certificates.js';
import { Child } from '../child.js';
import { PairMember } from './pair-member.js';

const HOST = '127.0.0.1';
const LOG_LINES = 10;

/**
 * A primary and its standby, and upstreams that know both, each a process of its own, in a temporary folder
 * that goes with them. Whatever way this process ends, they end with it.
 */
export class PairDeployment {
  readonly folder = mkdtempSync(join(tmpdir(), 'gatesvr-demo-'));
  private readonly children: Child[] = [];
  private readonly endAll = (): void => this.kill();
  private over = false;

  private constructor(readonly members: readonly [PairMember, PairMember]) {
    process.on('exit', this.endAll);
  }

  /** Takes ports and a folder, and makes certificates; starts nothing yet. */
  static async prepare(): Promise<PairDeployment> {
    const members = await Promise.all(['one', 'two'].map((name) => PairMember.withPorts(name)));
    const [one, two] = members as [PairMember, PairMember];
    const deployment = new PairDeployment([one, two]);
    await writeCertificates(deployment.folder);
    one.configure(deployment.folder, two);
    two.configure(deployment.folder, one);
    return deployment;
  }

  get quicAddresses(): readonly string[] {
    return this.members.map(({ quicAddress }) => quicAddress);
  }

  get grpcAddresses(): readonly string[] {
    return this.members.map(({ grpcAddress }) => grpcAddress);
  }

  /** The certificate authority that clients of both trust, PEM. */
  ca(): Promise<string> {
    return readFile(join(this.folder, 'ca.crt'), 'utf8');
  }

  /** Starts a gateway; resolves once its process is up, whatever its role. */
  async startGateway(member: PairMember): Promise<Child> {
    const child = this.spawn(`gateway ${member.name}`, ['serve', '--config', member.configFile]);
    member.process = child;
    await child.printed(/gateway has started/);
    return child;
  }

  /** Starts an upstream for a zone; resolves once a gateway has it. */
  async startUpstream(zone: string): Promise<Child> {
    const gateways = this.grpcAddresses.join(',');
    const argv = ['--zone', zone, '--addr', `${HOST}:0`, '--gateway', gateways];
    const upstream = this.spawn(`upstream ${zone}`, ['upstream', ...argv]);
    await upstream.printed(/registered/i);
    return upstream;
  }

  /** What each gateway printed last: where to look when a claim was false. */
  gatewayLog(): string[] {
    return this.members.flatMap(({ name, process }) =>
      (process?.tail(LOG_LINES) ?? []).map((line) => `${name}: ${line}`),
    );
  }

  /** Stops every process that still runs. @returns their exit codes. */
  shutDown(): Promise<(number | null)[]> {
    const running = this.children.filter((child) => !child.hasEnded);
    return Promise.all(running.map((child) => child.stop()));
  }

  /** Ends every process, gracefully and then by force, and removes the folder. Idempotent. */
  async stop(): Promise<void> {
    this.over = true;
    await this.shutDown();
    process.off('exit', this.endAll);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private kill(): void {
    for (const child of this.children) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private spawn(name: string, argv: readonly string[]): Child {
    if (this.over) throw new Error('the deployment has ended');
    const child = new Child(name, argv, this.folder);
    this.children.push(child);
    return child;
  }
}
