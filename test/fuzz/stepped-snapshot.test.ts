import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { JournalImage } from '../../src/journal/journal-image.js';
import type { JournalFollower } from '../../src/journal/journal.js';
import { ConfirmationGate } from '../../src/replication/confirmation-gate.js';
import { Receiver } from '../../src/replication/receiver.js';
import { Shipper } from '../../src/replication/shipper.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { FromPrimary, decodeMessage } from '../../src/wire/messages.js';
import { expectSameState } from '../support/journal-comparison.js';
import { SessionHarness } from '../support/session-harness.js';
import type { BareClient } from '../support/session-harness.js';

const numRuns = Math.ceil(Number(process.env['FUZZ_RUNS'] ?? 2_000) / 40);

const OPENIDS = ['ann', 'bob', 'cem', 'dua', 'eva', 'fay', 'gil', 'hal'];

type Op =
  | 'connect'
  | 'lose'
  | 'stop'
  | 'request'
  | 'answer'
  | 'ack'
  | 'push'
  | 'pushKeyed'
  | 'broadcast'
  | 'wait'
  | 'turn'
  | 'deliver'
  | 'again';

const event = fc.record({
  op: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<Op>('connect', 'request', 'push', 'pushKeyed') },
    { weight: 4, arbitrary: fc.constantFrom<Op>('lose', 'stop', 'answer', 'ack', 'broadcast') },
    { weight: 7, arbitrary: fc.constantFrom<Op>('turn', 'turn', 'deliver') },
    { weight: 1, arbitrary: fc.constantFrom<Op>('wait', 'again') },
  ),
  who: fc.nat(OPENIDS.length - 1),
  size: fc.nat(20_000),
});

/** A standby whose history shows only when it is whole. */
class Standby implements JournalFollower {
  image = new JournalImage();

  get position(): number {
    return this.image.position;
  }

  renew(position: number) {
    const image = new JournalImage();
    image.reset(position, []);
    return {
      set: image.set.bind(image),
      apply: image.apply.bind(image),
      commit: () => void (this.image = image),
    };
  }

  apply(batch: Parameters<JournalImage['apply']>[0]): void {
    this.image.apply(batch);
  }
}

/** A primary with many sessions, and a standby that joins it while all of them are at work. */
class Crowd {
  readonly harness = new SessionHarness(
    { offlineTtl: 600_000, resumeWindow: 20_000, outboxMaxFrames: 20 },
    undefined,
    undefined,
    {},
    true,
  );
  readonly journal = this.harness.journal as NonNullable<SessionHarness['journal']>;
  readonly standby = new Standby();
  private readonly clients = new Map<string, BareClient>();
  private readonly requests = new Map<string, number>();
  private readonly sent: Uint8Array[] = [];
  private turns: (() => void)[] = [];
  private answered = 0;
  private pushes = 0;
  private shipper!: Shipper;
  private receiver!: Receiver;
  private whole!: JournalImage;

  constructor(private readonly stepBytes: number) {}

  /** The stream of a standby that comes, or comes again. */
  join(): void {
    this.shipper?.close();
    this.sent.length = 0;
    this.turns = [];
    const { harness, journal, stepBytes } = this;
    const link = {
      send: (message: Uint8Array) => void this.sent.push(message),
      drop: (reason: string) => {
        throw new Error(reason);
      },
    };
    const gate = new ConfirmationGate(
      { mode: 'async', onTimeout: 'degrade', timeout: 200 },
      () => journal.position,
      harness.clock,
    );
    this.shipper = new Shipper(
      { batchSize: 3, bufferSize: 10_000 },
      {
        source: journal,
        epoch: 1,
        gate,
        link,
        metrics: harness.metrics.replication,
        clock: harness.clock,
        log: silentLogger(),
        soon: (run) => void this.turns.push(run),
        stepBytes,
      },
    );
    this.whole = this.standby.image;
    this.receiver = new Receiver(
      this.standby,
      () => true,
      () => undefined,
    );
  }

  run({ op, who, size }: { op: Op; who: number; size: number }): void {
    const { harness } = this;
    const openid = OPENIDS[who] as string;
    const client = this.clients.get(openid);
    const connected = client !== undefined && client.closed === null;
    const content = `${this.pushes++}${'x'.repeat(size % 500)}`;
    switch (op) {
      case 'connect':
        this.clients.set(openid, harness.started(openid));
        break;
      case 'lose':
        client?.link.lose();
        harness.settle();
        break;
      case 'stop':
        if (connected) client.stop();
        break;
      case 'request': {
        const number = (this.requests.get(openid) ?? 0) + 1;
        this.requests.set(openid, number);
        if (connected) client.business(number, content);
        break;
      }
      case 'answer':
        if (this.answered < harness.router.seen.length) harness.answer(this.answered++);
        break;
      case 'ack':
        if (connected) client.ack(client.seqs.at(-1) ?? 0);
        break;
      case 'push':
        harness.push(openid, { content, syncHint: size % 3, bindClientSeqId: size % 4 });
        break;
      case 'pushKeyed':
        harness.push(openid, { content, idempotencyKey: `key ${size % 40}` });
        break;
      case 'broadcast':
        harness.broadcast(content);
        break;
      case 'wait':
        harness.advance(size);
        break;
      case 'again':
        this.join();
        break;
      case 'turn':
        this.turn();
        break;
      case 'deliver':
        this.deliver(1 + (size % 3));
    }
  }

  /** Turns pass until the standby has everything. */
  finish(): void {
    for (let turns = 0; !this.receiver.complete || this.sent.length > 0; turns++) {
      if (turns > 100_000) throw new Error('the snapshot does not end');
      this.turn();
      this.deliver(1);
    }
    this.journal.flush();
    this.deliver(Infinity);
  }

  private turn(): void {
    for (const run of this.turns.splice(0)) run();
  }

  private deliver(most: number): void {
    for (let left = most; left > 0; left--) {
      const message = this.sent.shift();
      if (message === undefined) return;
      const { shipment } = decodeMessage(FromPrimary, message);
      const { complete } = this.receiver;
      const { number, position } = this.receiver.take(shipment ?? {});
      if (!complete && !this.receiver.complete) expect(this.standby.image).toBe(this.whole);
      this.shipper.onConfirmation(number, position);
    }
  }
}

describe('a snapshot that is made in steps while everything goes on', () => {
  test('leads with its tail to what the primary has, and shows only when it is whole', () => {
    const course = fc.array(event, { minLength: 20, maxLength: 150 });
    fc.assert(
      fc.property(course, course, fc.integer({ min: 1, max: 900 }), (before, during, stepBytes) => {
        const crowd = new Crowd(stepBytes);
        crowd.join();
        for (const item of before) crowd.run(item);
        crowd.join();
        for (const item of during) crowd.run(item);
        crowd.finish();
        expectSameState(crowd.standby.image.records(), crowd.harness.service.archive.snapshot());
      }),
      { numRuns },
    );
  });
});
