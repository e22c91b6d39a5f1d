import { GatewayClient } from '../../sdk/client/index.js';
import type { Answer, Connected, Push } from '../../sdk/client/index.js';
import { until } from './verify.js';

/** How soon a visitor notices a dead connection, ms; the SDK's own defaults are 1 s and 3 s. */
const PING_AFTER_MS = 300;
const DEAD_AFTER_MS = 1_000;
/** How long one attempt to connect may take, ms; the SDK's default is 5 s. */
const OPEN_TIMEOUT_MS = 2_000;

/** A client of the gateway that keeps everything it receives, so that it can be checked. */
export class Visitor {
  readonly client: GatewayClient;
  readonly pushes: Push[] = [];
  /** How many answers came. */
  answers = 0;
  /** Every connection that held a session, in order. */
  readonly connections: Connected[] = [];
  /** Reports of messages that may be lost; must stay empty. */
  readonly losses: string[] = [];

  constructor(
    readonly name: string,
    readonly zone: string,
    /** Of one gateway, or of several. */
    address: string | readonly string[],
    ca: string,
  ) {
    this.client = new GatewayClient({
      addresses: typeof address === 'string' ? [address] : address,
      openid: name,
      token: 'demo-token',
      ca,
      pingAfterMs: PING_AFTER_MS,
      deadAfterMs: DEAD_AFTER_MS,
      openTimeoutMs: OPEN_TIMEOUT_MS,
      maxDelayMs: 500,
      refusedRetries: 0,
    });
    this.client.onPush((push) => this.pushes.push(push));
    this.client.on('connected', (connected) => this.connections.push(connected));
    this.client.on('unrecovered', ({ lastReceived, nextPush }) =>
      this.losses.push(`numbers ${lastReceived + 1} to ${nextPush - 1}`),
    );
    this.client.on('error', (error) => this.losses.push(error.message));
  }

  /** Pushes of one type. */
  pushesOf(type: string): readonly Push[] {
    return this.pushes.filter((push) => push.type === type);
  }

  /** Sends a request; its failure may be looked at later, or never when the demo is broken off. */
  ask(action: string, options: Parameters<GatewayClient['request']>[1] = {}): Promise<Answer> {
    const answered = this.client.request(action, options).then((answer) => {
      this.answers++;
      return answer;
    });
    answered.catch(() => undefined);
    return answered;
  }

  /** Waits for so many pushes of one type. */
  async hasPushes(type: string, count: number): Promise<void> {
    const what = `${this.name} receives ${count} pushes of type ${type}`;
    await until(() => this.pushesOf(type).length >= count, what);
  }
}
