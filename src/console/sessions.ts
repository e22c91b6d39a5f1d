import type { Api } from './api.js';
import type { SessionBody, SessionPageBody } from './bodies.js';
import { byId, element, setText } from './dom.js';
import { count, span } from './format.js';
import { LiveTable } from './live-table.js';
import { PAGE_SIZE, SessionPages } from './session-pages.js';

/** How often the page that is shown is asked for again, ms. */
const REFRESH_MS = 5_000;
/** Typing is over when no key came for so long, ms. */
const TYPED_MS = 250;

type Row = SessionBody & { readonly now: number };

const ago = (at: (row: Row) => number) => (row: Row) => span(row.now - at(row));

/** The sessions, in pages, with search and filter. */
export class Sessions {
  private readonly pages = new SessionPages();
  private readonly search = byId('search', HTMLInputElement);
  private readonly zone = byId('zone-filter', HTMLSelectElement);
  private readonly previous = byId('previous', HTMLButtonElement);
  private readonly next = byId('next', HTMLButtonElement);
  private readonly table: LiveTable<Row>;
  private typing = 0;
  /** Of the last question: an older one that is answered later is passed over. */
  private asked = 0;

  constructor(
    private readonly api: Api,
    open: (sessionId: string) => void,
  ) {
    this.table = new LiveTable<Row>(byId('sessions-table', HTMLElement), {
      caption: 'Sessions, oldest first',
      empty: 'No sessions.',
      keyOf: ({ session_id: id }) => id,
      open: ({ session_id: id }) => open(id),
      columns: [
        { title: 'openid', mono: true, text: ({ openid }) => openid, hint: ({ openid }) => openid },
        { title: 'State', state: true, text: ({ state }) => state },
        { title: 'Zone', spare: 1, text: ({ zone }) => zone },
        { title: 'Address', mono: true, spare: 1, text: ({ remote_addr: address }) => address },
        { title: 'Age', figure: true, spare: 1, text: ago(({ create_time: at }) => at) },
        { title: 'Last heard', figure: true, text: ago(({ last_activity: at }) => at) },
        {
          title: 'In flight',
          figure: true,
          spare: 1,
          text: ({ in_flight: flight }) => count(flight),
        },
        {
          title: 'Unacked',
          figure: true,
          text: ({ pending_count: pending }) => count(pending),
        },
        {
          title: 'Held back',
          figure: true,
          spare: 2,
          text: ({ ordered_queue: held }) => count(held),
        },
        { title: 'Session', mono: true, spare: 2, text: ({ session_id: id }) => id },
      ],
    });
    this.showZones([]);
    this.listen();
    setInterval(() => {
      if (!document.hidden) void this.load();
    }, REFRESH_MS);
  }

  /** Offers these zones in the filter. */
  showZones(zones: readonly string[]): void {
    const known = [...this.zone.options].slice(1).map(({ value }) => value);
    if (this.zone.options.length > 0 && known.join() === zones.join()) return;
    const chosen = this.zone.value;
    const options = zones.map((zone) => element('option', { value: zone }, `zone ${zone}`));
    this.zone.replaceChildren(element('option', { value: '' }, 'all zones'), ...options);
    this.zone.value = zones.includes(chosen) ? chosen : '';
  }

  /** Marks the session whose detail is open. */
  mark(sessionId: string | null): void {
    this.table.mark(sessionId);
  }

  /** Asks for the page that is shown. What does not come leaves what is there. */
  async load(): Promise<void> {
    const question = ++this.asked;
    const body = await this.api.get<SessionPageBody>(this.pages.path).catch(() => null);
    if (body === null || question !== this.asked) return;
    this.pages.answered(body.next_cursor);
    this.table.show(body.sessions.map((session) => ({ ...session, now: body.timestamp })));
    this.showPager(body);
  }

  private showPager({ sessions, total_sessions: total }: SessionPageBody): void {
    const { page, hasNext, hasPrevious, filtered } = this.pages;
    const first = (page - 1) * PAGE_SIZE + 1;
    const last = first + sessions.length - 1;
    const shown = sessions.length === 0 ? 'none' : `${count(first)}–${count(last)}`;
    const all = filtered ? `of those that match; ${count(total)} in all` : `of ${count(total)}`;
    setText(byId('page', HTMLElement), total === 0 ? 'none' : `${shown} ${all}`);
    this.previous.disabled = !hasPrevious;
    this.next.disabled = !hasNext;
  }

  private listen(): void {
    const filter = () => {
      clearTimeout(this.typing);
      if (this.pages.filter(this.search.value, this.zone.value)) void this.load();
    };
    this.search.addEventListener('input', () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(filter, TYPED_MS);
    });
    this.zone.addEventListener('change', filter);
    byId('session-filter', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      filter();
    });
    this.previous.addEventListener('click', () => {
      this.pages.previous();
      void this.load();
    });
    this.next.addEventListener('click', () => {
      this.pages.next();
      void this.load();
    });
    document.addEventListener('keydown', (event) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
      const { target } = event;
      const writes = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
      if (writes || document.querySelector('dialog[open]') !== null) return;
      event.preventDefault();
      this.search.focus();
      this.search.select();
    });
  }
}
