import { afterEach, describe, expect, test } from '@jest/globals';
import { ClientBench } from '../../../../support/client-bench.js';
import { turns } from '../../../../support/fake-gateway.js';
import type { CoreClientOptions } from '../../../../../src/sdk/client/core/options.js';

const { codeOf } = ClientBench;
/** Longer than any test lets pass: what waits for it stays. */
const ASKED_MS = 60_000;
let bench: ClientBench;

/** A client whose gateway refuses every request unexecuted and asks for a long wait. */
async function refusing(options: Partial<CoreClientOptions> = {}): Promise<void> {
  bench = new ClientBench({ requestTimeoutMs: 0, ackDelayMs: 0, ...options });
  await bench.connect();
  bench.gateway.onBusiness = (connection, { msgId }) => {
    const detail = `retry_after_ms=${ASKED_MS}`;
    connection.error(msgId, bench.gateway.nextPush++, 503, 'busy', detail);
  };
}

/** Makes requests one after another, each refused before the next. @returns how many were not taken. */
async function ask(count: number, bytes: number): Promise<number> {
  let full = 0;
  for (let made = 0; made < count; made++) {
    const code = codeOf(bench.client.request('x', { data: new Uint8Array(bytes) }));
    void code.then((text) => (full += text === 'REQUEST_QUEUE_FULL' ? 1 : 0));
    await turns();
  }
  return full;
}

afterEach(() => bench.client.close());

describe('requests that wait to be sent again after a refusal', () => {
  test('count as waiting: by number', async () => {
    await refusing({ maxQueued: 5 });
    expect(await ask(12, 10)).toBe(7);
    expect([bench.client.inFlight, bench.client.queued]).toEqual([0, 5]);
  });

  test('and by bytes, until they go again', async () => {
    await refusing({ maxQueuedBytes: 2_500 });
    expect(await ask(4, 1_000)).toBe(2);
    expect(bench.client.queued).toBe(2);
    bench.gateway.onBusiness = (connection, request) => bench.gateway.echo(connection, request);
    await bench.pass(ASKED_MS + 1_000, 1_000);
    expect([bench.client.inFlight, bench.client.queued]).toEqual([0, 0]);
    expect((await bench.client.request('y', { data: new Uint8Array(2_000) })).message).toBe('y');
  });

  test('leave no timer behind when the client closes', async () => {
    await refusing();
    const codes = [1, 2, 3].map((n) => codeOf(bench.client.request(`r${n}`)));
    await turns();
    expect(bench.client.queued).toBe(3);
    bench.client.close();
    expect(await Promise.all(codes)).toEqual(Array(3).fill('CLIENT_CLOSED'));
    expect([bench.client.queued, bench.clock.pending]).toEqual([0, 0]);
  });

  test('are forgotten when their time is over or their caller aborts', async () => {
    await refusing();
    // The connection counts as a good one from here on: what ticks now is its heartbeat.
    await bench.pass(6_000, 500);
    const idle = bench.clock.pending;
    const abort = new AbortController();
    const aborted = codeOf(bench.client.request('a', { signal: abort.signal }));
    const timed = codeOf(bench.client.request('b', { timeoutMs: 6_000 }));
    await turns();
    expect(bench.client.queued).toBe(2);
    abort.abort();
    expect([await aborted, bench.client.queued]).toEqual(['REQUEST_ABORTED', 1]);
    await bench.pass(7_000, 500);
    expect([await timed, bench.client.queued]).toEqual(['REQUEST_TIMEOUT', 0]);
    expect(bench.clock.pending).toBe(idle);
    await bench.pass(ASKED_MS + 1_000, 1_000);
    expect(bench.gateway.last.requests.map(({ action }) => action)).toEqual(['a', 'b']);
  });
});
