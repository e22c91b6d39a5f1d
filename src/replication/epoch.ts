/** Push numbers jump to multiples of this (REPLICATION.md, "Replication"). */
const JUMP = 2 ** 32;

/**
 * The epoch that a promotion begins. Odd epochs belong to the smaller server_id, even ones to the
 * other, so that no two gateways can ever accept in the same one.
 * @param highest epoch known so far, 0 for none.
 */
export function nextEpoch(highest: number, smaller: boolean): number {
  const next = highest + 1;
  return isOwnEpoch(next, smaller) ? next : next + 1;
}

/** Whether this node opened the epoch. */
export function isOwnEpoch(epoch: number, smaller: boolean): boolean {
  return epoch > 0 && (epoch % 2 === 1) === smaller;
}

/**
 * Where push numbers go on after a promotion: the lost primary may have sent numbers above `next` that
 * nobody here knows. The next multiple of 2^32 above; odd multiples for the smaller server_id, even
 * ones for the other, so that two gateways that lost each other never use the same numbers.
 * @param next the number that would have been used next.
 * @throws {RangeError} where no number below 2^53 is left.
 */
export function jumpedNumber(next: number, smaller: boolean): number {
  let multiple = Math.floor(next / JUMP) + 1;
  if ((multiple % 2 === 1) !== smaller) multiple++;
  const number = multiple * JUMP;
  if (!Number.isSafeInteger(number)) throw new RangeError(`no push number is left above ${next}`);
  return number;
}
