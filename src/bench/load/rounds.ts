import { messageOf } from '../../base/errors.js';
import type { Row } from '../report/row.js';
import type { Contestant, Starter } from './contestant.js';

/** Hears of every row as soon as it was measured. */
export type Emit = (row: Row) => void;

/**
 * Starts each contestant in turn, so many rounds, each alone on the machine and freshly started.
 * @throws {Error} naming the contestant whose measurement failed.
 */
export async function takeTurns(
  starters: readonly Starter[],
  rounds: number,
  measure: (contestant: Contestant) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const start of starters) {
      const contestant = await start();
      try {
        await measure(contestant);
      } catch (error) {
        throw new Error(`${contestant.name}: ${messageOf(error)}`, { cause: error });
      } finally {
        await contestant.stop();
      }
    }
  }
}

/** `1,000`: numbers as the names of cases have them. */
export function counted(number: number, what: string): string {
  return `${number.toLocaleString('en-US')} ${what}`;
}

/** Openids that no other run has used: a session that waits would be resumed. */
export function freshPrefix(mode: string): string {
  return `${mode}-${process.pid}-${Date.now().toString(36)}`;
}

/** Sockets for so many sessions: more behind one overflow its buffer when all are answered at once. */
export function socketsFor(sessions: number): number {
  return Math.max(4, Math.ceil(sessions / 2_500));
}
