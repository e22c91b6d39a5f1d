import { ApiError } from './api.js';
import type { Api } from './api.js';
import type { PairBody } from './bodies.js';
import { ask, note } from './dialogs.js';
import { byId, element, setText } from './dom.js';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** What an operator does to the gateway: each asked for, confirmed, done with the token, and told of. */
export class Actions {
  private readonly level = byId('log-level', HTMLSelectElement);
  private pair: PairBody | null = null;

  /** @param tokenChanged the stream is asked for again, with that token. */
  constructor(
    private readonly api: Api,
    private readonly tokenChanged: () => void,
  ) {
    this.level.append(...LEVELS.map((name) => element('option', { value: name }, name)));
    byId('token-button', HTMLButtonElement).addEventListener('click', () => void this.askToken());
    byId('drain-button', HTMLButtonElement).addEventListener('click', () => void this.drain());
    byId('switch-button', HTMLButtonElement).addEventListener('click', () => void this.switch());
    byId('log-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.setLevel(this.level.value);
    });
    this.showToken();
  }

  /** Shows the log level that holds. */
  async showLevel(): Promise<void> {
    const body = await this.api.get<{ level: string }>('log/level').catch(() => null);
    if (body !== null) this.level.value = body.level;
  }

  showPair(pair: PairBody | null): void {
    this.pair = pair;
    byId('switch-row', HTMLElement).hidden = pair === null;
  }

  /** Asks for a token. @param why what was refused without it. Whether there is another one now. */
  async askToken(why = ''): Promise<boolean> {
    const before = this.api.token;
    const token = await ask({
      title: 'Token',
      text: [
        why === '' ? null : element('strong', {}, why),
        'ops.read_token lets this page read, ops.admin_token lets it act. It is kept in this tab only, until the tab is closed.',
      ],
      field: { label: 'Token', secret: true },
      verb: 'Use it',
      ...(before === '' ? {} : { other: { verb: 'Forget it', run: () => this.useToken('') } }),
    });
    if (token === null || token === '') return false;
    this.useToken(token);
    return true;
  }

  /** Ends a session, once confirmed. */
  async kick(sessionId: string, openid: string): Promise<void> {
    const reason = await ask({
      title: 'End this session?',
      text: [
        element(
          'span',
          {},
          'The client of ',
          element('b', { class: 'mono' }, openid),
          ' is told the reason and does not come back by itself. What it has not received is lost.',
        ),
      ],
      field: { label: 'Reason', value: 'ended by an operator', maxLength: 200 },
      verb: 'End session',
      danger: true,
    });
    if (reason === null) return;
    const path = `sessions/${encodeURIComponent(sessionId)}/kick`;
    await this.act(
      () => this.api.send('POST', path, reason === '' ? {} : { reason }),
      `The session of ${openid} was ended.`,
    );
  }

  private async drain(): Promise<void> {
    const typed = await ask({
      title: 'Drain this gateway?',
      text: [
        'It tells every client to move, takes no new one, and is unready for good: only a restart ends this.',
      ],
      field: { label: 'Type drain to confirm', mustBe: 'drain' },
      verb: 'Drain gateway',
      danger: true,
    });
    if (typed !== null) await this.act(() => this.api.send('POST', 'drain'), 'The gateway drains.');
  }

  private async switch(): Promise<void> {
    const mode = this.pair?.role === 'primary' ? 'backup' : 'primary';
    const becomes = mode === 'primary' ? 'takes over from its peer' : 'hands over to its peer';
    const sure = await ask({
      title: 'Switch roles?',
      text: [`This gateway ${becomes}. Clients are sent there and resume; nothing is lost.`],
      verb: `Become ${mode}`,
      danger: true,
    });
    if (sure === null) return;
    await this.act(() => this.api.send('POST', `backup/switch?mode=${mode}`), 'The switch began.');
  }

  private async setLevel(level: string): Promise<void> {
    await this.act(() => this.api.send('PUT', 'log/level', { level }), `Log level ${level}.`);
    await this.showLevel();
  }

  /** Does it; where the token does not suffice, asks for another and tries again. */
  private async act(run: () => Promise<unknown>, done: string): Promise<void> {
    try {
      await run();
      note(done, 'good');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401 && (await this.askToken(error.message))) return this.act(run, done);
      note(error.message, 'bad');
    }
  }

  private useToken(token: string): void {
    this.api.token = token;
    this.showToken();
    this.tokenChanged();
  }

  private showToken(): void {
    const given = this.api.token !== '';
    setText(byId('token-button', HTMLButtonElement), given ? 'Token given' : 'Token…');
  }
}
