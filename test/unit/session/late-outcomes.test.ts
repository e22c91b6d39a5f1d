import { describe, expect, test } from '@jest/globals';
import { unlimitedCeiling } from '../../../src/journal/number-ceiling.js';
import { AcceptingAuthenticator } from '../../../src/session/authenticator.js';
import { SESSIONS_PER_TURN } from '../../../src/session/push-turns.js';
import type { SessionOptions } from '../../../src/session/options.js';
import { NO_LIMITS } from '../../../src/session/overload/options.js';
import { BroadcastRequest, NotifySyncHint } from '../../../src/wire/messages.js';
import { SessionHarness } from '../../support/session-harness.js';

/** With a journal, as a gateway of a pair has one. */
function harnessOf(options: Partial<SessionOptions> = {}): SessionHarness {
  const authenticator = new AcceptingAuthenticator();
  return new SessionHarness(options, authenticator, unlimitedCeiling, NO_LIMITS, true);
}

/** Nothing may be numbered and nothing comes in, as from an offer of the role on. */
function offers({ serving }: SessionHarness): void {
  Object.assign(serving, { accepts: false, serves: false, numbers: false });
}

/** The other gateway did not take it. */
function servesOn({ serving, service }: SessionHarness): void {
  Object.assign(serving, { accepts: true, serves: true, numbers: true });
  service.undrain();
}

describe('while the role is offered', () => {
  test('outcomes wait, without a number and without an entry, and come in their order', () => {
    const harness = harnessOf();
    const client = harness.started().business(1).business(2).business(3);
    const { outbox, ledger } = harness.service.registry.findByOpenid('alice') ?? {};
    const before = [outbox?.nextSeq, ledger?.inFlight, harness.journal?.newest];
    offers(harness);
    harness.answer(2);
    harness.fail(0);
    harness.answer(1);
    expect([outbox?.nextSeq, ledger?.inFlight, harness.journal?.newest]).toEqual(before);
    expect(client.sequenced).toEqual([]);
    servesOn(harness);
    harness.settle();
    expect(client.texts).toEqual(['r3', 'test', 'r2']);
    expect([ledger?.inFlight, harness.router.seen.length]).toEqual([0, 3]);
    servesOn(harness);
    harness.settle();
    expect(client.texts).toHaveLength(3);
  });

  test('what follows an answer follows it, and what waits for the login', () => {
    const harness = harnessOf({ loginAction: 'login' });
    const client = harness.started().business(1, 'in', 'login');
    harness.pushTexts('alice', 'held');
    const after = { syncHint: NotifySyncHint.NSH_AFTER_RESPONSE, bindClientSeqId: 1 };
    harness.push('alice', { content: 'after', ...after });
    offers(harness);
    harness.answer(0);
    expect(client.sequenced).toEqual([]);
    servesOn(harness);
    harness.settle();
    expect(client.texts.map((text) => /in|held|after/.exec(text)?.[0])).toEqual([
      'in',
      'held',
      'after',
    ]);
  });

  test('what came for a session that has ended is forgotten', () => {
    const harness = harnessOf();
    const client = harness.started().business(1);
    offers(harness);
    harness.answer(0);
    harness.service.standDown();
    servesOn(harness);
    harness.settle();
    expect([client.sequenced, harness.service.registry.size]).toEqual([[], 0]);
  });

  describe('a broadcast that is under way', () => {
    const MANY = SESSIONS_PER_TURN + 5;

    /** The first ones have it. */
    function begun() {
      const harness = harnessOf();
      for (let index = 0; index < MANY; index++) harness.started(`o${index}`);
      const answers: string[] = [];
      harness.service.pushes.broadcast(new BroadcastRequest({ content: 'all' }), (_, message) =>
        answers.push(message),
      );
      harness.turn();
      const { registry } = harness.service;
      const reached = () => [...registry.all()].filter(({ outbox }) => outbox.length > 0).length;
      expect(reached()).toBe(SESSIONS_PER_TURN);
      offers(harness);
      harness.settle();
      expect([reached(), answers]).toEqual([SESSIONS_PER_TURN, []]);
      return { harness, answers, reached };
    }

    test('stands still, and goes on', () => {
      const { harness, answers, reached } = begun();
      servesOn(harness);
      harness.settle();
      expect([reached(), answers]).toEqual([MANY, ['sent']]);
    });

    test('is broken off where this gateway stops', () => {
      const { harness, answers, reached } = begun();
      harness.service.pushes.close();
      expect([reached(), answers]).toEqual([
        SESSIONS_PER_TURN,
        [expect.stringContaining('REPLICATION_LAG')],
      ]);
    });
  });
});
