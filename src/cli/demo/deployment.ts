import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCertificates } from '../../config/certificates.js';
import { Child } from './child.js';
import { freePorts } from './free-ports.js';
import type { Ports } from './free-ports.js';

const HOST = '127.0.0.1';
const LOG_LINES = 10;

/**
 * One gateway and its upstreams, each a process of its own, in a temporary folder that goes with
 * them. Whatever way this process ends, they end with it.
 */
export class Deployment {
  readonly folder = mkdtempSync(join(tmpdir(), 'gatesvr-demo-'));
  readonly stateFile = join(this.folder, 'gateway.state');
  readonly caFile = join(this.folder, 'ca.crt');
  readonly configFile = join(this.folder, 'gatesvr.yaml');
  /** The instances of each zone, the newest last. */
  readonly upstreams = new Map<string, Child[]>();
  private readonly children: Child[] = [];
  private readonly endAll = (): void => this.kill();
  private gatewayProcess: Child | null = null;
  private over = false;

  private constructor(readonly ports: Ports) {
    process.on('exit', this.endAll);
  }

  /** Takes a folder and ports, and writes certificates and configuration; starts nothing yet. */
  static async prepare(): Promise<Deployment> {
    const deployment = new Deployment(await freePorts());
    await writeCertificates(deployment.folder);
    writeFileSync(deployment.configFile, deployment.configuration());
    return deployment;
  }

  get quicAddress(): string {
    return `${HOST}:${this.ports.quic}`;
  }

  get grpcAddress(): string {
    return `${HOST}:${this.ports.grpc}`;
  }

  get httpAddress(): string {
    return `${HOST}:${this.ports.http}`;
  }

  get metricsAddress(): string {
    return `${HOST}:${this.ports.metrics}`;
  }

  /** The certificate authority that clients of this gateway trust, PEM. */
  ca(): Promise<string> {
    return readFile(this.caFile, 'utf8');
  }

  /** Starts the gateway; resolves once it serves. @throws {Error} with its last words. */
  async startGateway(): Promise<Child> {
    const gateway = this.spawn('gateway', ['serve', '--config', this.configFile]);
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
    const argv = ['--zone', zone, '--addr', `${HOST}:0`, '--gateway', this.grpcAddress];
    const upstream = this.spawn(`upstream ${zone}`, ['upstream', ...argv]);
    this.upstreams.set(zone, [...(this.upstreams.get(zone) ?? []), upstream]);
    await upstream.printed(/registered/i);
    return upstream;
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

  /** Ends every process at once. */
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

  private configuration(): string {
    const { quic, http, grpc, metrics } = this.ports;
    return [
      'server:',
      `  quic_addr: ${HOST}:${quic}`,
      `  http_addr: ${HOST}:${http}`,
      `  grpc_addr: ${HOST}:${grpc}`,
      `  metrics_addr: ${HOST}:${metrics}`,
      '  cert_file: server.crt',
      '  key_file: server.key',
      `  state_file: ${this.stateFile}`,
      'log:',
      '  format: json',
      '',
    ].join('\n');
  }
}
