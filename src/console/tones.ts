/** How much attention something wants; each has a colour and a sign of its own. */
export type Tone = 'good' | 'warn' | 'bad' | 'calm';

const TONES: Readonly<Record<string, Tone>> = {
  serving: 'good',
  ok: 'good',
  active: 'good',
  primary: 'good',
  backup: 'calm',
  starting: 'warn',
  detached: 'calm',
  'by any': 'calm',
  draining: 'warn',
  suspect: 'warn',
  ejected: 'bad',
  silent: 'bad',
  none: 'bad',
};

/** The tone of a state by its name; a state that this console does not know wants a look. */
export function toneOf(state: string): Tone {
  return TONES[state] ?? 'warn';
}
