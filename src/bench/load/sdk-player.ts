import { GatewayClient, QuicTransport, RequestRefusedError } from '../../sdk/client/index.js';
import type { createQuicClient } from '../../sdk/client/quic-client.js';
import { PushOrder } from './failover-player.js';
import type { AskEnd, FailoverPlayer } from './failover-player.js';

/** Longer than any failover, so that a request ends by its outcome, not by the clock, ms. */
const REQUEST_TIMEOUT_MS = 120_000;

/**
 * Longer than the SDK's default: all clients share one process, which is busy for seconds with connecting them. What the
 * gateway answered at once would wait there until attempts are given up, and all their work begins anew.
 */
const OPEN_TIMEOUT_MS = 10_000;

/** A client of our SDK that knows both gateways, with its defaults but for those two times. */
export class SdkPlayer implements FailoverPlayer {
  startedAt = 0;
  readonly faults: string[] = [];
  readonly pushes = new PushOrder();
  private readonly client: GatewayClient;

  constructor(
    readonly openid: string,
    addresses: readonly string[],
    shared: ReturnType<typeof createQuicClient>,
  ) {
    this.client = new GatewayClient({
      addresses,
      openid,
      transport: new QuicTransport({ shared }),
      connectTimeoutMs: 0,
      openTimeoutMs: OPEN_TIMEOUT_MS,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    });
    this.client.onPush((push) => this.pushes.note(push.text));
    this.client.on('connected', () => (this.startedAt = performance.now()));
    this.client.on('unrecovered', ({ lastReceived, nextPush }) => {
      this.faults.push(`told of a loss: after ${lastReceived} comes ${nextPush}`);
    });
  }

  get sessionId(): string {
    return this.client.sessionId;
  }

  connect(): Promise<void> {
    return this.client.connect();
  }

  async ask(data: string): Promise<AskEnd> {
    try {
      const { text } = await this.client.request('echo', { data });
      if (text !== data) this.faults.push(`"${data}" was answered with "${text}"`);
      return 'answered';
    } catch (error) {
      return error instanceof RequestRefusedError ? 'refused' : 'unknown';
    }
  }

  leave(): void {
    this.client.close();
  }
}
