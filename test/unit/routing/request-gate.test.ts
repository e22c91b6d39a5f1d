import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { RequestGate } from '../../../src/routing/request-gate.js';
import { createLogger } from '../../../src/telemetry/log.js';

function gateOf(
  max: number,
  warnAt: number,
  maxBytes = Infinity,
): { gate: RequestGate; lines: string[] } {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const logger = createLogger({ level: 'warn', format: 'json' }, sink);
  return { gate: new RequestGate({ max, maxBytes, warnAt }, logger), lines };
}

test('warns once on the way up, and again only after it fell below', () => {
  const { gate, lines } = gateOf(10, 3);
  for (let index = 0; index < 5; index++) gate.enter(1);
  expect(lines).toHaveLength(1);
  for (let index = 0; index < 3; index++) gate.leave(1);
  gate.enter(1);
  expect(lines).toHaveLength(2);
});

test('does not warn again while the load hovers about its threshold', () => {
  const { gate, lines } = gateOf(100, 10);
  for (let index = 0; index < 10; index++) gate.enter(1);
  for (let times = 0; times < 3; times++) {
    gate.leave(1);
    gate.enter(1);
  }
  expect(lines).toHaveLength(1);
});

test('admits up to its limit, nothing once closed, and tells when it is empty', async () => {
  const { gate } = gateOf(2, Infinity);
  for (const bytes of [5, 7]) {
    expect(gate.refuses()).toBeNull();
    gate.enter(bytes);
  }
  expect(gate.refuses()).toBe('concurrency');
  gate.close();
  expect(gate.refuses()).toBe('stopping');
  let idle = false;
  const emptied = Promise.all([gate.idle(), gate.idle()]).then(() => (idle = true));
  gate.leave(5);
  await Promise.resolve();
  expect(idle).toBe(false);
  gate.leave(7);
  await emptied;
  await gate.idle();
});

test('admits while there are fewer bytes inside than its limit', () => {
  const { gate } = gateOf(Infinity, Infinity, 100);
  gate.enter(99);
  expect(gate.refuses()).toBeNull();
  gate.enter(50);
  expect([gate.refuses(), gate.bytes]).toEqual(['bytes', 149]);
  gate.leave(50);
  expect([gate.refuses(), gate.bytes]).toEqual([null, 99]);
});
