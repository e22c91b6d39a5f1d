import { element, setAttribute, setText } from './dom.js';
import { toneOf } from './tones.js';
import type { Tone } from './tones.js';

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** Figures stand right, under each other. */
  readonly figure?: boolean;
  /** A state: shown with sign and colour. */
  readonly state?: boolean;
  /** Wants attention where it is not null. */
  readonly tone?: (row: Row) => Tone | null;
  /** Names and ids: in a typeface that tells 0 from O. */
  readonly mono?: boolean;
  /** Prose: cut where it is longer than its place. */
  readonly long?: boolean;
  /** 1: left out on narrow screens; 2: on medium ones, too. */
  readonly spare?: 1 | 2;
  /** Shown when pointed at. */
  readonly hint?: (row: Row) => string;
}

interface TableParts<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  /** Tells rows apart; the same key is the same row, wherever it stands. */
  readonly keyOf: (row: Row) => string;
  /** What stands there where there are no rows. */
  readonly empty: string;
  /** Makes the first column a button that opens the row. */
  readonly open?: (row: Row) => void;
}

interface Line<Row> {
  row: Row;
  readonly element: HTMLTableRowElement;
  readonly cells: readonly HTMLElement[];
}

/**
 * A table that is shown anew each second: rows keep their elements, and with them focus and
 * selection, and only cells that changed are touched.
 */
export class LiveTable<Row> {
  private readonly body = element('tbody');
  private readonly nothing: HTMLParagraphElement;
  private readonly table: HTMLTableElement;
  private lines = new Map<string, Line<Row>>();

  constructor(
    target: HTMLElement,
    private readonly parts: TableParts<Row>,
  ) {
    const heads = parts.columns.map((column) =>
      element('th', { scope: 'col', class: classOf(column) }, column.title),
    );
    const caption = element('caption', { class: 'hidden' }, parts.caption);
    this.table = element('table', {}, caption, element('thead', {}, element('tr', {}, ...heads)));
    this.table.append(this.body);
    this.nothing = element('p', { class: 'muted nothing' }, parts.empty);
    // What is wider than its place can be scrolled there, by keys too, and the page stays as it is.
    const around = { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': parts.caption };
    target.append(element('div', around, this.table), this.nothing);
    if (parts.open !== undefined) this.listen(parts.open);
  }

  show(rows: readonly Row[]): void {
    const lines = new Map<string, Line<Row>>();
    for (const row of rows) {
      const key = this.parts.keyOf(row);
      lines.set(key, this.lines.get(key) ?? this.line(row));
      this.fill(lines.get(key) as Line<Row>, row);
    }
    for (const [key, line] of this.lines) if (!lines.has(key)) line.element.remove();
    this.lines = lines;
    let next = this.body.firstElementChild;
    for (const { element: tr } of lines.values()) {
      if (tr === next) next = next.nextElementSibling;
      else this.body.insertBefore(tr, next);
    }
    this.table.hidden = rows.length === 0;
    this.nothing.hidden = rows.length > 0;
  }

  /** Marks one row as the one that is looked at. */
  mark(key: string | null): void {
    for (const [name, { element: tr }] of this.lines) {
      setAttribute(tr, 'aria-current', name === key ? 'true' : null);
    }
  }

  private line(row: Row): Line<Row> {
    const { columns, open } = this.parts;
    const cells = columns.map((column, index) => {
      const inner = index === 0 && open !== undefined ? 'button' : 'span';
      const cell = element(inner, inner === 'button' ? { type: 'button', class: 'link' } : {});
      return { cell, td: element('td', { class: classOf(column) }, cell) };
    });
    const tr = element('tr', {}, ...cells.map(({ td }) => td));
    return { row, element: tr, cells: cells.map(({ cell }) => cell) };
  }

  private fill(line: Line<Row>, row: Row): void {
    line.row = row;
    for (const [index, column] of this.parts.columns.entries()) {
      const cell = line.cells[index];
      if (cell === undefined) continue;
      const text = column.text(row);
      setText(cell, text);
      if (column.hint !== undefined) setAttribute(cell, 'title', column.hint(row) || null);
      const tone = column.tone?.(row) ?? null;
      if (column.state === true) setAttribute(cell, 'class', text && `badge ${toneOf(text)}`);
      else if (column.tone !== undefined) setAttribute(cell, 'class', tone);
    }
  }

  private listen(open: (row: Row) => void): void {
    const lineOf = (target: EventTarget | null) => {
      const tr = target instanceof Element ? target.closest('tbody tr') : null;
      return [...this.lines.values()].find((line) => line.element === tr);
    };
    this.body.addEventListener('click', ({ target }) => {
      // Whoever marks text wants to copy it.
      if (String(getSelection()) !== '') return;
      const line = lineOf(target);
      if (line !== undefined) open(line.row);
    });
    this.body.addEventListener('keydown', (event) => {
      const step = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' } as const;
      if (!(event.key in step) || event.altKey || event.ctrlKey || event.metaKey) return;
      const neighbour = lineOf(event.target)?.element[step[event.key as keyof typeof step]];
      const button = neighbour?.querySelector('button');
      if (!button) return;
      event.preventDefault();
      button.focus();
    });
    this.body.classList.add('opens');
  }
}

function classOf({ figure, mono, long, spare }: Column<never>): string {
  const names = [figure && 'figure', mono && 'mono', long && 'long', spare && `spare-${spare}`];
  return names.filter(Boolean).join(' ');
}
