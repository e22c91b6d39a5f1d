import { describe, expect, it } from '@jest/globals';
import { ConfirmationGate } from '../../../src/replication/confirmation-gate.js';
import { splitBatch } from '../../../src/replication/journal-batches.js';
import { decodePart, encodePart } from '../../../src/replication/parts.js';
import type { ShipmentFields } from '../../../src/replication/parts.js';
import { Receiver } from '../../../src/replication/receiver.js';
import { Shipper } from '../../../src/replication/shipper.js';
import { STEP_BYTES } from '../../../src/journal/snapshot-feed.js';
import { silentLogger } from '../../../src/telemetry/log.js';
import { Metrics } from '../../../src/telemetry/metrics.js';
import { FromPrimary, decodeMessage } from '../../../src/wire/messages.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TextJournal, textBatch } from '../../support/replication-nodes.js';

function build({
  batchSize = 50,
  bufferSize = 100,
  texts = ['s1', 's2'],
  stepBytes = STEP_BYTES,
} = {}) {
  const clock = new FakeClock();
  const journal = new TextJournal();
  journal.texts = [...texts];
  const gate = new ConfirmationGate(
    { mode: 'sync', onTimeout: 'degrade', timeout: 200 },
    () => journal.position,
    clock,
  );
  const sent: Uint8Array[] = [];
  const dropped: string[] = [];
  const link = {
    send: (message: Uint8Array) => void sent.push(message),
    drop: (reason: string) => void dropped.push(reason),
  };
  const metrics = new Metrics().replication;
  const log = silentLogger();
  const turns: (() => void)[] = [];
  const soon = (run: () => void) => void turns.push(run);
  const shipper = new Shipper(
    { batchSize, bufferSize },
    { source: journal, epoch: 7, gate, link, metrics, clock, log, soon, stepBytes },
  );
  /** What was put off until the next turn. @returns whether there was anything. */
  const endTurn = () => {
    const due = turns.splice(0);
    for (const run of due) run();
    return due.length > 0;
  };
  const standby = new TextJournal();
  const snapshots: unknown[] = [];
  const receiver = new Receiver(
    standby,
    () => true,
    (...end) => void snapshots.push(end),
  );
  /** Turns pass, and everything sent reaches the standby, which confirms. */
  const deliver = () => {
    let caughtUp = false;
    do {
      for (let next = sent.shift(); next !== undefined; next = sent.shift()) {
        const { number, position } = receiver.take(shipmentOf(next));
        caughtUp = shipper.onConfirmation(number, position);
      }
    } while (endTurn() || sent.length > 0);
    return caughtUp;
  };
  return {
    clock,
    journal,
    gate,
    sent,
    dropped,
    metrics,
    shipper,
    standby,
    receiver,
    snapshots,
    deliver,
    endTurn,
  };
}

function shipmentOf(message: Uint8Array): ShipmentFields {
  return decodeMessage(FromPrimary, message).shipment as ShipmentFields;
}

