import { GatewayProcess } from '../../src/bench/load/gateway-process.js';
import type { Settings } from '../../src/bench/load/gateway-process.js';
import type { GatewayPlace } from '../../src/cli/demo/gateway-place.js';
import { CONTINUED, KILLED } from './one-primary.js';
import type { History } from './history.js';

/** Far longer than a start takes on a machine that is busy with everything else, ms. */
const START_PATIENCE_MS = 60_000;

/** One gateway: a process that is killed, stopped and started again on the same ports. Needs `make build`. */
export class GatewayNode {
  private process: GatewayProcess | null = null;
  private stopped = false;

  constructor(
    readonly name: string,
    readonly place: GatewayPlace,
    private readonly settings: Settings,
    private readonly history: History,
  ) {}

  /** Starts the process. @param ready what it prints when it is up. */
  async start(ready: RegExp): Promise<void> {
    if (this.stopped) return;
    this.fault('start');
    this.process = new GatewayProcess(this.settings);
    await this.process.waitFor(ready, START_PATIENCE_MS);
  }

  kill(): void {
    this.fault(KILLED);
    this.signal('SIGKILL');
  }

  pause(): void {
    this.fault('SIGSTOP');
    this.signal('SIGSTOP');
  }

  continue(): void {
    this.fault(CONTINUED);
    this.signal('SIGCONT');
  }

  /** As an operator does, over the API; nothing happens where there is no such session. */
  async kick(openid: string): Promise<void> {
    const base = `http://${this.place.httpAddress}`;
    const page = await fetch(`${base}/stats?openid=${openid}`);
    const { sessions } = (await page.json()) as {
      sessions: { session_id: string; openid: string }[];
    };
    const session = sessions.find((one) => one.openid === openid);
    if (session === undefined) return;
    await fetch(`${base}/sessions/${session.session_id}/kick`, { method: 'POST' });
  }

  /** Ends it for good, gracefully. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.signal('SIGCONT');
    await this.process?.stop();
  }

  /** The last that it printed. */
  async lastWords(): Promise<string> {
    if (this.process === null) return 'never started';
    return this.process.waitFor(/[^]*/).then(([all]) => all.slice(-4_000));
  }

  private fault(what: string): void {
    this.history.add({ kind: 'fault', node: this.name, what });
  }

  private signal(name: NodeJS.Signals): void {
    if (this.process?.alive === true) process.kill(this.process.pid, name);
  }
}
