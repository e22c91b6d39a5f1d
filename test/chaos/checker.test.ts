import { describe, expect, test } from '@jest/globals';
import { judge } from './checker.js';
import { PushChain, broadcastText } from './history.js';
import type { Fact, Recorded } from './history.js';
import { CONTINUED, KILLED } from './one-primary.js';

/** Facts one ms apart; `after` sets the time of a fact and those behind it. */
class Forged {
  readonly facts: Recorded[] = [];
  private now = 0;

  add(...facts: Fact[]): this {
    for (const fact of facts) this.facts.push({ ...fact, at: ++this.now });
    return this;
  }

  after(ms: number): this {
    this.now += ms;
    return this;
  }

  get verdict(): string[] {
    return judge(this.facts).violations.map(({ kind }) => kind);
  }
}

const ANN = 'ann';

function started(
  link: number,
  nextPush: number,
  more: { node?: string; epoch?: number; lastAcked?: number; recovered?: boolean } = {},
): Fact {
  const { node = 'one', epoch = 1, lastAcked = 0, recovered = true } = more;
  const resumed = lastAcked > 0;
  const session = 's';
  const start = {
    link,
    openid: ANN,
    node,
    epoch,
    session,
    lastAcked,
    resumed,
    recovered,
    nextPush,
  };
  return { kind: 'started', ...start };
}

function frame(link: number, seq: number, node = 'one', digest = `d${seq}`): Fact {
  return { kind: 'frame', link, openid: ANN, node, seq, digest };
}

function accepted(number: number, node = 'one'): Fact {
  return { kind: 'accepted', node, openid: ANN, number };
}

const promise = (holds: boolean): Fact => ({ kind: 'promise', holds });

function arrived(text: string): Fact {
  return { kind: 'arrived', openid: ANN, text };
}

const anew: Fact = { kind: 'anew', openid: ANN, why: 'the app was restarted' };

/** The texts of the first pushes to ann. */
function texts(count: number): string[] {
  const chain = new PushChain(ANN);
  return Array.from({ length: count }, () => chain.next().text);
}

const asked: Fact = { kind: 'asked', openid: ANN, id: 'r1' };
const executed: Fact = { kind: 'executed', openid: ANN, session: 's', clientSeq: 1, id: 'r1' };
function settled(end: 'answered' | 'refused' | 'unknown', text = 'r1'): Fact {
  return { kind: 'settled', openid: ANN, id: 'r1', end, text };
}

describe('numbers', () => {
  test('go up by one, over a resume too', () => {
    const whole = new Forged().add(started(1, 1), frame(1, 1), frame(1, 2));
    whole.add(started(2, 3, { lastAcked: 2 }), frame(2, 3));
    expect(whole.verdict).toEqual([]);
  });

  test('may be sent again on the next connection, with the same bytes', () => {
    const again = new Forged().add(started(1, 1), frame(1, 1), frame(1, 2));
    again.add(started(2, 2, { lastAcked: 1 }), frame(2, 2));
    expect(again.verdict).toEqual([]);
    expect(again.add(frame(2, 3), started(3, 3, { lastAcked: 2 })).verdict).toEqual([]);
    expect(again.add(frame(3, 3, 'one', 'other bytes')).verdict).toEqual(['number reused']);
  });

  test('a gap within a connection', () => {
    expect(new Forged().add(started(1, 1), frame(1, 1), frame(1, 3)).verdict).toEqual(['gap']);
  });

  test('a first frame that is not the one START_RESP named', () => {
    expect(new Forged().add(started(1, 5), frame(1, 6)).verdict).toEqual(['gap']);
  });

  test('a gap over a resume that is called recovered, and one that is not', () => {
    const resumed = (recovered: boolean): string[] =>
      new Forged().add(started(1, 9, { lastAcked: 4, recovered }), frame(1, 9)).verdict;
    expect(resumed(true)).toEqual(['gap']);
    expect(resumed(false)).toEqual([]);
  });

  test('go on at a multiple of 2^32 after a promotion, and only then', () => {
    const jump = 2 ** 33;
    const jumps = (epoch: number): string[] => {
      const within = new Forged().add(started(1, 3, { epoch, lastAcked: 2 }));
      within.add(frame(1, 3), frame(1, jump), frame(1, jump + 1));
      return within.add(started(2, jump, { epoch, lastAcked: 3 })).verdict;
    };
    expect(jumps(2)).toEqual([]);
    expect(jumps(1)).toEqual(['gap', 'gap']);
    const other = new Forged().add(started(1, 3, { epoch: 2 }), frame(1, 3), frame(1, jump + 1));
    expect(other.verdict).toEqual(['gap']);
  });

  test('numbers that the client has acknowledged already', () => {
    expect(new Forged().add(started(1, 4, { lastAcked: 4 })).verdict).toEqual(['gap']);
  });

  test('frames that change places, come twice, or before START_RESP', () => {
    const swapped = new Forged().add(started(1, 1), frame(1, 2), frame(1, 1));
    expect(swapped.verdict).toEqual(['gap', 'reorder']);
    const twice = new Forged().add(started(1, 1), frame(1, 1), frame(1, 1));
    expect(twice.verdict).toEqual(['reorder']);
    expect(new Forged().add(frame(1, 1)).verdict).toEqual(['reorder']);
  });
});

