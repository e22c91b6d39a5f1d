import { describe, expect, test } from '@jest/globals';
import { JournalImage } from '../../../src/journal/journal-image.js';
import { unlimitedCeiling } from '../../../src/journal/number-ceiling.js';
import { AcceptingAuthenticator } from '../../../src/session/authenticator.js';
import { StateRecord, decodeMessage, encodeMessage } from '../../../src/wire/messages.js';
import { SessionHarness } from '../../support/session-harness.js';

function harnessOf(dedupes: boolean): SessionHarness {
  const harness = new SessionHarness({}, new AcceptingAuthenticator(), unlimitedCeiling, {}, true);
  harness.router.dedupes = dedupes;
  return harness;
}

/** A gateway whose process took over what another one wrote down, by its journal or by a snapshot. */
function successor(records: Iterable<StateRecord>, dedupes = true): SessionHarness {
  const copies = [...records].map((record) =>
    decodeMessage(StateRecord, encodeMessage(StateRecord, record)),
  );
  const harness = harnessOf(dedupes);
  harness.service.archive.restore(copies);
  harness.service.archive.askAgain();
  harness.settle();
  return harness;
}

/** What a standby has that followed the journal from its beginning. */
function follower(harness: SessionHarness): JournalImage {
  const image = new JournalImage();
  harness.journal?.attach({ take: (batch) => image.apply(batch) });
  return image;
}

describe.each(['journal', 'snapshot'])('requests without an answer, known by %s', (way) => {
  const left = (former: SessionHarness, image: JournalImage) =>
    way === 'journal' ? image.records() : former.service.archive.snapshot();

  test('are asked again where upstreams take a repeat for what it is', () => {
    const former = harnessOf(true);
    const image = follower(former);
    const first = former.started().business(1, 'question');
    former.push('alice', { content: 'after', syncHint: 2, bindClientSeqId: 1 });
    former.settle();
    const harness = successor(left(former, image));
    const [asked] = harness.router.seen;
    expect([asked?.clientSeq, asked?.data, asked?.request.sessionId]).toEqual([
      1,
      'question',
      first.started.connectionId,
    ]);
    const client = harness.started('alice', { resumeSessionId: first.started.connectionId });
    client.business(1, 'question');
    harness.answer(0);
    harness.settle();
    expect(harness.router.seen).toHaveLength(1);
    expect(client.sequenced.map(({ msgId, text }) => [msgId, text])).toEqual([
      [101, 'question'],
      [0, 'after'],
    ]);
  });

  test('are known to be unanswered a second time', () => {
    const former = harnessOf(true);
    const image = follower(former);
    former.started().business(1, 'question');
    former.settle();
    const second = successor(left(former, image));
    const third = successor(second.service.archive.snapshot());
    expect(third.router.seen.map(({ data }) => data)).toEqual(['question']);
  });

  test('get 504 where upstreams do not, or do no more', () => {
    for (const [before, later] of [
      [false, true],
      [true, false],
    ] as const) {
      const former = harnessOf(before);
      const image = follower(former);
      const first = former.started().business(1);
      former.settle();
      const harness = successor(left(former, image), later);
      const client = harness.started('alice', { resumeSessionId: first.started.connectionId });
      expect(harness.router.seen).toHaveLength(0);
      expect(client.sequenced.map(({ code, msgId }) => [code, msgId])).toEqual([[504, 101]]);
    }
  });

  test('get 504 where the upstream cannot be asked: the first time may have been executed', () => {
    const former = harnessOf(true);
    const image = follower(former);
    const first = former.started().business(1);
    former.settle();
    const harness = successor(left(former, image));
    const [asked] = harness.router.seen;
    if (asked !== undefined) harness.router.fail(asked, 502);
    const client = harness.started('alice', { resumeSessionId: first.started.connectionId });
    expect(client.sequenced.map(({ code }) => code)).toEqual([504]);
  });
});
