import { element, setAttribute, setText } from './dom.js';
import { toneOf } from './tones.js';
import type { Tone } from './tones.js';

/** A state as a word with a sign and a colour, so that none of them is needed alone. */
export function badge(text: string, tone: Tone = toneOf(text)): HTMLSpanElement {
  const made = element('span');
  showBadge(made, text, tone);
  return made;
}

/** Makes an element show a state; no text shows nothing. */
export function showBadge(target: HTMLElement, text: string, tone: Tone = toneOf(text)): void {
  setAttribute(target, 'class', `badge ${tone}`);
  setText(target, text);
  target.hidden = text === '';
}
