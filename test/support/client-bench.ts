import { GatewayClientCore } from '../../src/sdk/client/core/gateway-client-core.js';
import type { CoreClientOptions } from '../../src/sdk/client/core/options.js';
import { FakeClock } from './fake-clock.js';
import { FakeGateway, turns } from './fake-gateway.js';

/** A client at a fake gateway with time under control, and a record of everything it reported. */
export class ClientBench {
  readonly clock = new FakeClock();
  readonly gateway = new FakeGateway();
  readonly client: GatewayClientCore;
  /** `name` or `name:detail` of every event, in order; pushes as `push:seq:title`. */
  readonly log: string[] = [];
  readonly errors: { code: string }[] = [];

  constructor(options: Partial<CoreClientOptions> = {}) {
    const { clock } = this;
    const base = { address: 'gw:1', openid: 'alice', clock, random: () => 0.5 };
    this.client = new GatewayClientCore({ ...base, ...options }, this.gateway.transport);
    this.client.on('connected', ({ resumed, recovered }) =>
      this.log.push(`connected:${resumed ? 'resumed' : 'new'}:${recovered ? 'whole' : 'holes'}`),
    );
    this.client.on('disconnected', ({ code }) => this.log.push(`disconnected:${code}`));
    this.client.on('unrecovered', ({ lastReceived, nextPush }) =>
      this.log.push(`unrecovered:${lastReceived}:${nextPush}`),
    );
    this.client.on('notice', ({ code }) => this.log.push(`notice:${code}`));
    this.client.on('closed', ({ reason }) => this.log.push(`closed:${reason}`));
    this.client.onPush((push) => this.log.push(`push:${push.seq}:${push.title}`));
    this.client.on('error', (error) => this.errors.push(error));
  }

  async connect(): Promise<void> {
    const connecting = this.client.connect();
    await turns();
    await connecting;
  }

  /** Cuts the connection as a network would. */
  cut(): void {
    (this.gateway.last.link as unknown as { lose(): void }).lose();
  }

  /** Lets time pass in small steps, everything that is due running on the way. */
  async pass(ms: number, step = 50): Promise<void> {
    await turns();
    for (let left = ms; left > 0; left -= step) {
      this.clock.advance(Math.min(step, left));
      await turns();
    }
  }

  /** The code that a promise is rejected with, `resolved` where it is not. */
  static codeOf(promise: Promise<unknown>): Promise<string> {
    return promise.then(
      () => 'resolved',
      (error: unknown) => String((error as { code?: string }).code),
    );
  }
}
