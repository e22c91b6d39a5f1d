import { beforeEach, describe, expect, test } from '@jest/globals';
import { JournalImage } from '../../../src/journal/journal-image.js';
import { JournalWriter } from '../../../src/journal/journal-writer.js';
import { MAX_HOLES } from '../../../src/journal/limits.js';
import { ClientSequence } from '../../../src/session/client-sequence.js';
import { encodePushFrame } from '../../../src/wire/frame-encoder.js';
import { SessionState } from '../../../src/wire/messages.js';
import { FakeClock } from '../../support/fake-clock.js';

const HANDLE = 4;
const body = Buffer.from('body');
const frame = encodePushFrame(0, 1, body);

let journal: JournalWriter;
let image: JournalImage;

/** An image that follows a journal, with one session. */
beforeEach(() => {
  journal = new JournalWriter(new FakeClock(), 0, () => undefined);
  image = new JournalImage();
  journal.attach({ take: (batch) => image.apply(batch) });
  journal.opened(new SessionState({ id: 'a', handle: HANDLE, firstSeq: 1, nextSeq: 1 }));
});

function records() {
  journal.flush();
  return [...image.records()];
}

function session(): SessionState | undefined {
  const found = records().find((record) => record.session)?.session;
  return found ? new SessionState(found) : undefined;
}

test('the key of a push is known, wherever the push went', () => {
  const key = (name: string) => ({ key: name, digest: 'd', plainDigest: 'p', ttl: 9_000 });
  journal.frame(HANDLE, { msgId: 0, clientSeq: 0, frame, moved: false }, key('frame'));
  journal.bound(HANDLE, 1, body, key('bound'));
  journal.held(HANDLE, body, key('held'));
  journal.offlineAdded('bob', body, 9_000, key('offline'));
  journal.key(key('left nothing behind'));
  const keys = records().flatMap((record) => (record.key ? [record.key] : []));
  expect(keys).toEqual(
    ['frame', 'bound', 'held', 'offline', 'left nothing behind'].map((name) => key(name)),
  );
});

describe('a session', () => {
  test('has the numbers and holes of its client, as the gateway has them', () => {
    const sequence = new ClientSequence();
    const seen = (seq: number, skippedFrom = 0): void => {
      sequence.consume(seq);
      journal.seen(HANDLE, seq, seq, skippedFrom);
    };
    seen(5);
    seen(6);
    for (let jump = 1; jump <= MAX_HOLES + 2; jump++) seen(6 + 3 * jump, 4 + 3 * jump);
    seen(100_000, sequence.next);
    const { clientBase: base, clientNext: next, holes } = session() ?? new SessionState();
    expect({ base, next, holes }).toEqual(sequence.snapshot());
    expect(holes).toHaveLength(MAX_HOLES);
  });

  test('holds what waits for its login until then', () => {
    journal.held(HANDLE, body, null);
    journal.held(HANDLE, body, null);
    expect(session()).toMatchObject({ held: [body, body], loggedIn: false });
    journal.loggedIn(HANDLE);
    expect(session()).toMatchObject({ held: [], loggedIn: true });
  });

  test('has a request unanswered, with what follows its answer, until the answer is there', () => {
    journal.seen(HANDLE, 11, 1, 0);
    journal.seen(HANDLE, 12, 2, 0);
    journal.bound(HANDLE, 2, body, null);
    const answer = { msgId: 11, clientSeq: 1, frame, moved: false };
    journal.frame(HANDLE, answer, null);
    expect(session()).toMatchObject({
      unanswered: [{ msgId: 12, clientSeq: 2, after: [body] }],
      outbox: [{ msgId: 11, clientSeq: 1, moved: false }],
      nextSeq: 2,
      highestSent: 1,
    });
  });

  test('counts as recovered when a number of its own is acknowledged, and not before', () => {
    journal.opened(
      new SessionState({ id: 'b', handle: HANDLE, firstSeq: 7, nextSeq: 7, unrecovered: true }),
    );
    journal.acknowledged(HANDLE, 6);
    expect(session()?.unrecovered).toBe(true);
    journal.acknowledged(HANDLE, 7);
    expect(session()?.unrecovered).toBe(false);
  });

  test('that ended is gone, and the floor stands where it left it', () => {
    journal.ended(HANDLE, 40);
    expect(session()).toBeUndefined();
    journal.ended(9, 30);
    expect(records()[0]?.header?.numberFloor).toBe(40);
  });
});

describe('an offline queue', () => {
  const left = () =>
    records().flatMap(({ offlinePush }) =>
      offlinePush ? [`${offlinePush.openid} ${offlinePush.moved} ${offlinePush.waiting}`] : [],
    );

  test('loses its oldest pushes, others keep theirs', () => {
    journal.offlineAdded('bob', body, 9_000, null);
    journal.offlineAdded('bob', body, 9_000, null, true);
    journal.offlineAdded('carol', body, 9_000, null);
    expect(left()).toEqual(['bob false 2', 'bob true 0', 'carol false 1']);
    journal.offlineRemoved('bob', 1);
    expect(left()).toEqual(['bob true 1', 'carol false 1']);
    journal.offlineRemoved('bob', 1);
    journal.offlineRemoved('nobody', 1);
    expect(left()).toEqual(['carol false 1']);
    journal.offlineAdded('bob', body, 9_000, null);
    expect(left()).toEqual(['carol false 1', 'bob false 1']);
  });
});

test('an upstream that went is gone, others stay', () => {
  const upstream = { zone: '001', serviceName: 's', capabilities: [], hostFromCaller: false };
  for (const address of ['a:1', 'b:1']) journal.registered({ ...upstream, address });
  journal.deregistered('a:1');
  const addresses = records().flatMap(({ registration }) => registration?.address ?? []);
  expect(addresses).toEqual(['b:1']);
});