describe('accepted pushes', () => {
  const [one, two, three] = texts(3) as [string, string, string];

  test('arrive in order and once', () => {
    const all = new Forged().add(accepted(1), arrived(one), arrived(two), accepted(2));
    expect(all.verdict).toEqual([]);
  });

  test('one is lost', () => {
    expect(new Forged().add(accepted(1)).verdict).toEqual(['loss']);
    const middle = new Forged().add(accepted(1), accepted(2), accepted(3));
    expect(middle.add(arrived(one), arrived(three)).verdict).toEqual(['loss']);
  });

  test('one that was never accepted may be missing', () => {
    expect(new Forged().add(arrived(one)).verdict).toEqual([]);
  });

  test('one accepted while replication promised nothing may be lost, and is counted', () => {
    const lost = new Forged().add(promise(false), accepted(1)).after(100).add(promise(true));
    expect(lost.verdict).toEqual([]);
    expect(judge(lost.facts).summary).toContain('1 lost as conceded');
    const later = new Forged().add(promise(false), promise(true)).after(5_000).add(accepted(1));
    expect(later.verdict).toEqual(['loss']);
  });

  test('one accepted while replication promised nothing may come late, and is counted', () => {
    const late = new Forged().add(promise(false), accepted(2), promise(true)).after(5_000);
    late.add(arrived(one), arrived(three), arrived(two));
    expect(late.verdict).toEqual([]);
    expect(judge(late.facts).summary).toContain('1 late');
  });

  test('one comes twice', () => {
    const twice = new Forged().add(accepted(1), arrived(one), arrived(one));
    expect(twice.verdict).toEqual(['duplicate']);
  });

  test('one comes late', () => {
    const late = new Forged().add(arrived(one), arrived(three), arrived(two));
    expect(late.verdict).toEqual(['reorder']);
  });

  test('an app that is started anew may see some again, but misses none', () => {
    const again = new Forged().add(accepted(1), accepted(2), accepted(3), arrived(one));
    again.add(arrived(two), anew, arrived(two), arrived(three));
    expect(again.verdict).toEqual([]);
    const lost = new Forged().add(accepted(1), accepted(2), arrived(one), anew, arrived(three));
    expect(lost.verdict).toEqual(['loss']);
    const twice = new Forged().add(arrived(one), anew, arrived(one), arrived(one));
    expect(twice.verdict).toEqual(['duplicate']);
  });

  test("somebody else's push, and one out of another chain", () => {
    const foreign = new Forged().add(arrived(one.replace(ANN, 'bob')));
    expect(foreign.verdict).toEqual(['foreign push']);
    expect(new Forged().add(arrived(`${ANN} 1 forged`)).verdict).toEqual(['foreign push']);
  });

  test('a repeat under its key promises what the first success did not', () => {
    const lapse = new Forged().add(promise(false), accepted(1), promise(true)).after(5_000);
    expect(lapse.verdict).toEqual([]);
    expect(lapse.add(accepted(1)).verdict).toEqual(['loss']);
    expect(lapse.add(arrived(one)).verdict).toEqual([]);
    const kept = new Forged().add(accepted(1)).after(5_000);
    kept.add(promise(false), accepted(1), promise(true));
    expect(kept.verdict).toEqual(['loss']);
  });

  test('one for somebody who never came', () => {
    const nobody: Fact = { kind: 'accepted', node: 'one', openid: 'nobody', number: 1 };
    expect(new Forged().add(nobody).verdict).toEqual(['loss']);
  });
});

