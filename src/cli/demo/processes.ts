import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_HASHED_DAYS } from '../../config/certificate-hash.js';
import { writeCertificates } from '../../config/certificates.js';
import { Child } from './child.js';
import { HOST } from './host.js';

/**
 * The processes of a demo, in a temporary folder that goes with them. Whatever way this process ends,
 * they end with it.
 */
export class Processes {
  /** The servers' certificates and the authority that signed them are here. */
  readonly folder = mkdtempSync(join(tmpdir(), 'gatesvr-demo-'));
  readonly caFile = join(this.folder, 'ca.crt');
  private readonly children: Child[] = [];
  private readonly endAll = (): void => this.kill();
  private over = false;

  private constructor() {
    process.on('exit', this.endAll);
  }

  /** Makes the folder and its certificates; starts nothing yet. */
  static async prepare(): Promise<Processes> {
    const processes = new Processes();
    // A browser takes them by their hash, too.
    await writeCertificates(processes.folder, { days: MAX_HASHED_DAYS });
    return processes;
  }

  /** The certificate authority that clients trust, PEM. */
  ca(): Promise<string> {
    return readFile(this.caFile, 'utf8');
  }

  /** Starts `gatesvr` with these arguments. @throws {Error} after stop(). */
  spawn(name: string, argv: readonly string[]): Child {
    if (this.over) throw new Error('the deployment has ended');
    const child = new Child(name, argv, this.folder);
    this.children.push(child);
    return child;
  }

  /** Starts an upstream for a zone; resolves once one of these gateways has it. */
  async startUpstream(zone: string, gateways: readonly string[]): Promise<Child> {
    const argv = ['--zone', zone, '--addr', `${HOST}:0`, '--gateway', gateways.join(',')];
    const upstream = this.spawn(`upstream ${zone}`, ['upstream', ...argv]);
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

  private kill(): void {
    for (const child of this.children) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
