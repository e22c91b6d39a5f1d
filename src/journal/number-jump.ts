import { NUMBER_JUMP } from '../wire/limits.js';

/**
 * The next number above `seq` at which a jump lands: odd multiples for one gateway of a pair, even
 * ones for the other, so that both never jump to the same number.
 */
export function jumpAbove(seq: number, odd: boolean): number {
  const multiple = Math.floor(seq / NUMBER_JUMP) + 1;
  return ((multiple % 2 === 1) === odd ? multiple : multiple + 1) * NUMBER_JUMP;
}