describe('broadcasts', () => {
  const sent = (number: number, sessions = 1): Fact => {
    return { kind: 'broadcast', node: 'one', number, sessions };
  };
  const got = (number: number): Fact => arrived(broadcastText(number));

  test('reach every client in order, those that fewer sessions took perhaps', () => {
    const all = new Forged().add(started(1, 1), sent(1), got(1), got(2), sent(2), sent(3, 0));
    expect(all.verdict).toEqual([]);
    expect(judge(all.facts).summary).toContain('2 broadcasts (0 conceded)');
  });

  test('one is lost, which is conceded only where replication promised nothing', () => {
    expect(new Forged().add(started(1, 1), sent(1)).verdict).toEqual(['loss']);
    const lapse = new Forged().add(started(1, 1), promise(false), sent(1), promise(true));
    expect(lapse.verdict).toEqual([]);
    expect(judge(lapse.facts).summary).toContain('1 broadcasts (1 conceded)');
  });

  test('are not for who comes after the last of them', () => {
    const late: Fact = { ...started(2, 1), openid: 'bob' } as Fact;
    const all = new Forged().add(started(1, 1), sent(1), got(1), late);
    expect(all.verdict).toEqual([]);
    expect(judge(all.facts).summary).toContain('1 broadcasts (0 conceded)');
  });

  test('one comes twice, or late, but for an app that is started anew', () => {
    const twice = new Forged().add(started(1, 1), sent(1), got(1), got(1));
    expect(twice.verdict).toEqual(['duplicate']);
    expect(new Forged().add(started(1, 1), got(2), got(1)).verdict).toEqual(['reorder']);
    expect(new Forged().add(started(1, 1), got(2), anew, got(1), got(2)).verdict).toEqual([]);
  });
});

describe('requests', () => {
  test('answered once, refused never, unknown perhaps', () => {
    expect(new Forged().add(asked, executed, settled('answered')).verdict).toEqual([]);
    expect(new Forged().add(asked, settled('refused', '503')).verdict).toEqual([]);
    expect(new Forged().add(asked, settled('unknown', '504')).verdict).toEqual([]);
    const unknown = new Forged().add(asked, executed, settled('unknown', '504'));
    expect(unknown.verdict).toEqual([]);
    expect(judge(unknown.facts).summary).toContain('1 of unknown outcome (1 executed)');
  });

  test('executed twice under one number, or under two', () => {
    const same = new Forged().add(asked, executed, executed, settled('answered'));
    expect(same.verdict).toEqual(['double execution']);
    const other: Fact = { ...executed, clientSeq: 2 } as Fact;
    const two = new Forged().add(asked, executed, other, settled('answered'));
    expect(two.verdict).toEqual(['double execution']);
  });

  test('two requests executed under one number', () => {
    const second: Fact[] = [
      { kind: 'asked', openid: ANN, id: 'r2' },
      { ...executed, id: 'r2' } as Fact,
      { kind: 'settled', openid: ANN, id: 'r2', end: 'unknown', text: '' },
    ];
    const both = new Forged().add(asked, executed, settled('answered'), ...second);
    expect(both.verdict).toEqual(['double execution']);
  });

  test('refused and executed all the same', () => {
    const late = new Forged().add(asked, settled('refused', '503'), executed);
    expect(late.verdict).toEqual(['false refusal']);
  });

  test('answered though nobody executed it, or with the answer to another', () => {
    expect(new Forged().add(asked, settled('answered')).verdict).toEqual(['false answer']);
    const other = new Forged().add(asked, executed, settled('answered', 'r9'));
    expect(other.verdict).toEqual(['false answer']);
  });

  test('executed in the name of another client', () => {
    const bob: Fact = { ...executed, openid: 'bob' } as Fact;
    expect(new Forged().add(asked, bob, settled('answered')).verdict).toEqual(['false answer']);
  });

  test('never settled', () => {
    expect(new Forged().add(asked, executed).verdict).toEqual(['unsettled']);
  });
});

