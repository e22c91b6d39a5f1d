import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import dgram from 'node:dgram';
import type { Socket } from 'node:dgram';
import { STALL_MS, SystemClock } from '../../../src/base/clock.js';
import { until } from '../../support/until.js';

const clock = new SystemClock();
let socket: Socket;
let seen: string[];

beforeEach(async () => {
  seen = [];
  socket = dgram.createSocket('udp4');
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  const { port } = socket.address();
  await new Promise<void>((done) => socket.connect(port, '127.0.0.1', done));
  socket.on('message', () => seen.push('datagram'));
});

afterEach(() => {
  socket.close();
});

function standStill(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Sets a timer and sends itself a datagram, and stands still in the same turn: both are late. */
const sendAndStandStill = (setTimer: () => void): Promise<void> =>
  new Promise((done) =>
    setImmediate(() => {
      setTimer();
      socket.send('a word');
      standStill(2 * STALL_MS);
      done();
    }),
  );

describe('SystemClock', () => {
  it('runs what a stall made late after what came meanwhile was read', async () => {
    await sendAndStandStill(() => clock.after(1, () => seen.push('timer')));
    await until(() => seen.includes('timer'), 'the timer');
    expect(seen).toEqual(['datagram', 'timer']);
  });

  it('may be told meanwhile not to run it', async () => {
    await sendAndStandStill(() =>
      socket.on(
        'message',
        clock.after(1, () => seen.push('timer')),
      ),
    );
    await until(() => seen.includes('datagram'), 'the datagram');
    await new Promise((done) => setTimeout(done, 20));
    expect(seen).toEqual(['datagram']);
  });
});
