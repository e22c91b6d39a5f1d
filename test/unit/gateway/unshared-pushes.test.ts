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
    const { pushes, untold } = unsharedPushes(node.snapshot().records(), shared.records(), from);
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
    const { pushes } = unsharedPushes(node.snapshot().records(), shared.records(), from);
    expect(pushes).toEqual([]);
  });
});

describe('where a history was left', () => {
  it('is where the next epoch began', () => {
    const promotions = new Promotions();
    promotions.note(1, 1);
    promotions.note(2, 40);
    promotions.note(4, 90);
    expect([0, 1, 2, 3, 4].map((epoch) => promotions.leftAfter(epoch))).toEqual([
      1,
      40,
      90,
      90,
      null,
    ]);
  });

  it('is not known any more after many', () => {
    const promotions = new Promotions();
    for (let epoch = 1; epoch <= 100; epoch++) promotions.note(epoch, epoch * 10);
    expect(promotions.leftAfter(99)).toBe(1_000);
    expect([...promotions.records()].length).toBeLessThan(50);
  });
});
