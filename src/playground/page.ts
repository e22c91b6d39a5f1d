/** Lines kept of each list: enough to look back, few enough for a page that is left open. */
const KEPT = 300;

/** The element with this id, which the page has. @throws {Error} where it has none of that kind. */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} called ${id}`);
}

export function setText(id: string, text: string): void {
  byId(id, HTMLElement).textContent = text;
}

/** An element with text and children; text never becomes markup. */
export function make(tag: string, className: string, ...parts: (string | Node)[]): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...parts);
  return made;
}

/** Puts a row first, and forgets the oldest beyond what is kept. */
export function prepend(list: HTMLElement, row: HTMLElement): void {
  list.prepend(row);
  while (list.childElementCount > KEPT) list.lastElementChild?.remove();
}

/** A line of a log: when, and what. */
export function line(text: string, className = ''): HTMLElement {
  const at = document.createElement('time');
  at.textContent = new Date().toTimeString().slice(0, 8);
  return make('li', className, at, text);
}
