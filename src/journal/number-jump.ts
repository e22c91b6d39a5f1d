/**
 * After a start that may have forgotten the newest frames, numbers go on at the next multiple of this:
 * far above anything that could have been sent since (REPLICATION.md, "Replication").
 */
const JUMP = 2 ** 32;

/**
 * The next number above `seq` at which a jump lands: odd multiples for one gateway of a pair, even
 * ones for the other, so that both never jump to the same number.
 */
export function jumpAbove(seq: number, odd: boolean): number {
  const multiple = Math.floor(seq / JUMP) + 1;
  return ((multiple % 2 === 1) === odd ? multiple : multiple + 1) * JUMP;
}
