import { afterEach, describe, expect, test } from '@jest/globals';
import { ClientBench } from '../../../support/client-bench.js';
import { turns } from '../../../support/fake-gateway.js';

let bench: ClientBench;

afterEach(async () => {
  bench.client.close();
  await turns();
  expect(bench.clock.pending).toBe(0);
});

/** Every START that reached a gateway, as `address`. */
const starts = (): string[] =>
  bench.gateway.connections.flatMap(({ address, starts: { length } }) =>
    Array.from({ length }, () => address),
  );

describe('several addresses', () => {
  test('a silent one is joined by the next after half a second, who answers first serves', async () => {
    bench = new ClientBench({ addresses: ['a:1', 'b:1', 'c:1'] });
    bench.gateway.silent.add('a:1');
    const connecting = bench.client.connect();
    await bench.pass(499, 499);
    expect(bench.gateway.tried).toEqual(['a:1']);
    await bench.pass(1, 1);
    await connecting;
    expect(bench.client.address).toBe('b:1');
    await bench.pass(10_000, 500);
    expect(bench.gateway.tried).toEqual(['a:1', 'b:1']);
    expect(bench.gateway.givenUp).toEqual(['a:1']);
    expect(starts()).toEqual(['b:1']);
  });

  test('one that answers in time is alone', async () => {
    bench = new ClientBench({ addresses: ['a:1', 'b:1'] });
    await bench.connect();
    await bench.pass(10_000, 500);
    expect(bench.gateway.tried).toEqual(['a:1']);
  });

  test('START goes to one gateway only, though the slower one connects as well', async () => {
    bench = new ClientBench({ addresses: ['a:1', 'b:1'] });
    const ready = new Map<string, () => void>();
    bench.gateway.opening = (address) =>
      new Promise<void>((resolve) => void ready.set(address, resolve));
    const connecting = bench.client.connect();
    await bench.pass(500);
    expect(bench.gateway.tried).toEqual(['a:1', 'b:1']);
    // Both in one turn: the memory transport does not look at its signal any more.
    ready.get('b:1')?.();
    ready.get('a:1')?.();
    await turns();
    await connecting;
    expect(starts()).toEqual(['b:1']);
    const [b, a] = bench.gateway.connections;
    expect([a?.address, a?.closed?.reason]).toEqual(['a:1', 'connected too late']);
    expect([b?.address, b?.closed]).toEqual(['b:1', null]);
  });

  test('the first may still win after the next was started', async () => {
    bench = new ClientBench({ addresses: ['a:1', 'b:1'], nextAddressAfterMs: 100 });
    bench.gateway.silent.add('b:1');
    let ready = (): void => undefined;
    bench.gateway.opening = () => new Promise<void>((resolve) => (ready = resolve));
    const connecting = bench.client.connect();
    await bench.pass(150);
    expect(bench.gateway.tried).toEqual(['a:1', 'b:1']);
    ready();
    await connecting;
    expect(bench.client.address).toBe('a:1');
    expect(bench.gateway.givenUp).toEqual(['b:1']);
  });

  test('where the session is may be silent four times as long, then another is tried', async () => {
    bench = new ClientBench({ addresses: ['a:1', 'b:1'] });
    await bench.connect();
    bench.gateway.silent.add('a:1');
    bench.cut();
    // The backoff, then the head start.
    await bench.pass(50 + 1_950);
    expect(bench.gateway.tried).toEqual(['a:1', 'a:1']);
    await bench.pass(100);
    expect(bench.client.address).toBe('b:1');
    // Now the session is there.
    bench.gateway.silent.add('b:1').delete('a:1');
    bench.cut();
    await bench.pass(50 + 1_950);
    expect(bench.gateway.tried).toEqual(['a:1', 'a:1', 'b:1', 'b:1']);
  });

  test('all silent: one attempt takes openTimeoutMs, and names what it tried', async () => {
    bench = new ClientBench({ addresses: ['a:1', 'b:1'], openTimeoutMs: 2_000, minDelayMs: 4_000 });
    bench.gateway.openHangs = true;
    const connecting = bench.client.connect().catch((error: unknown) => (error as Error).message);
    await bench.pass(1_950);
    expect(bench.gateway.givenUp).toEqual([]);
    await bench.pass(100);
    expect(bench.gateway.givenUp).toEqual(['a:1', 'b:1']);
    await bench.pass(2_000);
    expect(bench.gateway.tried).toEqual(['a:1', 'b:1', 'b:1']);
    await bench.pass(12_000, 500);
    expect(await connecting).toMatch(/no memory connection to (a:1 or b:1|b:1 or a:1) within 2000/);
  });

  test('a failure that shows at once waits for the backoff; one beside a silent one for that', async () => {
    bench = new ClientBench({ addresses: ['a:1', 'b:1'], openTimeoutMs: 2_000 });
    bench.gateway.opening = (address) =>
      address === 'b:1' ? Promise.reject(new Error('refused')) : Promise.resolve();
    bench.gateway.silent.add('a:1');
    const connecting = bench.client.connect();
    await bench.pass(1_950);
    expect(bench.gateway.tried).toEqual(['a:1', 'b:1']);
    bench.gateway.silent.clear();
    bench.gateway.opening = () => Promise.resolve();
    await bench.pass(200);
    await connecting;
    expect(bench.gateway.tried).toEqual(['a:1', 'b:1', 'b:1']);
  });

  test('nextAddressAfterMs from openTimeoutMs on means one after the other', async () => {
    bench = new ClientBench({
      addresses: ['a:1', 'b:1'],
      openTimeoutMs: 1_000,
      nextAddressAfterMs: 1_000,
    });
    bench.gateway.silent.add('a:1');
    const connecting = bench.client.connect();
    await bench.pass(950);
    expect(bench.gateway.tried).toEqual(['a:1']);
    await bench.pass(200);
    await connecting;
    expect(bench.gateway.givenUp).toEqual(['a:1']);
  });

  test('a redirect into silence: the one that redirected is asked again, then the target alone', async () => {
    bench = new ClientBench({ addresses: ['b:1'], openTimeoutMs: 5_000, connectTimeoutMs: 0 });
    bench.gateway.silent.add('p:1');
    const { onStart } = bench.gateway;
    bench.gateway.onStart = (connection, msgId) =>
      bench.gateway.refuse(connection, msgId, 421, 'p:1');
    const connecting = bench.client.connect();
    await bench.pass(1_950);
    expect(bench.gateway.tried).toEqual(['b:1', 'p:1']);
    await bench.pass(100);
    expect(bench.gateway.tried).toEqual(['b:1', 'p:1', 'b:1', 'p:1']);
    // It has been promoted meanwhile.
    bench.gateway.onStart = onStart;
    await bench.pass(4_900);
    expect(bench.gateway.tried).toHaveLength(4);
    await bench.pass(300);
    await connecting;
    expect(bench.client.address).toBe('b:1');
  });

  test('close ends all that were started', async () => {
    bench = new ClientBench({ addresses: ['a:1', 'b:1'] });
    bench.gateway.openHangs = true;
    const code = ClientBench.codeOf(bench.client.connect());
    await bench.pass(600);
    bench.client.close();
    expect(await code).toBe('CLIENT_CLOSED');
    expect(bench.gateway.givenUp).toEqual(['a:1', 'b:1']);
    expect(bench.gateway.connections).toHaveLength(0);
  });
});
