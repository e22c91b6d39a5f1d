import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { RequestGate } from '../../../src/routing/request-gate.js';
import { createLogger } from '../../../src/telemetry/log.js';

function gateOf(max: number, warnAt: number): { gate: RequestGate; lines: string[] } {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const logger = createLogger({ level: 'warn', format: 'json' }, sink);
  return { gate: new RequestGate({ max, warnAt }, logger), lines };
}

test('warns once on the way up, and again only after it fell below', () => {
  const { gate, lines } = gateOf(10, 3);
  for (let index = 0; index < 5; index++) gate.enter();
  expect(lines).toHaveLength(1);
  for (let index = 0; index < 3; index++) gate.leave();
  gate.enter();
  expect(lines).toHaveLength(2);
});

test('admits up to its limit, nothing once closed, and tells when it is empty', async () => {
  const { gate } = gateOf(2, Infinity);
  expect([gate.enter(), gate.enter(), gate.enter()]).toEqual([null, null, 'concurrency']);
  gate.close();
  expect(gate.enter()).toBe('stopping');
  let idle = false;
  const emptied = Promise.all([gate.idle(), gate.idle()]).then(() => (idle = true));
  gate.leave();
  await Promise.resolve();
  expect(idle).toBe(false);
  gate.leave();
  await emptied;
  await gate.idle();
});
