import { setTimeout as pause } from 'node:timers/promises';
import { GatewayClient } from '../../sdk/client/index.js';
import type { createQuicClient } from '../../sdk/client/quic-client.js';

/**
 * A gateway that restarts on a busy machine is slow, not gone, ms. What opening one connection may take
 * stays as users have it: packets to a port where nobody listens are repeated ever more rarely, and a
 * new attempt finds the gateway sooner.
 */
const PATIENT = {
  connectTimeoutMs: 60_000,
  startTimeoutMs: 60_000,
  requestTimeoutMs: 60_000,
};

/** A client of the SDK that asks one request after another, comes back after a loss, and notes it all. */
export class Player {
  readonly pushes: string[] = [];
  /** How long it was away each time, ms. */
  readonly waits: number[] = [];
  answered = 0;
  readonly client: GatewayClient;
  private gone = 0;
  private done = false;
  private asking: Promise<void> = Promise.resolve();

  constructor(
    readonly openid: string,
    address: string,
    shared: ReturnType<typeof createQuicClient>,
  ) {
    this.client = new GatewayClient({ address, openid, shared, maxDelayMs: 300, ...PATIENT });
    this.client.onPush((push) => this.pushes.push(push.text));
    this.client.on('disconnected', () => (this.gone = performance.now()));
    this.client.on('connected', () => {
      if (this.gone > 0) this.waits.push(performance.now() - this.gone);
    });
  }

  /** Asks until finish(), a little apart. */
  play(pauseMs: number): void {
    this.asking = this.ask(pauseMs);
    // finish() reports it; until then it must not end the process.
    this.asking.catch(() => undefined);
  }

  /** @throws {Error} where a request failed or was answered wrongly. */
  async finish(): Promise<void> {
    this.done = true;
    await this.asking;
  }

  private async ask(pauseMs: number): Promise<void> {
    for (let number = 1; !this.done; number++) {
      const data = `${this.openid} ${number}`;
      const { text } = await this.client.request('echo', { data });
      if (text !== data) throw new Error(`${data} was answered with ${text}`);
      this.answered++;
      await pause(pauseMs);
    }
  }
}
