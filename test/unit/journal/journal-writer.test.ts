import { describe, expect, test } from '@jest/globals';
import { JournalImage } from '../../../src/journal/journal-image.js';
import { JournalWriter } from '../../../src/journal/journal-writer.js';
import type { JournalBatch } from '../../../src/journal/journal.js';
import { encodePushFrame } from '../../../src/wire/frame-encoder.js';
import { SessionState, StateRecord } from '../../../src/wire/messages.js';
import { FakeClock } from '../../support/fake-clock.js';

const frame = encodePushFrame(0, 1, Buffer.from([24, 3]));

class Bench {
  readonly clock = new FakeClock();
  readonly turns: (() => void)[] = [];
  readonly batches: JournalBatch[] = [];
  readonly journal = new JournalWriter(this.clock, 0, (run) => void this.turns.push(run));

  constructor() {
    this.journal.attach({
      take: (batch) => this.batches.push({ ...batch, bytes: Buffer.from(batch.bytes) }),
    });
  }

  endTurn(): void {
    for (const run of this.turns.splice(0)) run();
  }
}

describe('JournalWriter', () => {
  test('a turn is one batch, and turns without entries are none', () => {
    const { journal, batches, turns, ...bench } = new Bench();
    // The first entry of all is the time.
    expect(journal.loggedIn(7)).toBe(2);
    expect(journal.frame(7, { msgId: 0, clientSeq: 0, frame, moved: false }, null)).toBe(3);
    expect([batches.length, turns.length, journal.newest]).toEqual([0, 1, 3]);
    for (const run of turns.splice(0)) run();
    expect(batches.map(({ first, count }) => [first, count])).toEqual([[1, 3]]);
    journal.flush();
    expect([batches.length, journal.acknowledged(7, 1)]).toEqual([1, 4]);
    bench.clock.advance(5_000);
    journal.flush();
    expect(batches[1]).toMatchObject({ first: 4, count: 1 });
  });

  test('a request leaves with the call stack that accepted it', async () => {
    const { journal, batches } = new Bench();
    journal.seen(1, 5, 1, 0);
    expect(batches).toHaveLength(0);
    await Promise.resolve();
    expect(batches).toHaveLength(1);
  });

  test('what a sink causes while it takes a batch goes into the next one', () => {
    const { journal, batches } = new Bench();
    let again = true;
    journal.attach({
      take: () => {
        if (again) journal.loggedIn(9);
        again = false;
      },
    });
    journal.loggedIn(8);
    journal.flush();
    journal.flush();
    expect(batches.map(({ first, count }) => [first, count])).toEqual([
      [1, 2],
      [3, 1],
    ]);
  });

  test('also where that sink asks for the position meanwhile', () => {
    const { journal, batches } = new Bench();
    let again = true;
    const heard: number[] = [];
    journal.attach({
      take: ({ bytes }) => {
        if (again) {
          again = false;
          journal.loggedIn(9);
          expect(journal.position).toBe(3);
          journal.acknowledged(9, 1);
        }
        heard.push(bytes.length);
      },
    });
    journal.loggedIn(8);
    journal.flush();
    journal.flush();
    const image = new JournalImage();
    for (const batch of batches) image.apply(batch);
    expect([image.position, batches.length, heard.length]).toEqual([4, 3, 3]);
  });

  test('a sink gets nothing that was written before it came', () => {
    const { journal, batches } = new Bench();
    const late: number[] = [];
    journal.loggedIn(1);
    journal.attach({ take: ({ first }) => late.push(first) });
    journal.loggedIn(1);
    journal.flush();
    expect([batches.map(({ first }) => first), late]).toEqual([[1, 3], [3]]);
  });

  test('another history takes the place of what was not sent yet, and goes on behind its own position', () => {
    const { journal, batches } = new Bench();
    journal.loggedIn(1);
    journal.resumeAt(40);
    journal.flush();
    expect([batches, journal.newest]).toEqual([[], 40]);
    expect(journal.loggedIn(1)).toBe(42);
    journal.flush();
    // With a moment of its own.
    expect(batches).toMatchObject([{ first: 41, count: 2 }]);
  });

  test('one that goes on behind a position never goes back', () => {
    const { journal } = new Bench();
    journal.continueFrom(7);
    journal.continueFrom(5);
    expect(journal.newest).toBe(7);
  });

  test('what another gateway wrote is passed on as it is, and followed', () => {
    const { journal, batches } = new Bench();
    journal.relay({ first: 1, count: 5, bytes: Buffer.from('theirs') });
    expect(batches).toEqual([{ first: 1, count: 5, bytes: Buffer.from('theirs') }]);
    expect([journal.newest, journal.loggedIn(1)]).toEqual([5, 7]);
  });

  test('a push that waited elsewhere before says so, with a key and without', () => {
    const { journal, batches } = new Bench();
    const image = new JournalImage();
    journal.opened(new SessionState({ id: 'a', handle: 1, firstSeq: 1, nextSeq: 1 }));
    const key = { key: 'k', digest: 'd', plainDigest: '', ttl: 9_000 };
    const entry = (seq: number, moved: boolean) => {
      const bytes = encodePushFrame(0, seq, Buffer.from([24, 3]));
      return { msgId: 0, clientSeq: 0, frame: bytes, moved };
    };
    journal.frame(1, entry(1, true), null);
    journal.frame(1, entry(2, false), null);
    journal.frame(1, entry(3, true), key);
    journal.frame(1, entry(4, false), key);
    journal.flush();
    for (const batch of batches) image.apply(batch);
    const outbox = [...image.records()].find(({ session }) => session)?.session?.outbox ?? [];
    expect(outbox.map(({ moved }) => moved)).toEqual([true, false, true, false]);
  });

  test('asking for the position or a snapshot sends what waits first; a detached sink gets no more', () => {
    const bench = new Bench();
    const { journal } = bench;
    const late: number[] = [];
    journal.describe(() => [new StateRecord({ header: { version: 1 } })]);
    journal.loggedIn(1);
    expect(journal.position).toBe(2);
    const detach = journal.attach({ take: ({ first }) => late.push(first) });
    journal.loggedIn(1);
    expect([...journal.snapshot()]).toHaveLength(1);
    detach();
    journal.loggedIn(1);
    bench.endTurn();
    expect([late, bench.batches.length]).toEqual([[3], 3]);
  });

  test('a large batch does not wait for the end of a long turn', () => {
    const { journal, batches } = new Bench();
    const large = encodePushFrame(0, 1, Buffer.alloc(900_000));
    for (let index = 0; index < 10; index++) {
      journal.frame(1, { msgId: 0, clientSeq: 0, frame: large, moved: false }, null);
      journal.relieve();
    }
    expect(batches.length).toBe(2);
  });

  test('an obstacle stands until it is taken away', () => {
    const { journal } = new Bench();
    expect(journal.obstacle).toBeNull();
    const clear = journal.obstruct({ pushError: 'JOURNAL_FAILED', reason: 'disk full' });
    expect(journal.obstacle?.reason).toBe('disk full');
    clear();
    expect(journal.obstacle).toBeNull();
  });
});

