import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ProgressLine } from '../../../../src/cli/bench/progress-line.js';

let written: string;
let waitingFor: string | null;

beforeEach(() => {
  jest.useFakeTimers();
  written = '';
  waitingFor = 'UDP 127.0.0.1:9';
});

afterEach(() => {
  jest.useRealTimers();
});

function started(isTTY: boolean): ProgressLine {
  const output = { isTTY, write: (text: string) => void (written += text) };
  const read = () => ({ phase: 'connecting', share: 0.5, done: 12, waitingFor }) as const;
  const line = new ProgressLine(output, read);
  line.start();
  return line;
}

test('a log is told once whom the run waits for', () => {
  const line = started(false);
  jest.advanceTimersByTime(1_900);
  expect(written).toBe('');
  jest.advanceTimersByTime(10_000);
  expect(written).toBe(
    'gatesvr: no answer from UDP 127.0.0.1:9 yet; --timeout says how long to wait\n',
  );
  line.stop();
  expect(written.endsWith('\n')).toBe(true);
});

test.each(['the gateway answered', 'the run has ended'])('a log stays empty: %s', (why) => {
  const line = started(false);
  if (why === 'the gateway answered') waitingFor = null;
  else line.stop();
  jest.advanceTimersByTime(10_000);
  line.stop();
  expect(written).toBe('');
});

test('a terminal shows whom the run waits for, then how far it is, and is left clean', () => {
  const line = started(true);
  jest.advanceTimersByTime(100);
  expect(written).toContain('connecting waiting for UDP 127.0.0.1:9');
  waitingFor = null;
  jest.advanceTimersByTime(100);
  expect(written).toMatch(/connecting \[#{15}\.{15}\] {2}50 % {2}12$/);
  line.stop();
  expect(written.endsWith('\r\u001b[K')).toBe(true);
});
