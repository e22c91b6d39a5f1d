import { afterEach, describe, expect, test } from '@jest/globals';
import type { Push } from '../../../../src/sdk/client/index.js';
import type { CoreClientOptions } from '../../../../src/sdk/client/core/options.js';
import type { FakeConnection } from '../../../support/fake-gateway.js';
import { turns } from '../../../support/fake-gateway.js';
import { ClientBench } from '../../../support/client-bench.js';

let bench: ClientBench;

afterEach(() => bench.client.close());

/** A client in a session whose gateway has sent this many pushes, titled by their numbers. */
async function withPushes(count: number, options: Partial<CoreClientOptions> = {}) {
  bench = new ClientBench(options);
  const loop = bench.client.pushes();
  await bench.connect();
  sendPushes(count);
  await turns();
  return loop;
}

function sendPushes(count: number): void {
  for (let n = 0; n < count; n++) {
    const seq = bench.gateway.nextPush++;
    bench.gateway.last.push(seq, `${seq}`);
  }
}

/** From now on a START is answered by a resume that replays everything above what it claims. */
function replaying(): void {
  const highest = () => bench.gateway.nextPush - 1;
  bench.gateway.onStart = (connection: FakeConnection, msgId) => {
    const from = (connection.starts.at(-1)?.lastAckedSeqId ?? 0) + 1;
    bench.gateway.accept(connection, msgId, { nextPushSeq: from });
    for (let seq = from; seq <= highest(); seq++) connection.push(seq, `${seq}`);
  };
}

async function take(loop: AsyncIterator<Push, undefined>, count: number): Promise<string[]> {
  const titles: string[] = [];
  for (let n = 0; n < count; n++) {
    const { value } = await loop.next();
    titles.push(value?.title ?? 'end');
  }
  return titles;
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, n) => `${from + n}`);
const acked = (): number => bench.gateway.last.acks.at(-1) ?? 0;

describe('acknowledgement', () => {
  test('received: follows what the loop takes', async () => {
    const loop = await withPushes(3);
    await bench.pass(50);
    expect([acked(), bench.client.waitingPushes]).toEqual([0, 3]);
    expect(await take(loop, 2)).toEqual(['1', '2']);
    await bench.pass(50);
    expect([acked(), bench.client.waitingPushes]).toEqual([2, 1]);
  });

  test('handled: a push is acknowledged when the next one is asked for', async () => {
    const loop = await withPushes(3, { ack: 'handled' });
    await take(loop, 2);
    await bench.pass(50);
    expect(acked()).toBe(1);
    const third = loop.next();
    await bench.pass(50);
    expect([(await third).value?.title, acked()]).toEqual(['3', 2]);
    await loop.return?.();
    await bench.pass(50);
    expect(acked()).toBe(3);
  });

  test('handled: waits for the promises of listeners, the slowest first in line', async () => {
    bench = new ClientBench({ ack: 'handled' });
    const done: (() => void)[] = [];
    bench.client.onPush(() => new Promise<void>((resolve) => done.push(resolve)));
    await bench.connect();
    sendPushes(3);
    await bench.pass(50);
    done[1]?.();
    done[2]?.();
    await bench.pass(50);
    expect(acked()).toBe(0);
    done[0]?.();
    await bench.pass(50);
    expect([acked(), bench.client.waitingPushes]).toEqual([3, 0]);
  });

  test('handled: a listener that fails has handled it all the same, and is reported', async () => {
    bench = new ClientBench({ ack: 'handled' });
    bench.client.onPush(() => Promise.reject(new Error('no')));
    await bench.connect();
    sendPushes(1);
    await bench.pass(50);
    expect([acked(), bench.errors.map(({ code }) => code)]).toEqual([1, ['LISTENER_FAILED']]);
  });

  test('an answer behind an open push is acknowledged after it, and START claims no more', async () => {
    const loop = await withPushes(1);
    expect((await bench.client.request('echo')).code).toBe(200);
    await bench.pass(50);
    expect(acked()).toBe(0);
    bench.cut();
    await bench.pass(300);
    expect(bench.gateway.last.starts[0]?.lastAckedSeqId).toBe(0);
    bench.gateway.last.push(1, '1');
    await take(loop, 1);
    await bench.pass(50);
    expect([acked(), bench.client.waitingPushes]).toEqual([2, 0]);
  });

  test('numbers of a session that is no more are not acknowledged in the next one', async () => {
    const loop = await withPushes(5);
    bench.gateway.onStart = (connection, msgId) =>
      bench.gateway.accept(connection, msgId, {
        connectionId: 's-2',
        resumed: false,
        recovered: false,
        nextPushSeq: 2,
      });
    bench.cut();
    await bench.pass(300);
    // A gateway that has lost its state begins below what the client has seen.
    bench.gateway.last.push(2, 'new');
    await turns();
    expect(await take(loop, 5)).toEqual(numbers(1, 5));
    await bench.pass(50);
    expect(acked()).toBeLessThan(2);
    expect(await take(loop, 1)).toEqual(['new']);
    await bench.pass(50);
    expect(acked()).toBe(2);
  });
});

