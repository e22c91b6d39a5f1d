import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { LoadSession } from '../../../src/bench/client/load-session.js';
import { SteadyHeartbeats } from '../../../src/bench/client/steady-heartbeats.js';

const EVERY_MS = 1_000;
let faults: string[];
let sent: { session: LoadSession; stamp: number }[];
let beats: SteadyHeartbeats;

beforeEach(() => {
  jest.useFakeTimers();
  [faults, sent] = [[], []];
  beats = new SteadyHeartbeats(EVERY_MS, ({ openid }, reason) =>
    faults.push(`${openid}: ${reason}`),
  );
});

afterEach(() => {
  beats.stop();
  jest.useRealTimers();
});

function sessionOf(openid: string): LoadSession & { ended: boolean } {
  const heartbeat = (stamp: number) => void sent.push({ session, stamp });
  const session = { openid, ended: false, heartbeat } as unknown as LoadSession & {
    ended: boolean;
  };
  return session;
}

function answerAll(): void {
  for (const { session, stamp } of sent.splice(0)) beats.onAnswer(session, stamp);
}

test('each session beats from its own start', () => {
  beats.add(sessionOf('a'));
  jest.advanceTimersByTime(500);
  beats.add(sessionOf('b'));
  jest.advanceTimersByTime(600);
  expect(sent.map(({ session }) => session.openid)).toEqual(['a']);
  jest.advanceTimersByTime(500);
  expect(sent.map(({ session }) => session.openid)).toEqual(['a', 'b']);
  answerAll();
  expect([beats.sent, beats.answered, beats.open, faults]).toEqual([2, 2, 0, []]);
});

test('a late answer makes those behind it late too: none is left out', () => {
  beats.add(sessionOf('a'), 0);
  jest.advanceTimersByTime(4_100);
  answerAll();
  const { count, min, max } = beats.latencies.figures();
  expect(count).toBe(5);
  expect(min).toBeLessThan(200);
  expect(max).toBeGreaterThanOrEqual(4_000);
});

test('wrong and missing answers are faults; whoever has ended beats no more', () => {
  const session = sessionOf('a');
  beats.add(session, 0);
  jest.advanceTimersByTime(100);
  beats.onAnswer(session, -1);
  expect(faults).toEqual(['a: a heartbeat with a wrong answer']);
  jest.advanceTimersByTime(20_000);
  expect(faults).toContain('a: a heartbeat without an answer');
  session.ended = true;
  expect(beats.open).toBe(0);
  const before = beats.sent;
  jest.advanceTimersByTime(5_000);
  expect(beats.sent).toBe(before);
});