describe('JournalImage', () => {
  function filled(): { bench: Bench; image: JournalImage } {
    const bench = new Bench();
    const image = new JournalImage();
    const { journal } = bench;
    journal.opened(
      new SessionState({ id: 'a', openid: 'alice', handle: 4, firstSeq: 1, nextSeq: 1 }),
    );
    const key = { key: 'k', digest: 'd', plainDigest: '', ttl: 9_000 };
    journal.frame(4, { msgId: 0, clientSeq: 0, frame, moved: false }, key);
    journal.registered({
      address: '127.0.0.1:1',
      zone: '001',
      serviceName: 's',
      capabilities: ['dedupe'],
      hostFromCaller: true,
    });
    journal.promoted({ epoch: 3, position: 5, id: 77, forgot: false });
    bench.endTurn();
    return { bench, image };
  }

  test('refuses a gap and a repeat, and stays as it was', () => {
    const { bench, image } = filled();
    const [batch] = bench.batches as [JournalBatch];
    expect(() => image.apply({ ...batch, first: 2 })).toThrow('entry 2 came where 1 was due');
    image.apply(batch);
    expect(() => image.apply(batch)).toThrow(
      expect.objectContaining({ code: 'JOURNAL_GAP' }) as unknown as Error,
    );
    expect([image.position, image.epoch, image.sessionCount]).toEqual([5, 3, 1]);
  });

  test('takes nothing of a batch that cannot be read, counts wrong or has an entry of a later version', () => {
    const { bench, image } = filled();
    const [batch] = bench.batches as [JournalBatch];
    const damaged = expect.objectContaining({ code: 'JOURNAL_DAMAGED' }) as unknown as Error;
    expect(() => image.apply({ ...batch, bytes: batch.bytes.subarray(1) })).toThrow(damaged);
    expect(() => image.apply({ ...batch, count: batch.count + 1 })).toThrow(damaged);
    // An entry with nothing but field 100, which a later version may have, empty.
    const later = Buffer.concat([batch.bytes, Buffer.from([3, 0xa2, 0x06, 0])]);
    expect(() => image.apply({ ...batch, count: batch.count + 1, bytes: later })).toThrow(damaged);
    expect([image.position, image.sessionCount]).toEqual([0, 0]);
  });

  test('gives back what restores it: what was appended counts as sent', () => {
    const { bench, image } = filled();
    for (const batch of bench.batches) image.apply(batch);
    const records = [...image.records()];
    expect(records.find(({ session }) => session)?.session).toMatchObject({
      nextSeq: 2,
      highestSent: 1,
      outbox: [{ frame: Buffer.from(frame) }],
    });
    expect(records.find(({ key }) => key)?.key).toEqual({
      key: 'k',
      digest: 'd',
      plainDigest: '',
      ttl: 9_000,
    });
    expect(records.find(({ registration }) => registration)?.registration).toMatchObject({
      address: '127.0.0.1:1',
      capabilities: ['dedupe'],
    });
    image.reset(image.position, records);
    expect([...image.records()]).toEqual(records);
    expect(image.position).toBe(5);
  });

  test.each([
    ['years ahead', 3e11],
    ['years back', -3e11],
  ])('a wall clock that is set %s takes no time to live away and gives none', (_, step) => {
    const { bench, image } = filled();
    bench.journal.offlineAdded('bob', Buffer.from('x'), 9_000, null);
    bench.endTurn();
    bench.clock.stepWall(step);
    bench.clock.advance(2_000);
    bench.journal.loggedIn(4);
    bench.endTurn();
    for (const batch of bench.batches) image.apply(batch);
    const records = [...image.records()];
    expect(records.find(({ key }) => key)?.key?.ttl).toBe(7_000);
    expect(records.find(({ offlinePush }) => offlinePush)?.offlinePush?.ttl).toBe(7_000);
  });

  test('a record of a snapshot replaces what entries told before it', () => {
    const { bench, image } = filled();
    for (const batch of bench.batches) image.apply(batch);
    const session = {
      id: 'a',
      openid: 'alice',
      handle: 4,
      firstSeq: 1,
      nextSeq: 5,
      highestSent: 4,
    };
    image.set(new StateRecord({ session: new SessionState(session) }));
    const offlinePush = { openid: 'bob', body: Buffer.from('x'), ttl: 10, waiting: 1 };
    image.set(new StateRecord({ offlinePush }));
    image.set(new StateRecord({ offlinePush }));
    const records = [...image.records()];
    expect(records.find((record) => record.session)?.session).toMatchObject({
      outbox: [],
      nextSeq: 5,
    });
    expect(records.filter((record) => record.offlinePush)).toHaveLength(1);
  });
});
