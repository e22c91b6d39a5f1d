import { ApiError } from './api.js';
import type { Api } from './api.js';
import { clockTime } from './chart.js';
import { element, setText } from './dom.js';
import { EventParser } from '../base/event-parser.js';
import { traceLine } from './trace-line.js';

/** Lines that are kept; older ones go. */
const MAX_LINES = 500;

/** The live trace of one client: asked for by a button, for it costs the gateway something. */
export class TraceView {
  readonly element: HTMLElement;
  private readonly button = element('button', { type: 'button' });
  private readonly told = element('span', { class: 'muted', role: 'status' });
  private readonly lines = element('ol', {
    class: 'trace',
    tabindex: '0',
    'aria-label': 'Trace, newest last',
  });
  private running: AbortController | null = null;

  constructor(
    private readonly api: Api,
    private readonly sessionId: string,
    private readonly askToken: (why: string) => Promise<boolean>,
  ) {
    const head = element(
      'div',
      { class: 'head' },
      element('h3', {}, 'Live trace'),
      this.told,
      this.button,
    );
    this.element = element('section', { 'aria-label': 'Live trace' }, head, this.lines);
    this.lines.hidden = true;
    this.button.addEventListener('click', () => {
      if (this.running === null) void this.start();
      else this.stop();
    });
    this.show('');
  }

  /** Idempotent. */
  stop(): void {
    this.running?.abort();
    this.running = null;
    this.show('stopped');
  }

  private async start(): Promise<void> {
    const attempt = new AbortController();
    this.running = attempt;
    this.show('connecting');
    try {
      const path = `trace?session=${encodeURIComponent(this.sessionId)}`;
      const reader = await this.api.stream(path, attempt.signal);
      this.show('live');
      this.lines.hidden = false;
      const parser = new EventParser();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        this.add(parser.push(value));
      }
      this.ended(attempt, 'ended by the gateway');
    } catch (error) {
      if (attempt.signal.aborted) return;
      const refused = error instanceof ApiError ? error : new ApiError(0, 'the gateway went away');
      this.ended(attempt, refused.message);
      if (refused.status === 401 && (await this.askToken(refused.message))) await this.start();
    }
  }

  private ended(attempt: AbortController, why: string): void {
    if (this.running !== attempt) return;
    this.running = null;
    this.show(why);
  }

  private add(events: readonly { readonly name: string; readonly data: string }[]): void {
    const { scrollTop, scrollHeight, clientHeight } = this.lines;
    const atEnd = scrollHeight - scrollTop - clientHeight < 8;
    const shown = events.map(({ name, data }) => {
      const { at, way, what, detail, tone } = traceLine(name, JSON.parse(data) as object as never);
      const time = `${clockTime(at / 1000)}.${String(Math.floor(at % 1000)).padStart(3, '0')}`;
      const sign = { in: '→', out: '←', '': '·' }[way];
      return element(
        'li',
        { class: tone ?? '' },
        element('time', {}, time),
        element(
          'span',
          { title: { in: 'from the client', out: 'to the client', '': '' }[way] },
          sign,
        ),
        element('b', {}, what),
        element('span', {}, detail),
      );
    });
    this.lines.append(...shown);
    while (this.lines.childElementCount > MAX_LINES) this.lines.firstElementChild?.remove();
    if (atEnd) this.lines.scrollTop = this.lines.scrollHeight;
  }

  private show(state: string): void {
    setText(this.told, state);
    setText(this.button, this.running === null ? 'Start' : 'Stop');
  }
}