describe('backpressure', () => {
  test.each([
    ['count', { maxWaitingPushes: 4 }],
    ['bytes', { maxWaitingBytes: 1_100 }],
  ])('a slow loop holds the gateway, bounded by %s', async (_, limits) => {
    const loop = await withPushes(40, limits);
    await bench.pass(500);
    expect(bench.client.waitingPushes).toBeLessThanOrEqual(5);
    expect(bench.gateway.last.link.bufferedBytes).toBeGreaterThan(0);
    const titles: string[] = [];
    while (titles.length < 40) {
      titles.push(...(await take(loop, 1)));
      expect(bench.client.waitingPushes).toBeLessThanOrEqual(5);
      await turns(2);
    }
    expect(titles).toEqual(numbers(1, 40));
    await bench.pass(50);
    expect(acked()).toBe(40);
    expect(bench.gateway.connections).toHaveLength(1);
  });

  test('while a loop stalls answers come nevertheless; what was left comes when there is room', async () => {
    bench = new ClientBench({ maxWaitingPushes: 4 });
    const loop = bench.client.pushes();
    await bench.connect();
    sendPushes(20);
    await turns();
    const asked = bench.client.request('echo', { timeoutMs: 5_000 });
    await bench.pass(1_200);
    expect((await asked).code).toBe(200);
    expect(bench.client.waitingPushes).toBe(4);
    // Requests go on being answered, memory stays as it is; what is best effort is lost.
    sendPushes(20);
    bench.gateway.last.push(0, 'lost');
    expect((await bench.client.request('echo')).code).toBe(200);
    expect([bench.client.waitingPushes, acked()]).toEqual([4, 0]);

    replaying();
    const titles: string[] = [];
    const reading = (async () => {
      for await (const { title } of loop) {
        titles.push(title);
        await turns(1);
      }
    })();
    await bench.pass(3_000);
    const expected = numbers(1, 42);
    expect(titles).toEqual(expected);
    expect(bench.errors).toEqual([]);
    expect(bench.log.filter((line) => line === 'connected:resumed:whole').length).toBeGreaterThan(
      0,
    );
    bench.client.close();
    await reading;
  });

  test('a loop that takes one now and then is not left behind', async () => {
    const loop = await withPushes(20, { maxWaitingPushes: 4 });
    const asked = bench.client.request('echo', { timeoutMs: 60_000 });
    for (let n = 0; n < 20; n++) {
      await bench.pass(900);
      await take(loop, 1);
    }
    await turns();
    expect((await asked).code).toBe(200);
    expect(bench.gateway.connections).toHaveLength(1);
  });

  test('a paused connection is not taken for a dead one', async () => {
    await withPushes(20, { maxWaitingPushes: 4 });
    // With two heartbeats on the way, whose answers are not read.
    await bench.pass(60_000, 500);
    expect(bench.gateway.connections).toHaveLength(1);
  });

  test('best-effort pushes without room are lost, not kept', async () => {
    const loop = await withPushes(0, { maxWaitingPushes: 2 });
    for (let n = 0; n < 5; n++) bench.gateway.last.push(0, `b${n}`);
    await turns();
    expect(bench.client.waitingPushes).toBe(2);
    expect(await take(loop, 2)).toEqual(['b0', 'b1']);
  });

  test('after a reconnect with a full buffer reading pauses again', async () => {
    const loop = await withPushes(8, { maxWaitingPushes: 4 });
    replaying();
    bench.cut();
    await bench.pass(500);
    expect(bench.client.waitingPushes).toBeLessThanOrEqual(5);
    const titles: string[] = [];
    while (titles.length < 8) {
      titles.push(...(await take(loop, 1)));
      await turns(2);
    }
    expect(titles).toEqual(numbers(1, 8));
  });
});

