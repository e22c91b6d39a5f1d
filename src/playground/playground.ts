import { messageOf } from '../base/errors.js';
import type { GatewayClient } from '../sdk/browser/gateway-client.js';
import type { Push } from '../sdk/client/core/payload.js';
import { Board } from './board.js';
import { BURST_TYPE } from './burst.js';
import type { Network, Way } from './network.js';
import { byId, line, make, prepend, setText } from './page.js';

const BURST_COUNT = 40;
const BURST_INTERVAL_MS = 75;
/** In the story: how far the burst is when the network is cut, and for how long it stays so, ms. */
const STORY_CUT_AT_MS = 1_000;
const STORY_CUT_MS = 1_000;

const names: Readonly<Record<string, string>> = {
  webtransport: 'WebTransport',
  websocket: 'WebSocket',
  auto: 'auto',
};

/** The page: a client, the network that it goes over, and what people do with both. */
export class Playground {
  private client: GatewayClient | null = null;
  private readonly board = new Board();
  /** Connections of this client so far. */
  private connections = 0;
  private taken = 0;
  private requests = 0;

  /** @param makeClient a new client for an openid, over the network. */
  constructor(
    private readonly network: Network,
    private readonly makeClient: (openid: string) => GatewayClient,
  ) {
    this.onForm('identity', () => this.connect());
    this.onForm('request', () => void this.ask());
    this.onClick('burst', () => void this.askForBurst());
    this.onClick('cut', () => (network.isCut ? this.mend() : this.cut()));
    this.onClick('switch', () => this.switchTransport());
    this.onClick('play', () => void this.play());
  }

  /** Begins a session for the openid of the form, in place of the one before. */
  connect(): void {
    const openid = byId('openid', HTMLInputElement).value.trim();
    this.network.way = byId('way', HTMLSelectElement).value as Way;
    sessionStorage.setItem('openid', openid);
    this.client?.close();
    this.mend();
    try {
      this.client = this.makeClient(openid);
    } catch (error) {
      this.note(messageOf(error), 'bad');
      return;
    }
    this.connections = this.taken = this.requests = 0;
    this.listen(this.client);
    void this.client.connect().catch((error: unknown) => this.note(messageOf(error), 'bad'));
    this.show();
  }

  private listen(client: GatewayClient): void {
    client.on('connecting', () => this.show());
    client.on('connected', ({ transport, resumed, recovered }) => {
      this.connections++;
      const how = resumed
        ? recovered
          ? 'nothing is missing'
          : 'pushes are missing'
        : 'new session';
      setText('resume', resumed ? `over ${names[transport] ?? transport}: ${how}` : 'none');
      this.note(
        `connected over ${names[transport] ?? transport}: ${resumed ? 'resumed, ' : ''}${how}`,
      );
      this.show();
    });
    client.on('disconnected', ({ code, reason }) => {
      this.note(`disconnected${code === 0 ? '' : ` with ${code}`}: ${reason}`, 'bad');
      this.show();
    });
    client.on('reconnecting', ({ attempt, delay }) => {
      this.note(`attempt ${attempt} in ${Math.round(delay)} ms`);
      this.show();
    });
    client.on('closed', ({ reason, error }) => {
      if (client !== this.client) return;
      this.note(error?.message ?? reason, error === null ? '' : 'bad');
      this.show();
    });
    client.on('error', (error) => this.note(error.message, 'bad'));
    client.onPush((push) => this.onPush(push));
  }

  private onPush(push: Push): void {
    setText('taken', String(++this.taken));
    this.board.take(push, this.connections);
    const cells = [
      push.seq === 0 ? 'none' : String(push.seq),
      push.type,
      push.type === BURST_TYPE ? push.title : `${push.title} ${push.content}`,
      names[this.client?.transport ?? ''] ?? '',
    ];
    prepend(
      byId('pushes', HTMLTableSectionElement),
      make('tr', '', ...cells.map((text) => make('td', '', text))),
    );
  }

  private async ask(): Promise<void> {
    const { client } = this;
    if (client === null) return;
    const action = byId('action', HTMLSelectElement).value;
    const data = byId('data', HTMLInputElement).value;
    const answers = byId('answers', HTMLElement);
    setText('requests', String(++this.requests));
    const begun = performance.now();
    try {
      const { code, text, message } = await client.request(action, { data });
      const took = (performance.now() - begun).toFixed(1);
      prepend(answers, line(`${code} in ${took} ms: ${text || message}`, code < 400 ? '' : 'bad'));
    } catch (error) {
      prepend(answers, line(messageOf(error), 'bad'));
    }
  }

  private async askForBurst(): Promise<void> {
    const id = crypto.randomUUID().slice(0, 8);
    this.board.begin(id, BURST_COUNT);
    const params = { count: String(BURST_COUNT), interval: String(BURST_INTERVAL_MS) };
    try {
      const answer = await this.client?.request('burst', { data: id, params });
      if (answer?.code !== 200) {
        this.board.fail(`the service says ${answer?.code ?? ''} ${answer?.message ?? ''}`);
      }
    } catch (error) {
      this.board.fail(messageOf(error));
    }
  }

  private async play(): Promise<void> {
    const play = byId('play', HTMLButtonElement);
    play.disabled = true;
    this.mend();
    await this.askForBurst();
    await pause(STORY_CUT_AT_MS);
    this.cut();
    await pause(STORY_CUT_MS);
    this.mend();
    play.disabled = false;
  }

  private cut(): void {
    this.network.cutOff();
    this.note('the network is cut', 'bad');
    this.show();
  }

  private mend(): void {
    if (!this.network.isCut) return;
    this.network.mend();
    this.note('the network is mended');
    this.client?.wake();
    this.show();
  }

  private switchTransport(): void {
    const { network, client } = this;
    network.way = client?.transport === 'websocket' ? 'webtransport' : 'websocket';
    byId('way', HTMLSelectElement).value = network.way;
    this.note(`switching to ${names[network.way] ?? ''}`);
    network.drop();
  }

  private show(): void {
    const { client, network } = this;
    const state = client?.state ?? 'idle';
    const badge = byId('state', HTMLElement);
    badge.textContent = network.isCut ? 'network cut' : state;
    const good = state === 'connected' && !network.isCut;
    badge.className = `badge ${good ? 'good' : network.isCut || state === 'closed' ? 'bad' : ''}`;
    const transport = byId('transport', HTMLElement);
    transport.hidden = (client?.transport ?? '') === '';
    transport.textContent = names[client?.transport ?? ''] ?? '';
    setText('session-id', client?.sessionId || 'none');
    setText('connections', String(this.connections));
    const cut = byId('cut', HTMLButtonElement);
    cut.ariaPressed = String(network.isCut);
    cut.textContent = network.isCut ? 'Mend the network' : 'Cut the network';
  }

  private note(text: string, tone = ''): void {
    prepend(byId('events', HTMLElement), line(text, tone));
  }

  private onClick(id: string, run: () => void): void {
    byId(id, HTMLButtonElement).addEventListener('click', run);
  }

  private onForm(id: string, run: () => void): void {
    byId(id, HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      run();
    });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