describe('one primary', () => {
  const fault = (what: string, twoMayServeForMs = 0): Fact => ({
    kind: 'fault',
    node: 'one',
    what,
    twoMayServeForMs,
  });

  /** One serves, then two in epoch 2, and five seconds later `facts`. */
  function afterPromotion(...facts: Fact[]): string[] {
    const history = new Forged().add(started(1, 1), frame(1, 1));
    history.add(started(2, 2, { node: 'two', epoch: 2, lastAcked: 1 }), frame(2, 2, 'two'));
    return history.after(8_000).add(...facts).verdict;
  }

  test('the promoted one serves alone', () => {
    expect(afterPromotion(frame(2, 3, 'two'))).toEqual([]);
  });

  const seen = (node: string, primary: boolean, epoch: number, askedAt = 9_000): Fact => ({
    kind: 'role',
    node,
    primary,
    epoch,
    askedAt,
  });
  const [text] = texts(1) as [string];

  test('the former one delivers, or accepts', () => {
    expect(afterPromotion(frame(1, 2))).toEqual(['two primaries']);
    const push = [accepted(1), arrived(text)];
    expect(afterPromotion(...push, seen('one', true, 1))).toEqual(['two primaries']);
    expect(afterPromotion(...push, seen('one', false, 2))).toEqual(['two primaries']);
    // What it was before says nothing.
    const before = seen('one', false, 2, 0);
    expect(afterPromotion(...push, before, seen('one', true, 1))).toEqual(['two primaries']);
  });

  test('a promoted one accepts before anybody saw its epoch, and perhaps dies', () => {
    const push = [accepted(1), arrived(text)];
    expect(afterPromotion(...push, seen('one', true, 3))).toEqual([]);
    expect(afterPromotion(...push, started(3, 3, { epoch: 3, lastAcked: 2 }))).toEqual([]);
    expect(afterPromotion(...push, fault(KILLED), seen('one', false, 3))).toEqual([]);
  });

  test('two say that they are the primary of one epoch', () => {
    expect(afterPromotion(seen('one', true, 2))).toEqual(['two primaries']);
  });

  test('the former one is promoted again', () => {
    const next = started(3, 3, { epoch: 3, lastAcked: 2 });
    expect(afterPromotion(next, frame(3, 3))).toEqual([]);
  });

  test('two serve in one epoch', () => {
    expect(afterPromotion(started(3, 3, { epoch: 2, lastAcked: 2 }))).toEqual(['two primaries']);
  });

  test('what was on its way, and the flush of one that was stopped, are conceded and counted', () => {
    const stopped = new Forged().add(started(1, 1), frame(1, 1), fault('SIGSTOP'));
    stopped.add(started(2, 2, { node: 'two', epoch: 2, lastAcked: 1 }), frame(1, 2));
    stopped.after(9_000).add(fault(CONTINUED), frame(1, 3));
    expect(stopped.verdict).toEqual([]);
    expect(judge(stopped.facts).summary).toContain('2 flushes conceded');
    expect(stopped.after(6_000).add(frame(1, 4)).verdict).toEqual(['two primaries']);
  });

  test('under `continue` two may serve while the wire is cut, and no longer', () => {
    expect(afterPromotion(fault('cut', 500), frame(1, 2))).toEqual([]);
    const later = new Forged().add(started(1, 1), fault('cut', 500));
    later.add(started(2, 2, { node: 'two', epoch: 2, lastAcked: 1 }));
    expect(later.after(8_000).add(frame(1, 1)).verdict).toEqual(['two primaries']);
  });
});
