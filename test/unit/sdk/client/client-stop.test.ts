import { afterEach, describe, expect, test } from '@jest/globals';
import type { ResumeStore } from '../../../../src/sdk/client/index.js';
import type { CoreClientOptions } from '../../../../src/sdk/client/core/options.js';
import { ClientBench } from '../../../support/client-bench.js';
import { turns } from '../../../support/fake-gateway.js';

/** Requests of this size fill any Link before maxInFlight does. */
const LARGE = new Uint8Array(200_000);

let bench: ClientBench;
let saved: unknown;

/** A connected client whose gateway reads no further, and whose Link has no room left. */
async function jammed(options: Partial<CoreClientOptions> = {}): Promise<void> {
  saved = null;
  const store: ResumeStore = { load: () => saved, save: (state) => void (saved = state) };
  bench = new ClientBench({ store, ...options });
  bench.gateway.onBusiness = () => undefined;
  await bench.connect();
  bench.gateway.last.link.pause();
  while (bench.client.queued === 0) {
    expect(bench.client.inFlight).toBeLessThan(64);
    void bench.client.request('fill', { data: LARGE }).catch(() => undefined);
  }
}

afterEach(() => {
  bench.client.close();
  expect(bench.clock.pending).toBe(0);
});

describe('stop without room for STOP', () => {
  test('waits for room, and forgets the session once STOP was sent', async () => {
    await jammed();
    const stopping = bench.client.stop('user_logout');
    await bench.pass(1_500);
    expect([bench.client.state, bench.gateway.last.stops]).toEqual(['stopping', []]);
    expect(saved).toMatchObject({ sessionId: 's-1' });
    bench.gateway.last.link.resume();
    await stopping;
    expect(bench.gateway.last.stops.map(({ reason }) => reason)).toEqual([1]);
    expect([bench.log.at(-1), saved]).toEqual(['closed:stopped', null]);
  });

  test('gives up in the end, and keeps the session: the gateway keeps it too', async () => {
    await jammed();
    const stopping = bench.client.stop();
    await bench.pass(2_100);
    await stopping;
    expect(bench.log.at(-1)).toBe('closed:stopped');
    expect(saved).toMatchObject({ sessionId: 's-1' });
  });

  test('sends the acknowledgement first that found no room either', async () => {
    await jammed();
    bench.gateway.last.push(1, 'a');
    await bench.pass(50, 10);
    const stopping = bench.client.stop();
    bench.gateway.last.link.resume();
    await stopping;
    expect([bench.gateway.last.acks, bench.gateway.last.stops.length]).toEqual([[1], 1]);
  });

  test('is not cut short by a move that the gateway asked for', async () => {
    await jammed();
    bench.gateway.last.error(0, 0, 503, 'draining', 'retry_after_ms=100');
    await turns();
    const stopping = bench.client.stop();
    await bench.pass(500);
    bench.gateway.last.link.resume();
    await stopping;
    expect(bench.gateway.last.stops).toHaveLength(1);
  });

  test('nor by the pushes that were left for want of room', async () => {
    await jammed({ maxWaitingPushes: 1 });
    const loop = bench.client.pushes();
    bench.gateway.last.push(1, 'taken');
    await bench.pass(1_100);
    bench.gateway.last.push(2, 'left');
    await turns();
    const stopping = bench.client.stop();
    expect((await loop.next()).value?.title).toBe('taken');
    await turns();
    bench.gateway.last.link.resume();
    await stopping;
    expect(bench.gateway.last.stops).toHaveLength(1);
  });

  test('ends at once where the connection is lost meanwhile, and keeps the session', async () => {
    await jammed();
    const stopping = bench.client.stop();
    bench.cut();
    await stopping;
    expect(bench.log.at(-1)).toBe('closed:stopped');
    expect(saved).toMatchObject({ sessionId: 's-1' });
  });
});
