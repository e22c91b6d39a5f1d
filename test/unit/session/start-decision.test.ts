import { describe, expect, test } from '@jest/globals';
import { decideStart } from '../../../src/session/start-decision.js';
import type { KnownSession } from '../../../src/session/start-decision.js';

/** Its numbers began at 11; 11 to 15 were sent, and 12 acknowledged. */
const known: KnownSession = {
  id: 's',
  firstSeq: 11,
  acknowledged: 12,
  highestSent: 15,
  jump: null,
  openingClaim: 0,
  unrecovered: false,
  beganAtClaim: false,
};

describe('a START that resumes', () => {
  test.each([
    ['has what it acknowledged', 12, {}, true],
    ['lacks some of that', 11, {}, false],
    ['has nothing, where it acknowledged nothing', 0, { acknowledged: 10 }, true],
    ['names a session that did not recover', 0, { acknowledged: 10, unrecovered: true }, true],
  ])('recovers what is not lost: the client %s', (_, lastAcked, changes, recovered) => {
    const session = { ...known, ...changes };
    const claim = { lastAcked, resumeSessionId: 's' };
    expect(decideStart(claim, session, 0)).toEqual({ kind: 'resume', recovered, session });
  });

  test('without the id of an unrecovered session is told so until it has a number of it', () => {
    const session = { ...known, acknowledged: 10, openingClaim: 4, unrecovered: true };
    const resume = { kind: 'resume', session };
    const decide = (lastAcked: number) =>
      decideStart({ lastAcked, resumeSessionId: '' }, session, 0);
    expect(decide(4)).toEqual({ ...resume, recovered: false });
    expect(decide(11)).toEqual({ ...resume, recovered: true });
  });
});

describe('a new incarnation', () => {
  const begin = (
    lastAcked: number,
    resumeSessionId: string,
    changes: Partial<KnownSession> = {},
    floor = 0,
  ) => decideStart({ lastAcked, resumeSessionId }, { ...known, ...changes }, floor);

  test.each([
    ['a client that remembers nothing', 0, '', {}, true],
    ['a client that remembers a session', 0, 'other', {}, false],
    ['a client that remembers a number', 16, '', {}, false],
    [
      'a client that remembers nothing, behind an unrecovered session',
      0,
      '',
      { unrecovered: true },
      false,
    ],
  ])('for %s', (_, lastAcked, sessionId, changes, recovered) => {
    const decision = begin(lastAcked, sessionId, changes);
    expect(decision).toMatchObject({ kind: 'new_incarnation', recovered });
  });

  test('goes on above what was ever sent, and above what the client claims', () => {
    expect(begin(0, '')).toMatchObject({ firstSeq: 16, beganAtClaim: false });
    expect(begin(20, '')).toMatchObject({ firstSeq: 21, beganAtClaim: true });
  });

  test('counts as begun at a claim only above all that is known', () => {
    expect(begin(20, '', {}, 20)).toMatchObject({ beganAtClaim: false });
    expect(begin(20, '', {}, 19)).toMatchObject({ beganAtClaim: true });
    expect(begin(15, 'other')).toMatchObject({ beganAtClaim: false });
    expect(begin(0, '', { beganAtClaim: true })).toMatchObject({ beganAtClaim: true });
  });
});
