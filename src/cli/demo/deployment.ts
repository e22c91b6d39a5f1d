import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from './child.js';
import { GatewayPlace } from './gateway-place.js';
import { Processes } from './processes.js';

/** Lines of each gateway's log that a failed claim is told with. */
export const LOG_LINES = 10;

/** 16 characters, the fewest that ops.admin_token may have: a person copies them. */
const TOKEN_BYTES = 12;

/** One gateway and its upstreams, each a process of its own. */
export class Deployment {
  readonly stateFile: string;
  /** What the actions of the console take. */
  readonly adminToken = randomBytes(TOKEN_BYTES).toString('base64url');
  /** The instances of each zone, the newest last. */
  readonly upstreams = new Map<string, Child[]>();
  private readonly configFile: string;
  private gatewayProcess: Child | null = null;

  private constructor(
    readonly place: GatewayPlace,
    readonly processes: Processes,
  ) {
    this.stateFile = join(processes.folder, 'gateway.state');
    this.configFile = join(processes.folder, 'gatesvr.yaml');
    writeFileSync(this.configFile, this.configuration());
  }

  /** Takes a folder and ports, and writes certificates and configuration; starts nothing yet. */
  static async prepare(): Promise<Deployment> {
    const place = await GatewayPlace.take();
    return new Deployment(place, await Processes.prepare());
  }

  /** Starts the gateway; resolves once it serves. @throws {Error} with its last words. */
  async startGateway(): Promise<Child> {
    const gateway = this.processes.spawn('gateway', ['serve', '--config', this.configFile]);
    this.gatewayProcess = gateway;
    await gateway.printed(/gateway is serving/);
    return gateway;
  }

  /** Stops the gateway as an operator would, by SIGTERM. @returns its exit code. */
  stopGateway(): Promise<number | null> {
    return this.gatewayProcess?.stop() ?? Promise.resolve(null);
  }

  /** What the gateway printed last: where to look when a claim was false. */
  gatewayLog(): string[] {
    return this.gatewayProcess?.tail(LOG_LINES) ?? [];
  }

  /** Starts an upstream for a zone; resolves once the gateway has it. */
  async startUpstream(zone: string): Promise<Child> {
    const upstream = await this.processes.startUpstream(zone, [this.place.grpcAddress]);
    this.upstreams.set(zone, [...(this.upstreams.get(zone) ?? []), upstream]);
    return upstream;
  }

  private configuration(): string {
    return [
      ...this.place.configuration(),
      `  state_file: ${this.stateFile}`,
      'ops:',
      `  admin_token: ${this.adminToken}`,
      'log:',
      '  format: json',
      '',
    ].join('\n');
  }
}
