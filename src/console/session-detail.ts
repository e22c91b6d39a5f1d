import { ApiError } from './api.js';
import type { Api } from './api.js';
import { showBadge } from './badge.js';
import type { OutboxFrameBody, SessionDetailBody } from './bodies.js';
import { element, setText } from './dom.js';
import { bytes, count } from './format.js';
import { LiveTable } from './live-table.js';
import { Facts } from './overview.js';
import { TraceView } from './trace-view.js';

/** How often an open detail is asked for again, ms. */
const REFRESH_MS = 2_000;

interface DetailParts {
  readonly api: Api;
  readonly kick: (sessionId: string, openid: string) => Promise<void>;
  readonly askToken: (why: string) => Promise<boolean>;
  readonly onClose: () => void;
}

/** One session in a drawer: who it is, where its numbers stand, its outbox, its trace. */
export class SessionDetail {
  private readonly title = element('h2', { id: 'detail-title', class: 'mono' });
  private readonly state = element('span');
  private readonly facts = new Facts(element('dl', { class: 'facts' }));
  private readonly numbers = new Facts(element('dl', { class: 'facts' }));
  private readonly outboxSum = element('span', { class: 'muted' });
  private readonly kickButton = element(
    'button',
    { type: 'button', class: 'danger' },
    'End session…',
  );
  private readonly dialog: HTMLDialogElement;
  private readonly outbox: LiveTable<OutboxFrameBody>;
  private readonly trace: TraceView;
  private readonly timer: number;
  private body: SessionDetailBody | null = null;

  constructor(
    readonly sessionId: string,
    private readonly parts: DetailParts,
  ) {
    const frames = element('div');
    this.outbox = outboxTable(frames);
    this.trace = new TraceView(parts.api, sessionId, parts.askToken);
    const close = element('button', { type: 'button', 'aria-label': 'Close' }, '✕');
    const head = element('header', {}, this.title, this.state, this.kickButton, close);
    const outboxHead = element(
      'div',
      { class: 'head' },
      element('h3', {}, 'Outbox'),
      this.outboxSum,
    );
    this.dialog = element(
      'dialog',
      { class: 'drawer', 'aria-labelledby': 'detail-title' },
      head,
      this.facts.list,
      element('h3', {}, 'Numbers'),
      this.numbers.list,
      element('section', { 'aria-label': 'Outbox' }, outboxHead, frames),
      this.trace.element,
    );
    close.addEventListener('click', () => this.dialog.close());
    this.kickButton.addEventListener('click', () => void this.kick());
    this.dialog.addEventListener('close', () => this.closed());
    // A click beside the drawer closes it.
    this.dialog.addEventListener('click', ({ target }) => {
      if (target === this.dialog) this.dialog.close();
    });
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.timer = setInterval(() => {
      if (!document.hidden) void this.load();
    }, REFRESH_MS);
    void this.load();
  }

  close(): void {
    this.dialog.close();
  }

  private async load(): Promise<void> {
    const path = `sessions/${encodeURIComponent(this.sessionId)}`;
    try {
      this.body = await this.parts.api.get<SessionDetailBody>(path);
      this.show(this.body);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) return;
      showBadge(this.state, 'ended', 'calm');
      this.kickButton.disabled = true;
      if (this.body === null) setText(this.title, this.sessionId);
      clearInterval(this.timer);
    }
  }

  private show(body: SessionDetailBody): void {
    setText(this.title, body.openid);
    showBadge(this.state, body.state);
    const time = (seconds: number) =>
      seconds === 0 ? '–' : new Date(seconds * 1000).toLocaleString('sv');
    this.facts.show([
      ['Session', body.session_id],
      ['Zone', body.zone],
      ['Transport', body.transport || '–'],
      ['Address', body.remote_addr || '–'],
      ['Begun', time(body.create_time)],
      ['Connected', time(body.connected_at)],
      ['Last heard', time(body.last_activity)],
      ['Logged in', body.logged_in ? 'yes' : 'no'],
    ]);
    this.numbers.show([
      ['Next request', String(body.next_client_seq)],
      ['In flight', count(body.in_flight)],
      ['Acknowledged to', String(body.acknowledged)],
      ['Sent to', String(body.highest_sent)],
      ['Next push', String(body.next_push_seq)],
      ['Held back', count(body.ordered_queue)],
    ]);
    this.outbox.show(body.outbox);
    const all = `${count(body.pending_count)} frames, ${bytes(body.pending_bytes)}`;
    const listed =
      body.pending_count > body.outbox.length ? `; the first ${body.outbox.length}` : '';
    setText(this.outboxSum, `${all}${listed}`);
  }

  private async kick(): Promise<void> {
    await this.parts.kick(this.sessionId, this.body?.openid ?? this.sessionId);
    await this.load();
  }

  private closed(): void {
    clearInterval(this.timer);
    this.trace.stop();
    this.dialog.remove();
    this.parts.onClose();
  }
}

function outboxTable(target: HTMLElement): LiveTable<OutboxFrameBody> {
  return new LiveTable<OutboxFrameBody>(target, {
    caption: 'Frames that the client has not acknowledged',
    empty: 'Empty: the client has acknowledged everything.',
    keyOf: ({ seq }) => String(seq),
    columns: [
      { title: 'Number', figure: true, text: ({ seq }) => String(seq) },
      { title: 'Kind', text: ({ kind }) => kind },
      {
        title: 'Answers request',
        figure: true,
        text: ({ client_seq: seq }) => (seq === 0 ? '' : String(seq)),
      },
      { title: 'Bytes', figure: true, text: ({ bytes: size }) => count(size) },
      { title: 'Written', text: ({ sent }) => (sent ? 'to this connection' : 'not yet') },
    ],
  });
}
