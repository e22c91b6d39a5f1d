import { NUMBER_JUMP } from '../wire/limits.js';

/** To which multiples numbers jump: one gateway of a pair to odd ones, the other to even ones. */
export type Parity = 'odd' | 'even';

/** The next number above `seq` at which a jump lands; both of a pair never jump to the same number. */
export function jumpAbove(seq: number, parity: Parity): number {
  const multiple = Math.floor(seq / NUMBER_JUMP) + 1;
  const lands = (multiple % 2 === 1) === (parity === 'odd');
  return (lands ? multiple : multiple + 1) * NUMBER_JUMP;
}

/** Numbers that may have been sent, but nobody here knows what with. */
export interface NumberJump {
  readonly from: number;
  /** The first number behind it. */
  readonly to: number;
}

/** Whether `seq` is one of the numbers that were jumped over. */
export function jumpsOver(jump: NumberJump | null, seq: number): boolean {
  return jump !== null && seq >= jump.from && seq < jump.to;
}

/** The highest number that may ever have been sent. */
export function highestUsed(known: { highestSent: number; jump: NumberJump | null }): number {
  return known.jump === null ? known.highestSent : Math.max(known.highestSent, known.jump.to - 1);
}
