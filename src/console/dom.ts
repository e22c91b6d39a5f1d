/** What stands in an element. Text becomes a text node: nothing from the network is ever markup. */
export type Content = Node | string | null;

/** Makes an element. @param attributes `class`, `type`, `aria-label`, ...; false leaves one out. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | boolean>> = {},
  ...contents: Content[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...contents.filter((content) => content !== null));
  return made;
}

/** The element of the page with this id. @throws {Error} where there is none of that kind. */
export function byId<Kind extends HTMLElement>(id: string, kind: abstract new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} with id ${id}`);
}

/** Sets a text where it differs: what stays is neither drawn nor read out again. */
export function setText(target: Node, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** Sets an attribute where it differs; null removes it. */
export function setAttribute(target: Element, name: string, value: string | null): void {
  if (target.getAttribute(name) === value) return;
  if (value === null) target.removeAttribute(name);
  else target.setAttribute(name, value);
}
