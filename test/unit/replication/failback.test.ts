import { beforeEach, describe, expect, it } from '@jest/globals';
import { CodedError } from '../../../src/base/errors.js';
import { FAILBACK_LOOK_MS, Failback } from '../../../src/replication/failback.js';
import { silentLogger } from '../../../src/telemetry/log.js';
import { FakeClock } from '../../support/fake-clock.js';

const AFTER = 60_000;
let clock: FakeClock;
let failback: Failback;
let asked: number[];
let subject: {
  role: 'starting' | 'backup' | 'primary';
  inSync: boolean;
  peerPrefersToo: boolean;
  failbacks: number;
  countFailbacks(failbacks: number): void;
  takeOver(): void;
};

beforeEach(() => {
  clock = new FakeClock();
  asked = [];
  const takeOver = () => void asked.push(clock.now());
  const countFailbacks = (failbacks: number) => void (subject.failbacks = failbacks);
  const state = { role: 'backup', inSync: true, peerPrefersToo: false } as const;
  subject = { ...state, failbacks: 0, countFailbacks, takeOver };
  startProcess();
});

/** With what the process before kept. */
function startProcess(): void {
  failback = new Failback(AFTER, subject, clock, silentLogger());
}

function pass(ms: number): void {
  for (let passed = 0; passed < ms; passed += FAILBACK_LOOK_MS) {
    failback.look();
    clock.advance(FAILBACK_LOOK_MS);
  }
  failback.look();
}

describe('failback', () => {
  it('asks once it was in sync for the whole time, not before', () => {
    pass(AFTER - 2 * FAILBACK_LOOK_MS);
    expect(asked).toHaveLength(0);
    pass(3 * FAILBACK_LOOK_MS);
    expect(asked).toHaveLength(1);
  });

  it('begins anew whenever it was not in sync', () => {
    for (let round = 0; round < 5; round++) {
      subject.inSync = true;
      pass(AFTER - 10_000);
      subject.inSync = false;
      pass(FAILBACK_LOOK_MS);
    }
    expect(asked).toHaveLength(0);
  });

  it('never asks as a primary, while it starts, or where the peer would ask back', () => {
    for (const role of ['primary', 'starting'] as const) {
      subject.role = role;
      pass(5 * AFTER);
    }
    subject.role = 'backup';
    subject.peerPrefersToo = true;
    pass(5 * AFTER);
    expect(asked).toHaveLength(0);
  });

  it('waits twice as long each time that the switch does not come about', () => {
    pass(8 * AFTER);
    expect(asked.map((at) => Math.round((at - (asked[0] ?? 0)) / AFTER))).toEqual([0, 2, 6]);
  });

  it('one that cannot stay primary does not make the pair change roles for ever', () => {
    for (let round = 0; round < 200; round++) {
      subject.role = 'backup';
      const before = asked.length;
      while (asked.length === before) pass(FAILBACK_LOOK_MS);
      subject.role = 'primary';
      pass(10_000);
      if (clock.now() > 60 * AFTER) break;
    }
    expect(asked.length).toBeLessThan(9);
  });

  it('nor does one that dies each time that it is primary', () => {
    for (let round = 0; round < 3; round++) {
      subject.role = 'backup';
      pass(AFTER * 2 ** round - 2 * FAILBACK_LOOK_MS);
      expect(asked).toHaveLength(round);
      pass(3 * FAILBACK_LOOK_MS);
      expect(asked).toHaveLength(round + 1);
      subject.role = 'primary';
      pass(5_000);
      startProcess();
    }
  });

  it('one that stayed primary is trusted as soon as the disk can be written', () => {
    pass(AFTER + FAILBACK_LOOK_MS);
    subject.role = 'primary';
    let fails = true;
    subject.countFailbacks = (failbacks) => {
      if (fails) throw new CodedError('ROLE_UNWRITABLE', 'no room');
      subject.failbacks = failbacks;
    };
    pass(2 * AFTER);
    expect(subject.failbacks).toBe(1);
    fails = false;
    pass(FAILBACK_LOOK_MS);
    expect(subject.failbacks).toBe(0);
  });

  it('one that stayed primary is trusted again', () => {
    pass(AFTER);
    subject.role = 'primary';
    pass(5_000);
    subject.role = 'backup';
    pass(2 * AFTER + FAILBACK_LOOK_MS);
    expect(asked).toHaveLength(2);
    subject.role = 'primary';
    pass(5 * AFTER);
    subject.role = 'backup';
    pass(AFTER + FAILBACK_LOOK_MS);
    expect(asked).toHaveLength(3);
  });

  it('a refusal is no end', () => {
    let refusals = 0;
    subject.takeOver = () => {
      if (refusals++ === 0) throw new Error('not now');
      asked.push(clock.now());
    };
    pass(4 * AFTER);
    expect(asked).toHaveLength(1);
  });
});
