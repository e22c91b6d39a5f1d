import type { QuicClient } from '../../src/quic/quic-client.js';
import { GatewayClient, QuicTransport, RequestRefusedError } from '../../src/sdk/client/index.js';
import { DeployedClient, DeployedClientError } from '../support/deployed-client.js';
import { DeployedQuic } from '../support/deployed-client-quic.js';
import type { History, RequestEnd } from './history.js';
import { TappedLink, TappedTransport } from './tapped-link.js';

/** Where clients find gateways. */
export interface Edge {
  /** For clients that know every gateway. */
  readonly addresses: readonly string[];
  /** Where a load balancer would send a client that knows one address. */
  balanced(): string;
  nodeAt(address: string): string;
  /** A token that runs out soon; null where none is asked for. */
  readonly tokenOf?: (openid: string) => string;
  /** Whether sessions are ended on purpose: whoever begins another one may see again what it has seen. */
  readonly endsSessions?: boolean;
}

/** What any client does in a run. */
export interface Player {
  readonly openid: string;
  /** Until there is a session. */
  connect(): Promise<void>;
  /** One request and what became of it; never rejects. */
  ask(id: string): Promise<{ readonly end: RequestEnd; readonly text: string }>;
  /** Loses its connection. */
  cut(): void;
  /** Loses its connection, and finds no way to the gateway for so long, ms. */
  goAway(forMs: number): void;
  /** The app is started anew, where it can be. */
  restart(): void;
  leave(): Promise<void>;
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** A client with our SDK. */
export class SdkPlayer implements Player {
  private client: GatewayClient;
  private readonly transport: TappedTransport;
  private left = false;

  constructor(
    readonly openid: string,
    private readonly edge: Edge,
    shared: QuicClient,
    private readonly history: History,
  ) {
    const quic = new QuicTransport({ shared });
    const nodeAt = (address: string) => edge.nodeAt(address);
    this.transport = new TappedTransport(quic, openid, nodeAt, history);
    this.client = this.newClient();
  }

  private newClient(): GatewayClient {
    const { openid, edge, history } = this;
    let connections = 0;
    const client = new GatewayClient({
      addresses: edge.addresses,
      openid,
      token: () => edge.tokenOf?.(openid) ?? '',
      transport: this.transport,
      connectTimeoutMs: 0,
      requestTimeoutMs: 60_000,
      pingAfterMs: 300,
      deadAfterMs: 1_500,
      minDelayMs: 20,
      maxDelayMs: 300,
    });
    client.onPush((push) => history.add({ kind: 'arrived', openid, text: push.text }));
    client.on('connected', ({ resumed }) => {
      if (connections++ > 0 && !resumed)
        history.add({ kind: 'anew', openid, why: 'another session' });
    });
    client.on('unrecovered', ({ lastReceived, nextPush }) => {
      const why = `unrecovered: ${lastReceived}, then ${nextPush}`;
      history.add({ kind: 'anew', openid, why });
    });
    client.on('closed', ({ reason }) => this.onClosed(reason));
    return client;
  }

  /** Its session was ended for good. Where that is done on purpose the user logs in again. */
  private onClosed(reason: string): void {
    const { openid, history, edge } = this;
    if (this.left || edge.endsSessions !== true) return;
    history.add({ kind: 'anew', openid, why: `closed: ${reason}` });
    this.client = this.newClient();
    this.client.connect().catch(() => undefined);
  }

  connect(): Promise<void> {
    return this.client.connect();
  }

  async ask(id: string): Promise<{ end: RequestEnd; text: string }> {
    try {
      return { end: 'answered', text: (await this.client.request('work', { data: id })).text };
    } catch (error) {
      const end = error instanceof RequestRefusedError ? 'refused' : 'unknown';
      return { end, text: String(error) };
    }
  }

  cut(): void {
    this.transport.cut();
  }

  goAway(forMs: number): void {
    this.transport.blockFor(forMs);
    this.cut();
  }

  restart(): void {
    this.cut();
  }

