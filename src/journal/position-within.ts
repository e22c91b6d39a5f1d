import type { JournalWriter } from './journal-writer.js';

/**
 * Where a stored thing stands in the journal that goes on.
 * @returns 0, which is no entry's, where it has no position, or one above the newest: that is of another journal.
 */
export function positionWithin(
  journal: Pick<JournalWriter, 'newest'> | null,
  stored: number | null | undefined,
): number {
  const position = stored ?? 0;
  return position <= (journal?.newest ?? 0) ? position : 0;
}
