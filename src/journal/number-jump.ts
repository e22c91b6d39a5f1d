import { NUMBER_JUMP } from '../wire/limits.js';

/** To which multiples numbers jump: one gateway of a pair to odd ones, the other to even ones. */
export type Parity = 'odd' | 'even';

/** The next number above `seq` at which a jump lands; both of a pair never jump to the same number. */
export function jumpAbove(seq: number, parity: Parity): number {
  const multiple = Math.floor(seq / NUMBER_JUMP) + 1;
  const lands = (multiple % 2 === 1) === (parity === 'odd');
  return (lands ? multiple : multiple + 1) * NUMBER_JUMP;
}
