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
