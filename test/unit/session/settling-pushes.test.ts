import { describe, expect, test } from '@jest/globals';
import type { JournalWriter, PushKey } from '../../../src/journal/journal-writer.js';
import { BroadcastRequest, UnicastPushRequest } from '../../../src/wire/messages.js';
import type { PushResult } from '../../../src/wire/push-result.js';
import { SessionHarness } from '../../support/session-harness.js';

const LAG = { pushError: 'REPLICATION_LAG', reason: 'late' } as const;

/** alice, and a disk or a standby that must have what upstreams are told of. */
function unsettled() {
  const harness = new SessionHarness({}, undefined, undefined, {}, true);
  const client = harness.started();
  const journal = harness.journal as JournalWriter;
  const bar = journal.settled.hold(journal.newest);
  const told: string[] = [];
  const tell = ({ success, errorCode }: PushResult) => told.push(success ? 'success' : errorCode);
  const push = (content: string, idempotencyKey = '') => {
    const target = { targetType: 'openid', targetId: 'alice' };
    const request = new UnicastPushRequest({ ...target, content, idempotencyKey });
    harness.service.pushes.push(request, tell);
    harness.settle();
  };
  const broadcast = () => {
    harness.service.pushes.broadcast(new BroadcastRequest({ content: 'all' }), (count, message) =>
      told.push(`${count} ${message}`),
    );
    harness.settle();
  };
  const settle = () => bar.raise(journal.newest);
  return { harness, client, journal, bar, told, push, broadcast, settle };
}

describe('success', () => {
  test('is told when it is safe; a repeat waits for that as well', () => {
    const { client, told, push, settle } = unsettled();
    push('a', 'k');
    push('a', 'k');
    expect([told, client.texts]).toEqual([[], ['a']]);
    settle();
    expect([told, client.texts]).toEqual([['success', 'success'], ['a']]);
    push('a', 'k');
    expect(told).toHaveLength(3);
  });

  test('is not told where safety fails, nor by a gateway that may not serve any more', () => {
    const { harness, told, journal, bar, push, broadcast, settle } = unsettled();
    push('a');
    broadcast();
    bar.fail(journal.newest, LAG);
    expect(told).toEqual(['REPLICATION_LAG', '0 REPLICATION_LAG: late']);
    told.length = 0;
    push('b');
    broadcast();
    harness.serving.serves = false;
    settle();
    expect(told).toEqual(['REPLICATION_LAG', expect.stringMatching(/^0 REPLICATION_LAG/)]);
  });
});

describe('a push that the deposed gateway offers', () => {
  const body = Buffer.from([24, 3]);
  const key = (digest = 'd'): PushKey => ({ key: 'k', digest, plainDigest: '', ttl: 9_000 });

  test('is a new one, once for each key; another under its key is refused', () => {
    const harness = new SessionHarness();
    const client = harness.started();
    const { pushes } = harness.service;
    const offers = [key(), key(), key('other'), null, null];
    expect(offers.map((each) => pushes.offered('alice', body, each))).toEqual([
      true,
      true,
      false,
      true,
      true,
    ]);
    harness.settle();
    expect(client.sequenced).toHaveLength(3);
  });

  test('that found no place may be offered again', () => {
    const harness = new SessionHarness();
    const { pushes } = harness.service;
    expect(pushes.offered('alice', body, key())).toBe(false);
    const client = harness.started();
    expect(pushes.offered('alice', body, key())).toBe(true);
    harness.settle();
    expect(client.sequenced).toHaveLength(1);
  });

  test.each([
    ['does not serve', (harness: SessionHarness) => (harness.serving.accepts = false)],
    ['stops', (harness: SessionHarness) => harness.service.pushes.close()],
    ['cannot keep it', (harness: SessionHarness) => harness.journal?.obstruct(LAG)],
  ])('is not taken by a gateway that %s', (_, prevent) => {
    const harness = new SessionHarness({}, undefined, undefined, {}, true);
    const client = harness.started();
    prevent(harness);
    expect(harness.service.pushes.offered('alice', body, null)).toBe(false);
    harness.settle();
    expect(client.sequenced).toEqual([]);
  });
});
