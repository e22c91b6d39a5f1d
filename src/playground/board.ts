import { Burst } from './burst.js';
import { byId, make, setText } from './page.js';
import type { Push } from '../sdk/client/core/payload.js';

/** Shows one burst at a time: a cell for each push, and what became of them all. */
export class Board {
  private burst: Burst | null = null;
  private readonly cells = byId('cells', HTMLOListElement);
  private firstConnection = 0;

  /** Begins to show a burst. */
  begin(id: string, count: number): void {
    this.burst = new Burst(id, count);
    this.firstConnection = 0;
    this.cells.replaceChildren(
      ...Array.from({ length: count }, (_, index) => make('li', '', String(index + 1))),
    );
    byId('legend', HTMLElement).hidden = false;
    this.tell(`0 of ${count} pushes`, '');
  }

  /** The burst was not to be had. */
  fail(reason: string): void {
    this.tell(reason, 'bad');
  }

  /** @param connection the number of the connection that brought it. */
  take(push: Push, connection: number): void {
    const { burst } = this;
    const number = burst?.take(push, connection) ?? 0;
    const cell = this.cells.children[number - 1];
    if (burst === null || !(cell instanceof HTMLElement)) return;
    this.firstConnection ||= connection;
    cell.className = connection === this.firstConnection ? 'c0' : 'c1';
    cell.title = `seq_id ${push.seq}`;
    this.judge(burst);
  }

  private judge(burst: Burst): void {
    const { count, arrived, twice, outOfOrder, afterCut } = burst.tally;
    const wrong = [
      ...(twice > 0 ? [`${twice} came twice`] : []),
      ...(outOfOrder > 0 ? [`${outOfOrder} came out of order`] : []),
    ];
    const later = afterCut > 0 ? `, ${afterCut} of them after the cut` : '';
    if (wrong.length > 0) this.tell(wrong.join(', '), 'bad');
    else if (!burst.complete) this.tell(`${arrived} of ${count} pushes${later}`, '');
    else this.tell(`All ${count} pushes, in order, none twice${later}.`, 'good');
  }

  private tell(text: string, tone: string): void {
    setText('verdict', text);
    byId('verdict', HTMLElement).className = `verdict ${tone}`;
  }
}