describe('loops', () => {
  test('a loop left by break, and by throw, keeps the rest for the next one', async () => {
    await withPushes(6);
    const seen: string[] = [];
    for await (const { title } of bench.client.pushes()) {
      seen.push(title);
      if (seen.length === 2) break;
    }
    const failing = (async () => {
      for await (const { title } of bench.client.pushes()) {
        seen.push(title);
        throw new Error('body');
      }
    })();
    await expect(failing).rejects.toThrow('body');
    await bench.pass(50);
    expect([acked(), bench.client.waitingPushes]).toEqual([3, 3]);
    expect(await take(bench.client.pushes(), 3)).toEqual(['4', '5', '6']);
    expect(seen).toEqual(['1', '2', '3']);
  });

  test('discard: who leaves the last loop wants no more', async () => {
    bench = new ClientBench();
    const first = bench.client.pushes({ onLeave: 'discard' });
    const second = bench.client.pushes({ onLeave: 'discard' });
    await bench.connect();
    sendPushes(4);
    await turns();
    await first.return?.();
    expect(bench.client.waitingPushes).toBe(4);
    await second.return?.();
    expect(bench.client.waitingPushes).toBe(0);
    sendPushes(300);
    await bench.pass(50);
    expect([acked(), bench.client.waitingPushes]).toEqual([304, 0]);
  });

  test('two loops share the pushes, listeners hear of all at once', async () => {
    const first = await withPushes(0);
    const second = bench.client.pushes();
    const [one, two] = [first.next(), second.next()];
    sendPushes(2);
    const titles = (await Promise.all([one, two])).map(({ value }) => value?.title);
    expect(titles.sort()).toEqual(['1', '2']);
    expect(bench.log.filter((line) => line.startsWith('push'))).toEqual(['push:1:1', 'push:2:2']);
  });

  test('calls of next() that overlap are served in order', async () => {
    const loop = await withPushes(0);
    const asked = [loop.next(), loop.next(), loop.next()];
    sendPushes(3);
    expect((await Promise.all(asked)).map(({ value }) => value?.title)).toEqual(['1', '2', '3']);
  });

  test('a signal ends the loop with its reason', async () => {
    bench = new ClientBench();
    const stop = new AbortController();
    const loop = bench.client.pushes({ signal: stop.signal });
    await bench.connect();
    const waiting = loop.next();
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(await loop.next()).toEqual({ done: true, value: undefined });
    await expect(bench.client.pushes({ signal: stop.signal }).next()).rejects.toThrow('enough');
  });

  test('ends with the client, quietly after stop and close, with the error otherwise', async () => {
    let loop = await withPushes(2);
    await take(loop, 2);
    const waiting = loop.next();
    bench.client.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect((await bench.client.pushes().next()).done).toBe(true);
    loop = await withPushes(0);
    const refused = loop.next();
    refused.catch(() => undefined);
    bench.gateway.last.error(0, 0, 409, 'replaced', 'elsewhere');
    await bench.pass(100);
    await expect(refused).rejects.toMatchObject({ code: 'SESSION_REPLACED' });
    expect((await loop.next()).done).toBe(true);
    await expect(bench.client.pushes().next()).rejects.toMatchObject({ code: 'SESSION_REPLACED' });
  });

  test('what nobody took before the end is not acknowledged', async () => {
    await withPushes(3);
    const stopping = bench.client.stop();
    await bench.pass(50);
    await stopping;
    expect(bench.gateway.last.acks).toEqual([]);
  });
});
