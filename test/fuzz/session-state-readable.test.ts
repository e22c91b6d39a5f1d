import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { JournalImage } from '../../src/journal/journal-image.js';
import { ClientAck, RequestType, StopRequest, encodeMessage } from '../../src/wire/messages.js';
import { expectSameState } from '../support/journal-comparison.js';
import { SessionHarness } from '../support/session-harness.js';
import type { BareClient } from '../support/session-harness.js';
import { copies } from '../support/session-world.js';

const numRuns = Math.ceil(Number(process.env['FUZZ_RUNS'] ?? 2_000) / 10);

/** Small numbers that make sense, and the edges of everything that counts. */
const number = fc.oneof(
  { weight: 3, arbitrary: fc.nat(4) },
  { weight: 1, arbitrary: fc.maxSafeNat() },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 33, 2 ** 52, 2 ** 53 - 2),
        fc.integer({ min: -2, max: 1 }),
      )
      .map(([edge, off]) => edge + off),
  },
);
const msgId = fc.oneof(fc.nat(4), fc.constantFrom(2 ** 31, 2 ** 32 - 1));

type Send = (client: BareClient, sessionId: string) => void;
const frame: fc.Arbitrary<Send> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(number, msgId).map(
      ([seq, id]): Send =>
        (client) =>
          void client.business(seq, 'x', 'echo', id),
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(number, number, fc.boolean(), msgId)
      .map(([lastAckedSeqId, seenEpoch, resumes, id]): Send => (client, sessionId) => {
        const resumeSessionId = resumes ? sessionId : '';
        client.start('alice', { lastAckedSeqId, seenEpoch, resumeSessionId }, id);
      }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(number, msgId, number).map(
      ([ackedSeqId, id, seq]): Send =>
        (client) =>
          void client.frame(
            RequestType.REQUEST_ACK,
            encodeMessage(ClientAck, { ackedSeqId }),
            id,
            seq,
          ),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(number, msgId).map(
      ([seq, id]): Send =>
        (client) =>
          void client.frame(
            RequestType.REQUEST_STOP,
            encodeMessage(StopRequest, { reason: 1 }),
            id,
            seq,
          ),
    ),
  },
);

type Step =
  | { readonly op: 'frame'; readonly send: Send }
  | { readonly op: 'push'; readonly hint: 0 | 1 | 2; readonly bind: number }
  | { readonly op: 'answer'; readonly index: number }
  | { readonly op: 'restart'; readonly jumps: boolean };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: frame.map((send): Step => ({ op: 'frame', send })) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('push' as const),
      hint: fc.constantFrom(0 as const, 1 as const, 2 as const),
      bind: number,
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('answer' as const), index: fc.nat(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('restart' as const), jumps: fc.boolean() }),
  },
);

/** A gateway whose journal is followed, as by its standby, and one client that says what it likes. */
class Kept {
  private harness = this.begin();
  private image = this.follow();
  private client = this.harness.started('alice');
  private sessionId = this.client.started.connectionId;

  run(item: Step): void {
    const { harness } = this;
    switch (item.op) {
      case 'frame':
        if (this.client.closed !== null) this.client = harness.client();
        item.send(this.client, this.sessionId);
        harness.advance(1_000);
        this.sessionId = harness.service.registry.findByOpenid('alice')?.id ?? '';
        break;
      case 'push':
        harness.push('alice', { content: 'p', syncHint: item.hint, bindClientSeqId: item.bind });
        break;
      case 'answer':
        if (item.index < harness.router.seen.length) harness.answer(item.index);
        break;
      case 'restart':
        this.restart(item.jumps);
    }
  }

  /** What is written can be read, and the journal says the same as the snapshot. */
  check(): void {
    this.harness.journal?.flush();
    expectSameState(this.image.records(), this.harness.service.archive.snapshot());
  }

  private restart(jumps: boolean): void {
    const records = copies(this.harness.service.archive.snapshot());
    this.harness = this.begin();
    this.harness.service.archive.restore(records, jumps ? 'odd' : null);
    this.image = this.follow();
    this.client = this.harness.client();
  }

  private begin(): SessionHarness {
    return new SessionHarness({ offlineTtl: 600_000 }, undefined, undefined, {}, true);
  }

  private follow(): JournalImage {
    const image = new JournalImage();
    const { journal } = this.harness;
    if (journal === null) throw new Error('no journal');
    image.reset(journal.position, copies(journal.snapshot()));
    journal.attach({ take: (batch) => image.apply(batch) });
    return image;
  }
}

test('whatever a client sends, what is kept of it can be read again', () => {
  const property = fc.property(fc.array(step, { minLength: 3, maxLength: 25 }), (steps) => {
    const kept = new Kept();
    for (const item of steps) kept.run(item);
    expect(() => kept.check()).not.toThrow();
  });
  fc.assert(property, { numRuns });
});
