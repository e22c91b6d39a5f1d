import { expect, test } from '@jest/globals';
import { FULL_READ } from '../../../src/base/catch-up.js';
import {
  BYTES_PER_TURN,
  MAX_UNWRITTEN,
  PushTurns,
  SESSIONS_PER_CROWDED_TURN,
  SESSIONS_PER_TURN,
} from '../../../src/session/push-turns.js';
import type { PushReceiver } from '../../../src/session/push-turns.js';

class Receiver implements PushReceiver {
  writeQueued = false;
  active = true;
  unwritten = 1;

  constructor(
    readonly name: number,
    private readonly written: number[],
    private readonly bytes: number,
  ) {}

  pump(): number {
    this.written.push(this.name);
    this.unwritten = 0;
    return this.bytes;
  }
}

/** Turns that come when the test says so. */
function turnsOf(count: number, bytes = 100) {
  const tasks: (() => void)[] = [];
  const written: number[] = [];
  const read = { datagrams: 0 };
  const soon = (run: () => void) => void tasks.push(run);
  const turns = new PushTurns({ soon, datagramsRead: () => read.datagrams });
  const receivers = Array.from({ length: count }, (_, name) => new Receiver(name, written, bytes));
  const turn = () => {
    for (const task of tasks.splice(0)) task();
    return written.length;
  };
  return { turns, receivers, written, read, turn, tasks };
}

const upTo = (count: number) => Array.from({ length: count }, (_, name) => name);

test('a push of its own is written at once while the turn has room, others in theirs, in order', () => {
  const { turns, receivers, written, turn, tasks } = turnsOf(2 * SESSIONS_PER_TURN + 1);
  for (const receiver of receivers) turns.writeSoon(receiver);
  expect(written).toEqual(upTo(SESSIONS_PER_TURN));
  expect([turns.length, turns.queued]).toEqual([SESSIONS_PER_TURN + 1, SESSIONS_PER_TURN + 1]);
  expect(turn()).toBe(2 * SESSIONS_PER_TURN);
  expect([turns.length, turns.served]).toEqual([1, SESSIONS_PER_TURN]);
  turn();
  expect(written).toEqual(upTo(2 * SESSIONS_PER_TURN + 1));
  expect([turns.served, tasks]).toEqual([turns.queued, []]);
});

test('what waits does not keep a push of its own from being written at once', () => {
  const { turns, receivers, written, turn } = turnsOf(2 * SESSIONS_PER_TURN);
  for (const receiver of receivers) turns.enqueue(receiver);
  expect(written).toEqual([]);
  const last = receivers.at(-1) as Receiver;
  turns.writeSoon(last);
  expect(written).toEqual([last.name]);
  expect(turn()).toBe(1 + SESSIONS_PER_TURN);
  turns.writeSoon(last);
  expect(written.at(-1)).toBe(last.name);
});

test('who waits already waits once, who has no Link does not', () => {
  const { turns, receivers, turn } = turnsOf(2);
  const [here, away] = receivers as [Receiver, Receiver];
  away.active = false;
  for (const each of [here, here, away]) turns.enqueue(each);
  turns.writeSoon(away);
  expect([turns.length, turn()]).toEqual([1, 1]);
  turns.enqueue(here);
  expect(turn()).toBe(2);
});

test('who has much unwritten does not wait', () => {
  const { turns, receivers, written } = turnsOf(SESSIONS_PER_TURN + 2);
  const [little, much] = receivers.slice(-2) as [Receiver, Receiver];
  for (const receiver of receivers.slice(0, SESSIONS_PER_TURN)) turns.writeSoon(receiver);
  little.unwritten = MAX_UNWRITTEN - 1;
  much.unwritten = MAX_UNWRITTEN;
  turns.writeSoon(little);
  turns.writeSoon(much);
  expect(written.slice(SESSIONS_PER_TURN)).toEqual([much.name]);
});

test('large frames fill a turn, at once or later; one always goes', () => {
  const { turns, receivers, turn, written } = turnsOf(5, BYTES_PER_TURN / 2);
  for (const receiver of receivers) turns.writeSoon(receiver);
  expect(written).toEqual([0, 1]);
  expect([turn(), turn()]).toEqual([4, 5]);
  const huge = turnsOf(2, 2 * BYTES_PER_TURN);
  for (const receiver of huge.receivers) huge.turns.enqueue(receiver);
  expect([huge.turn(), huge.turn()]).toEqual([1, 2]);
});

test('what is written to nobody costs no place', () => {
  const { turns, receivers, turn } = turnsOf(3 * SESSIONS_PER_TURN, 0);
  for (const receiver of receivers) turns.enqueue(receiver);
  expect(turn()).toBe(3 * SESSIONS_PER_TURN);
});

test('few are written to in a turn that read as much as a turn can', () => {
  const { turns, receivers, read, turn } = turnsOf(4 * SESSIONS_PER_TURN);
  for (const receiver of receivers) turns.enqueue(receiver);
  const written = [FULL_READ, FULL_READ + 5, FULL_READ - 1, 0].map((datagrams) => {
    read.datagrams += datagrams;
    return turn();
  });
  const few = 2 * SESSIONS_PER_CROWDED_TURN;
  expect(written).toEqual([few / 2, few, few + SESSIONS_PER_TURN, few + 2 * SESSIONS_PER_TURN]);
});

test('it rests when nothing is left, and is as fresh afterwards', () => {
  const { turns, receivers, read, turn, tasks, written } = turnsOf(SESSIONS_PER_TURN);
  for (const receiver of receivers) turns.writeSoon(receiver);
  read.datagrams += FULL_READ;
  turn();
  expect(tasks).toEqual([]);
  for (const receiver of receivers) turns.writeSoon(receiver);
  expect(written).toHaveLength(2 * SESSIONS_PER_TURN);
});