describe('shipper and receiver', () => {
  it('ship a snapshot, then the tail', () => {
    const { journal, standby, snapshots, deliver, gate, endTurn } = build();
    endTurn();
    journal.append('t3');
    expect(deliver()).toBe(true);
    journal.append('t4', 't5');
    deliver();
    expect(standby.texts).toEqual(journal.texts);
    expect([snapshots, gate.confirmed, gate.degraded]).toEqual([[[7, 2]], 5, false]);
  });

  it('an empty snapshot is one, too', () => {
    const { standby, deliver, receiver } = build({ texts: [] });
    standby.texts = ['left over'];
    expect(deliver()).toBe(true);
    expect([standby.texts, receiver.complete]).toEqual([[], true]);
  });

  it('nothing changes before the end of the snapshot', () => {
    const texts = Array.from({ length: 20 }, () => 'x'.repeat(100_000));
    const { sent, standby, receiver, endTurn } = build({ texts });
    // Its former state has entries, too: they are none of this stream's.
    standby.texts = ['old', 'older'];
    while (endTurn());
    expect(sent.length).toBeGreaterThan(3);
    for (const message of sent.slice(0, -1)) {
      expect(receiver.take(shipmentOf(message)).position).toBe(0);
    }
    expect([standby.resets, receiver.complete]).toEqual([0, false]);
  });

  it('sends a turn in batches of at most batch_size entries', () => {
    const { journal, sent, standby, deliver } = build({ batchSize: 2 });
    deliver();
    journal.append('a', 'b', 'c', 'd', 'e');
    expect(sent).toHaveLength(3);
    deliver();
    expect(standby.texts.slice(2)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('a turn that took several parts shows whole or not at all, also within a snapshot', () => {
    for (const joining of [false, true]) {
      const texts = Array.from({ length: 30 }, (_, index) => `s${index}`);
      const { journal, sent, standby, receiver, deliver, endTurn } = build({
        ...(joining ? { texts, stepBytes: 10 } : {}),
        batchSize: 2,
      });
      if (joining) endTurn();
      else deliver();
      while (sent.length > 0) receiver.take(shipmentOf(sent.shift() as Uint8Array));
      const { position } = standby;
      journal.append('answer', 'pushed behind it', 'c', 'd', 'e');
      const parts = sent.splice(0);
      expect(parts).toHaveLength(3);
      const confirmed = parts.map((part) => receiver.take(shipmentOf(part)).position);
      expect(confirmed.slice(0, 2)).toEqual([0, 0].map(() => (joining ? 0 : position)));
      if (joining) continue;
      expect(confirmed[2]).toBe(position + 5);
      journal.append('next turn');
      deliver();
      expect(standby.texts).toEqual(journal.texts);
    }
  });

  it('nothing else may come within a turn', () => {
    const { journal, sent, receiver, deliver } = build({ batchSize: 1 });
    deliver();
    journal.append('a', 'b');
    receiver.take(shipmentOf(sent.shift() as Uint8Array));
    const afterSnapshotAndFirst = 4;
    const chunk = encodePart(afterSnapshotAndFirst, { chunk: { position: 3, records: [] } });
    expect(() => receiver.take(shipmentOf(chunk))).toThrow('within a turn');
  });

  it('holds back behind the window, and drops a standby that stays behind', () => {
    const { journal, sent, dropped, deliver, metrics, shipper, gate } = build({ bufferSize: 10 });
    deliver();
    for (let entry = 0; entry < 74; entry++) journal.append(`e${entry}`);
    expect([sent.length, dropped]).toEqual([64, []]);
    journal.append('one too many');
    expect(dropped).toHaveLength(1);
    expect([journal.sinkCount, metrics.resyncs.of('slow').value]).toEqual([0, 1]);
    journal.append('ignored');
    expect(sent).toHaveLength(64);
    expect(shipper.onConfirmation(3, 5)).toBe(false);
    expect(gate.confirmed).toBe(2);
  });

  it('bytes count as well', () => {
    const { journal, sent, deliver, shipper } = build({ bufferSize: 1_000_000 });
    deliver();
    const text = 'x'.repeat(16_000);
    for (let entry = 0; entry < 600; entry++) journal.append(text);
    const bytes = sent.reduce((sum, message) => sum + message.length, 0);
    expect(bytes).toBeLessThan(5 * 1024 * 1024);
    // Those behind the window as well: they are bounded, too.
    expect(shipper.lag.bytes).toBeGreaterThan(600 * 16_000);
  });

  it('a standby that joins may fall behind while its snapshot is under way', () => {
    const texts = Array.from({ length: 80 }, () => 'x'.repeat(100_000));
    const { journal, dropped, standby, deliver, endTurn } = build({ bufferSize: 10, texts });
    while (endTurn());
    for (let entry = 0; entry < 200; entry++) journal.append(`e${entry}`);
    expect(dropped).toEqual([]);
    while (standby.position < journal.position) deliver();
    expect(standby.texts).toEqual(journal.texts);
  });

  it('one that joins may also take its time to put the whole snapshot in place', () => {
    const { journal, dropped, standby, deliver, endTurn } = build({ bufferSize: 10 });
    while (endTurn());
    // All of the snapshot is on its way; nothing of it is confirmed yet.
    for (let entry = 0; entry < 200; entry++) journal.append(`e${entry}`);
    expect(dropped).toEqual([]);
    deliver();
    expect(standby.texts).toEqual(journal.texts);
    for (let entry = 0; entry < 75; entry++) journal.append(`later ${entry}`);
    expect(dropped).toHaveLength(1);
  });

  it('one that joins has joined once what waits is back within the bound', () => {
    const { journal, dropped, sent, shipper, receiver, endTurn } = build({ bufferSize: 10 });
    while (endTurn());
    for (let entry = 0; entry < 200; entry++) journal.append(`e${entry}`);
    const confirmNext = () => {
      const { number, position } = receiver.take(shipmentOf(sent.shift() as Uint8Array));
      shipper.onConfirmation(number, position);
    };
    while (!receiver.complete) confirmNext();
    journal.append('behind the end of the snapshot');
    expect(dropped).toEqual([]);
  });

  it('one that joins has not joined when it confirms the beginning of the snapshot', () => {
    const texts = Array.from({ length: 30 }, (_, index) => `s${index}`);
    const { journal, dropped, deliver, endTurn, standby, shipper, sent, receiver } = build({
      bufferSize: 10,
      texts,
      stepBytes: 10,
    });
    endTurn();
    const { number, position } = receiver.take(shipmentOf(sent.shift() as Uint8Array));
    shipper.onConfirmation(number, position);
    for (let entry = 0; entry < 200; entry++) journal.append(`e${entry}`);
    expect(dropped).toEqual([]);
    while (standby.position < journal.position) deliver();
    expect(standby.texts).toEqual(journal.texts);
  });

  it.each([
    ['a part', 4, 0],
    ['an entry', 3, 1],
  ])('a confirmation of %s that was never sent ends the stream', (_, number, ahead) => {
    const { shipper, dropped, journal, deliver, gate } = build();
    deliver();
    // Behind the snapshot and its end.
    journal.append('third part');
    expect(shipper.onConfirmation(3, journal.position)).toBe(true);
    expect(shipper.onConfirmation(number, journal.position + ahead)).toBe(false);
    expect(dropped).toEqual(['it confirmed what was never sent']);
    expect(gate.confirmed).toBe(journal.position);
  });

  it('tells its lag in entries, bytes and ms', () => {
    const { journal, shipper, deliver, clock } = build();
    deliver();
    expect(shipper.lag).toEqual({ frames: 0, bytes: 0, ms: 0 });
    journal.append('a', 'b');
    clock.advance(30);
    expect(shipper.lag).toMatchObject({ frames: 2, ms: 30 });
    expect(shipper.lag.bytes).toBeGreaterThan(3);
  });
});

describe('a snapshot in steps', () => {
  it('is made as the window has room, however many sessions there are', () => {
    const texts = Array.from({ length: 80 }, () => 'x'.repeat(100_000));
    const { sent, endTurn, deliver, journal, standby } = build({ texts });
    let turns = 0;
    while (endTurn()) turns++;
    const bytes = sent.reduce((sum, message) => sum + message.length, 0);
    expect(bytes).toBeLessThan(5 * 1024 * 1024);
    expect(turns).toBeGreaterThan(10);
    expect(Math.max(...sent.map(({ length }) => length))).toBeLessThan(400_000);
    deliver();
    expect(standby.texts).toEqual(journal.texts);
  });

  it('lets the journal go between its records', () => {
    const texts = Array.from({ length: 30 }, (_, index) => `s${index}`);
    const { sent, endTurn, deliver, journal, standby } = build({ texts, stepBytes: 10 });
    for (let turn = 0; turn < 5; turn++) {
      endTurn();
      journal.append(`t${turn}`);
    }
    const kinds = sent.map((message) => decodePart(shipmentOf(message)).content);
    expect(kinds.slice(0, 4)).toEqual(['chunk', 'batch', 'chunk', 'batch']);
    deliver();
    expect(standby.texts).toEqual(journal.texts);
  });

  it('waits for nothing once its stream is closed', () => {
    const { shipper, sent, endTurn, journal } = build();
    shipper.close();
    endTurn();
    expect([sent.length, journal.sinkCount]).toEqual([0, 0]);
  });
});

describe('what is too large for a message', () => {
  const most = (sent: readonly Uint8Array[]) => Math.max(...sent.map(({ length }) => length));

  it('comes in fragments: a session, and an entry', () => {
    const texts = ['small', 'x'.repeat(2_500_000), 'small, too'];
    const { sent, endTurn, deliver, journal, standby, shipper } = build({ texts });
    while (endTurn());
    expect(most(sent)).toBeLessThan(1_100_000);
    deliver();
    journal.append('before', 'y'.repeat(2_500_000), 'after');
    expect(most(sent)).toBeLessThan(1_100_000);
    deliver();
    expect(standby.texts).toEqual(journal.texts);
    expect(shipper.lag).toEqual({ frames: 0, bytes: 0, ms: 0 });
  });

  it('is cut between entries where that is enough, whatever batch_size says', () => {
    const { sent, deliver, journal, standby } = build({ batchSize: 100_000 });
    deliver();
    journal.append(...Array.from({ length: 30 }, () => 'z'.repeat(100_000)));
    expect(most(sent)).toBeLessThan(300_000);
    deliver();
    expect(standby.texts).toEqual(journal.texts);
  });

  it('is nothing before its last fragment, and nothing may come between', () => {
    const { sent, endTurn, deliver, journal, standby, receiver } = build();
    deliver();
    journal.append('y'.repeat(3_000_000));
    const [first] = sent;
    receiver.take(shipmentOf(first as Uint8Array));
    expect(standby.texts).toHaveLength(2);
    const { count, bytes } = textBatch(3, ['x']);
    const other = encodePart(4, { batch: { first: 3, count, entries: bytes } });
    expect(() => receiver.take(shipmentOf(other))).toThrow('within another');
    expect(standby.texts).toHaveLength(2);
    endTurn();
  });
});

describe('the receiver changes nothing for', () => {
  const tail = (number: number, first: number, texts = ['x']) => {
    const { count, bytes } = textBatch(first, texts);
    return shipmentOf(encodePart(number, { batch: { first, count, entries: bytes } }));
  };

  it.each([
    ['a repeated part', tail(2, 3)],
    ['a part ahead', tail(4, 3)],
    ['an entry that was there', tail(3, 2)],
    ['a gap in the entries', tail(3, 4)],
    ['an empty batch', tail(3, 3, [])],
    ['a wrong checksum', { ...tail(3, 3), checksum: 1 }],
    ['no part', {}],
    [
      'a snapshot within the tail',
      shipmentOf(encodePart(3, { chunk: { position: 2, records: [] } })),
    ],
    [
      'a second snapshot',
      shipmentOf(encodePart(3, { snapshotEnd: { epoch: 9, position: 0, records: 0 } })),
    ],
  ])('%s', (_, shipment) => {
    const { standby, receiver, deliver } = build();
    deliver();
    expect(() => receiver.take(shipment)).toThrow();
    expect([standby.texts, standby.resets]).toEqual([['s1', 's2'], 1]);
    expect(receiver.take(tail(3, 3)).position).toBe(3);
  });

  it('a snapshot that is not whole, or that it may not take', () => {
    const end = (records: number) =>
      shipmentOf(encodePart(1, { snapshotEnd: { epoch: 1, position: 1, records } }));
    const standby = new TextJournal();
    standby.texts = ['mine'];
    const strict = new Receiver(
      standby,
      () => false,
      () => undefined,
    );
    expect(() => strict.take(end(1))).toThrow('not whole');
    expect(() => strict.take(end(0))).toThrow('behind');
    expect(standby.texts).toEqual(['mine']);
  });

  it('a batch before the snapshot', () => {
    const receiver = new Receiver(
      new TextJournal(),
      () => true,
      () => undefined,
    );
    expect(() => receiver.take(tail(1, 1))).toThrow('before the snapshot');
  });
});

describe('splitting a batch', () => {
  it('finds entries of every length, also those with a length of two bytes', () => {
    const batch = textBatch(5, ['', 'x'.repeat(127), 'y'.repeat(128), 'z'.repeat(300), 'end']);
    const parts = splitBatch(batch, 2, Infinity);
    expect(parts.map(({ first, count }) => [first, count])).toEqual([
      [5, 2],
      [7, 2],
      [9, 1],
    ]);
    expect(Buffer.concat(parts.map(({ bytes }) => bytes))).toEqual(batch.bytes);
  });

  it('counts bytes as well as entries; a large one goes alone', () => {
    const batch = textBatch(1, ['a', 'b', 'x'.repeat(300), 'c', 'd', 'e', 'f']);
    const parts = splitBatch(batch, 3, 5);
    expect(parts.map(({ first, count }) => [first, count])).toEqual([
      [1, 2],
      [3, 1],
      [4, 2],
      [6, 2],
    ]);
    expect(Buffer.concat(parts.map(({ bytes }) => bytes))).toEqual(batch.bytes);
  });

  it('refuses a batch that ends within an entry', () => {
    const { bytes } = textBatch(1, ['abc', 'def']);
    expect(() => splitBatch({ first: 1, count: 2, bytes: bytes.subarray(0, 6) }, 1, 9)).toThrow(
      'within',
    );
    expect(() => splitBatch({ first: 1, count: 3, bytes }, 1, 9)).toThrow('within');
  });

  it('a part is read back as it was written', () => {
    const shipment = shipmentOf(
      encodePart(3, { snapshotEnd: { epoch: 1, position: 2, records: 4 } }),
    );
    expect(decodePart(shipment)).toMatchObject({
      number: 3,
      snapshotEnd: { epoch: 1, position: 2 },
    });
  });
});
