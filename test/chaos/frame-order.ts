import { NUMBER_JUMP } from '../../src/wire/limits.js';
import type { FrameReceived, Recorded, Started } from './history.js';
import type { Violation } from './violation.js';

/** Before the first promotion of a pair, and at a lone gateway, nothing may jump. */
const FIRST_EPOCH = 1;

interface LinkState {
  readonly started: Started;
  next: number;
}

/**
 * Numbers on the wire: behind START_RESP numbers go up by one from `next_push_seq`; what is called
 * recovered begins right behind what the client had, but for the jump of a promotion; and a number always stands for
 * the same bytes.
 */
export function checkFrameOrder(facts: readonly Recorded[]): Violation[] {
  const found: Violation[] = [];
  const links = new Map<number, LinkState>();
  const bytes = new Map<string, string>();
  for (const fact of facts) {
    if (fact.kind === 'started') {
      links.set(fact.link, { started: fact, next: fact.nextPush });
      const broken = brokenResume(fact);
      if (broken !== null) found.push({ kind: 'gap', at: fact.at, text: broken });
    } else if (fact.kind === 'frame') {
      const { at } = fact;
      const where = `${fact.openid}, connection ${fact.link} to ${fact.node}`;
      const key = `${fact.openid} ${fact.seq}`;
      const before = bytes.get(key);
      bytes.set(key, fact.digest);
      if (before !== undefined && before !== fact.digest) {
        found.push({ kind: 'number reused', at, text: `${where}: ${fact.seq} has two contents` });
      }
      found.push(...brokenOrder(fact, links.get(fact.link), where, at));
    }
  }
  return found;
}

/** Whether a number above the one due is where a promotion went on. */
function isJump(seq: number, epoch: number): boolean {
  return epoch > FIRST_EPOCH && seq % NUMBER_JUMP === 0;
}

function brokenResume({
  openid,
  node,
  epoch,
  lastAcked,
  recovered,
  nextPush,
}: Started): string | null {
  const where = `${openid} at ${node}`;
  if (nextPush <= lastAcked) return `${where}: after ${lastAcked} comes ${nextPush}`;
  const follows = nextPush === lastAcked + 1 || isJump(nextPush, epoch);
  if (recovered && lastAcked > 0 && !follows) {
    return `${where}: called recovered, but after ${lastAcked} comes ${nextPush}`;
  }
  return null;
}

function brokenOrder(
  { seq }: FrameReceived,
  state: LinkState | undefined,
  where: string,
  at: number,
): Violation[] {
  if (state === undefined) {
    return [{ kind: 'reorder', at, text: `${where}: ${seq} came before START_RESP` }];
  }
  const { next } = state;
  state.next = Math.max(next, seq + 1);
  if (seq === next || (seq > next && isJump(seq, state.started.epoch))) return [];
  const kind = seq < next ? 'reorder' : 'gap';
  return [{ kind, at, text: `${where}: ${seq} came where ${next} was due` }];
}
