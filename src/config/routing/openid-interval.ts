import type { RuleCondition } from './rule.js';

/** Openids from `from` on, up to but without `to`, as byteText gives them; null: to the last. */
export interface OpenidInterval {
  readonly from: string;
  readonly to: string | null;
}

/** All openids. */
const EVERYONE: OpenidInterval = { from: '', to: null };

/** The UTF-8 bytes of a text, one character each: compared with `<`, it is in byte order. */
function byteText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** In the order of their UTF-8 bytes: below 0, 0 or above, as sort wants it. */
export function compareText(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left, 'utf8'), Buffer.from(right, 'utf8'));
}

/** The openids that a condition lets through. */
export function intervalOf(condition: RuleCondition): OpenidInterval {
  if (condition.by === 'action_prefix') return EVERYONE;
  if (condition.by === 'openid_prefix') {
    const from = byteText(condition.prefix);
    return { from, to: behind(from) };
  }
  const { from, to } = condition;
  return { from: byteText(from), to: to === null ? null : byteText(to) };
}

/** The least text above all that begin with a prefix; its last byte is below 255, as in all UTF-8. */
function behind(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** Whether every openid of the second is in the first. */
export function contains(outer: OpenidInterval, inner: OpenidInterval): boolean {
  if (inner.from < outer.from) return false;
  return outer.to === null || (inner.to !== null && inner.to <= outer.to);
}

/** Whether some openid is in both. */
export function overlap(one: OpenidInterval, other: OpenidInterval): boolean {
  return reaches(one, other.from) && reaches(other, one.from);
}

function reaches({ to }: OpenidInterval, text: string): boolean {
  return to === null || text < to;
}

/** Whether every openid of an interval is in one of the others. */
export function coveredBy(inner: OpenidInterval, others: readonly OpenidInterval[]): boolean {
  const ascending = [...others].sort((one, other) => (one.from < other.from ? -1 : 1));
  let covered = inner.from;
  for (const { from, to } of ascending) {
    if (from > covered) return false;
    if (to === null) return true;
    if (to > covered) covered = to;
    if (inner.to !== null && covered >= inner.to) return true;
  }
  return false;
}