  async leave(): Promise<void> {
    this.left = true;
    this.client.close();
    return Promise.resolve();
  }
}

/** How soon the app of a deployed client tries again, ms. */
const RETRY_MS = 100;
/** How often its inbox is read, ms. */
const READ_MS = 10;
/** Codes that say that nothing was executed. */
const REFUSALS = new Set([400, 401, 403, 413, 421, 429, 503]);

/** A client as deployments run it: one address, no resume_session_id, no repeats, 30 s of idle timeout. */
export class DeployedPlayer implements Player {
  private readonly client: DeployedClient;
  private readonly quic: DeployedQuic;
  private read = 0;
  private left = false;
  private anew = false;
  private started = false;
  private awayUntil = 0;
  private startsSeen = 0;
  private link: TappedLink | null = null;
  private life: Promise<void> = Promise.resolve();

  constructor(
    readonly openid: string,
    private readonly edge: Edge,
    private readonly history: History,
  ) {
    let address = '';
    this.quic = new DeployedQuic(() => address);
    this.client = new DeployedClient(
      async () => {
        address = edge.balanced();
        const node = edge.nodeAt(address);
        this.link = new TappedLink(await this.quic.open(), openid, node, history);
        return this.link;
      },
      {
        openid,
        get token(): string {
          return edge.tokenOf?.(openid) ?? 'any';
        },
      },
    );
  }

  async connect(): Promise<void> {
    this.life = this.live();
    while (!this.client.connected || this.client.lastAcked === 0) await pause(READ_MS);
  }

  async ask(id: string): Promise<{ end: RequestEnd; text: string }> {
    // A request on no connection would burn a number and say nothing.
    while (!this.ready() && !this.left) await pause(READ_MS);
    try {
      const { code, data } = await this.client.request('work', id);
      return { end: code === 200 ? 'answered' : 'unknown', text: data };
    } catch (error) {
      const code = error instanceof DeployedClientError ? error.code : 0;
      // A connection that closes with a code answers no request.
      const answered = !/unanswered|not connected/.test(String(error));
      return { end: answered && REFUSALS.has(code) ? 'refused' : 'unknown', text: String(error) };
    }
  }

  cut(): void {
    this.link?.inner.close(0, 'cut by the test');
  }

  goAway(forMs: number): void {
    this.awayUntil = performance.now() + forMs;
    this.cut();
  }

  restart(): void {
    this.anew = true;
  }

  async leave(): Promise<void> {
    this.left = true;
    this.client.drop();
    await this.life;
    await this.quic.stop();
  }

  private ready(): boolean {
    return this.started && this.client.connected;
  }

  /** Keeps itself connected and reads, as its app would. */
  private async live(): Promise<void> {
    while (!this.left) {
      const away = performance.now() < this.awayUntil;
      if (!away && (this.anew || !this.client.connected)) await this.begin();
      this.readPushes();
      await pause(READ_MS);
    }
    this.readPushes();
  }

  private async begin(): Promise<void> {
    this.started = false;
    this.client.drop();
    this.readPushes();
    const anew = this.anew;
    this.anew = false;
    if (anew) this.history.add({ kind: 'anew', openid: this.openid, why: 'the app was restarted' });
    try {
      await (anew ? this.client.restart() : this.client.reconnect());
      this.started = true;
    } catch {
      this.client.drop();
      await pause(RETRY_MS);
    }
    this.noteOtherSessions();
  }

  /** Before its pushes are read: those that it had not acknowledged in its last session come again. */
  private noteOtherSessions(): void {
    const { openid, history, edge } = this;
    for (; this.startsSeen < this.client.starts.length; this.startsSeen++) {
      const another = this.client.starts[this.startsSeen]?.resumed === false;
      if (another && this.startsSeen > 0 && edge.endsSessions === true)
        history.add({ kind: 'anew', openid, why: 'another session' });
    }
  }

  private readPushes(): void {
    for (; this.read < this.client.pushes.length; this.read++) {
      const text = this.client.pushes[this.read]?.data ?? '';
      this.history.add({ kind: 'arrived', openid: this.openid, text });
    }
  }
}
