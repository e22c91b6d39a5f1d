import { describe, expect, it } from '@jest/globals';
import { unsharedPushes } from '../../../src/gateway/unshared-pushes.js';
import { JournalImage } from '../../../src/journal/journal-image.js';
import { unlimitedCeiling } from '../../../src/journal/number-ceiling.js';
import { Promotions } from '../../../src/journal/promotions.js';
import { AcceptingAuthenticator } from '../../../src/session/authenticator.js';
import { SessionHarness } from '../../support/session-harness.js';

/** A gateway that writes down what it does, and what the other one has of it. */
class Node {
  readonly harness = new SessionHarness(
    { offlineTtl: 60_000 },
    new AcceptingAuthenticator(),
    unlimitedCeiling,
    {},
    true,
  );

  push(openid: string, content: string, idempotencyKey = ''): void {
    this.harness.push(openid, { content, idempotencyKey });
    this.harness.settle();
  }

  get position(): number {
    return this.harness.journal?.position ?? 0;
  }

  snapshot(): JournalImage {
    const image = new JournalImage();
    image.reset(this.position, this.harness.service.archive.snapshot());
    return image;
  }
}

function textsOf(pushes: readonly { body: Uint8Array }[]): string[] {
  return pushes.map(({ body }) => /text \w+/.exec(Buffer.from(body).toString('latin1'))?.[0] ?? '');
}

describe('the pushes that only a deposed primary holds', () => {
  it('are those behind where its history was left, unacknowledged, with their keys', () => {
    const node = new Node();
    node.harness.started('alice');
    node.push('alice', 'text before');
    node.push('bob', 'text early');
    const shared = node.snapshot();
    const from = node.position + 1;
    node.push('alice', 'text later', 'a key');
    node.push('bob', 'text late');
    const { pushes, untold } = unsharedPushes(node.snapshot().records(), shared.records(), {
      position: from,
      sure: true,
    });
    expect(textsOf(pushes)).toEqual(['text later', 'text late']);
    expect(pushes.map(({ openid, key }) => [openid, key?.key ?? ''])).toEqual([
      ['alice', 'a key'],
      ['bob', ''],
    ]);
    expect(untold).toBe(0);
  });

  it('are not those that moved, where the other one has them too', () => {
    const node = new Node();
    node.push('bob', 'text early');
    const shared = node.snapshot();
    const from = node.position + 1;
    // What waited moves into the session's outbox: another entry, but the same push.
    node.harness.started('bob');
    node.harness.settle();
    const { pushes } = unsharedPushes(node.snapshot().records(), shared.records(), {
      position: from,
      sure: true,
    });
    expect(pushes).toEqual([]);
  });
});

/** A promotion; its id is that of another process unless it is named. */
function promotion(epoch: number, position: number, { id = 100 + epoch, forgot = false } = {}) {
  return { epoch, position, id, forgot };
}

function promotions(...told: ReturnType<typeof promotion>[]): Promotions {
  const list = new Promotions();
  for (const each of told) list.note(each);
  return list;
}

describe('where a history was left', () => {
  const present = promotions(promotion(1, 1), promotion(2, 40), promotion(4, 90));

  it('is where the next process began to serve', () => {
    const formers = [
      [],
      [promotion(1, 1)],
      [promotion(1, 1), promotion(2, 40)],
      [promotion(1, 1), promotion(2, 40), promotion(4, 90)],
    ].map((told) => present.forkOf(promotions(...told)));
    expect(formers).toEqual([
      { position: 1, sure: true },
      { position: 40, sure: true },
      { position: 90, sure: true },
      null,
    ]);
  });

  it('is where the former one began again, if that was before', () => {
    const lostItsEnd = promotions(promotion(1, 1), promotion(1, 30, { id: 7, forgot: true }));
    expect(present.forkOf(lostItsEnd)).toEqual({ position: 30, sure: true });
  });

  it('is not sure where the one that takes its place forgot what it did', () => {
    const empty = promotions(promotion(2, 1, { id: 8, forgot: true }));
    expect(empty.forkOf(present)).toEqual({ position: 1, sure: false });
  });

  it('is not known after too many', () => {
    const many = new Promotions();
    for (let epoch = 1; epoch <= 100; epoch++) many.note(promotion(epoch, epoch * 10));
    expect([...many.records()].length).toBeLessThan(50);
    expect(many.forkOf(promotions(promotion(1, 10)))).toEqual({ position: 0, sure: false });
    expect(many.forkOf(promotions(promotion(99, 990)))).toEqual({ position: 1_000, sure: true });
  });

  it('is known of older versions, which gave no ids', () => {
    const old = promotions(promotion(1, 1, { id: 0 }), promotion(2, 40, { id: 0 }));
    expect(present.forkOf(old)).toEqual({ position: 90, sure: true });
    // A record of it that an older version wrote, then the entry itself.
    old.note(promotion(2, 45));
    expect([...old.records()].length).toBe(2);
    expect(present.forkOf(old)).toEqual({ position: 90, sure: true });
  });
});
