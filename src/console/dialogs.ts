import { element } from './dom.js';
import type { Content } from './dom.js';

interface Question {
  readonly title: string;
  readonly text: readonly Content[];
  /** On the button that does it. */
  readonly verb: string;
  readonly danger?: boolean;
  /** A field for one line. */
  readonly field?: {
    readonly label: string;
    readonly value?: string;
    readonly secret?: boolean;
    readonly maxLength?: number;
    /** Only this text allows it. */
    readonly mustBe?: string;
  };
  /** Beside it, what else may be done. */
  readonly other?: { readonly verb: string; readonly run: () => void };
}

/**
 * Asks in a modal dialog; Escape and Cancel mean no, and focus goes back where it was.
 * @returns what stands in the field ('' where there is none), null for no.
 */
export function ask(question: Question): Promise<string | null> {
  const { title, text, verb, danger, field, other } = question;
  const heading = element('h2', { id: 'question-title' }, title);
  const input = element('input', {
    id: 'question-field',
    type: field?.secret === true ? 'password' : 'text',
    value: field?.value ?? '',
    maxlength: String(field?.maxLength ?? 1024),
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const label = element('label', { for: 'question-field' }, field?.label ?? '');
  const yes = element('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, verb);
  const no = element('button', { type: 'button' }, 'Cancel');
  const more = element('button', { type: 'button', class: 'apart' }, other?.verb ?? '');
  const buttons = element('div', { class: 'buttons' }, other ? more : null, no, yes);
  const form = element('form', {}, heading, ...text.map((part) => element('p', {}, part)));
  if (field !== undefined) form.append(label, input);
  form.append(buttons);
  const dialog = element(
    'dialog',
    { class: 'question', 'aria-labelledby': 'question-title' },
    form,
  );
  const allow = () => {
    yes.disabled = field?.mustBe !== undefined && input.value.trim() !== field.mustBe;
  };
  return new Promise((resolve) => {
    let answer: string | null = null;
    input.addEventListener('input', allow);
    no.addEventListener('click', () => dialog.close());
    more.addEventListener('click', () => {
      other?.run();
      dialog.close();
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      answer = field === undefined ? '' : input.value.trim();
      dialog.close();
    });
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(answer);
    });
    allow();
    document.body.append(dialog);
    dialog.showModal();
    (field === undefined ? no : input).focus();
  });
}

/** How long a note stands, ms. */
const NOTE_MS = 6_000;

/** Says shortly how something went. */
export function note(text: string, tone: 'good' | 'bad'): void {
  const shown = element(
    'p',
    { class: `note ${tone}`, role: tone === 'bad' ? 'alert' : 'status' },
    text,
  );
  document.getElementById('notes')?.append(shown);
  setTimeout(() => shown.remove(), NOTE_MS);
}
