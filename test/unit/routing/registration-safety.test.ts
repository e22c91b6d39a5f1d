import { describe, expect, test } from '@jest/globals';
import { JournalWriter } from '../../../src/journal/journal-writer.js';
import type { WaitFailure } from '../../../src/journal/threshold.js';
import { FakeClock } from '../../support/fake-clock.js';
import { RouterBench } from '../../support/upstream-router-bench.js';

const UPSTREAM = '10.0.0.1:9001';
const LAG: WaitFailure = { pushError: 'REPLICATION_LAG', reason: 'nobody confirms' };

/** A router whose journal is confirmed by hand. */
function confirmedByHand() {
  const journal = new JournalWriter(new FakeClock(), 0, (run) => run());
  const bar = journal.settled.hold(0);
  const bench = new RouterBench({ journal });
  const answers: string[] = [];
  const answer = ({ success, errorCode }: { success: boolean; errorCode: string }) =>
    answers.push(success ? 'success' : errorCode);
  const request = { address: UPSTREAM, zoneId: '001', peer: '10.9.9.9:1' };
  return {
    journal,
    bench,
    answers,
    confirm: () => bar.raise(journal.newest),
    fail: () => bar.fail(journal.newest, LAG),
    register: () =>
      bench.router.register({ ...request, serviceName: 'service', capabilities: [] }, answer),
    deregister: () => bench.router.deregister(request, answer),
  };
}

describe('a registration is answered with success', () => {
  test('once its entry in the journal is as safe as a push has to be', () => {
    const { register, confirm, answers } = confirmedByHand();
    register();
    expect(answers).toEqual([]);
    confirm();
    expect(answers).toEqual(['success']);
  });

  test('also where that took a while, as long as a pair takes to come up', () => {
    const { bench, register, confirm, fail, answers } = confirmedByHand();
    register();
    fail();
    bench.clock.advance(2_900);
    expect(answers).toEqual([]);
    confirm();
    bench.clock.advance(100);
    expect(answers).toEqual(['success']);
  });

  test('not where that fails: it holds here, and success comes when it is asked again', () => {
    const { bench, register, confirm, fail, answers } = confirmedByHand();
    register();
    bench.clock.advance(3_000);
    fail();
    expect(answers).toEqual(['REPLICATION_LAG']);
    expect(bench.view(UPSTREAM)).toBeDefined();
    register();
    confirm();
    expect(answers).toEqual(['REPLICATION_LAG', 'success']);
  });

  test('not while the journal takes nothing in', () => {
    const { journal, bench, register, answers } = confirmedByHand();
    journal.obstruct({ pushError: 'JOURNAL_FAILED', reason: 'full' });
    register();
    expect(bench.view(UPSTREAM)).toBeDefined();
    bench.clock.advance(2_900);
    expect(answers).toEqual([]);
    bench.clock.advance(100);
    expect(answers).toEqual(['JOURNAL_FAILED']);
  });

  test('once the journal takes it in again', () => {
    const { journal, bench, register, confirm, answers } = confirmedByHand();
    const clear = journal.obstruct({ pushError: 'JOURNAL_FAILED', reason: 'full' });
    register();
    bench.clock.advance(1_000);
    clear();
    confirm();
    bench.clock.advance(100);
    expect(answers).toEqual(['success']);
  });
});

test('a deregistration waits as well, and so does the word that there is none', () => {
  const { bench, register, deregister, confirm, fail, answers } = confirmedByHand();
  register();
  confirm();
  deregister();
  expect(bench.view(UPSTREAM)).toBeUndefined();
  bench.clock.advance(3_000);
  fail();
  deregister();
  expect(answers).toEqual(['success', 'REPLICATION_LAG']);
  confirm();
  expect(answers).toEqual(['success', 'REPLICATION_LAG', 'NOT_REGISTERED']);
});
