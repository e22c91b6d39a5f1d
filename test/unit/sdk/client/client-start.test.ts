import { afterEach, describe, expect, test } from '@jest/globals';
import { ClientBench } from '../../../support/client-bench.js';
import { turns } from '../../../support/fake-gateway.js';

const { codeOf } = ClientBench;
let bench: ClientBench;

afterEach(() => {
  bench.client.close();
  expect(bench.clock.pending).toBe(0);
});

describe('starting a session', () => {
  test('sends START with openid and token, says nothing about a session it never had', async () => {
    bench = new ClientBench({ token: () => Promise.resolve('secret') });
    await bench.connect();
    const [start] = bench.gateway.last.starts;
    expect([start?.openid, start?.authToken]).toEqual(['alice', 'secret']);
    expect([start?.lastAckedSeqId, start?.resumeSessionId]).toEqual([0, '']);
    expect(bench.log).toEqual(['connected:new:whole']);
    expect([bench.client.state, bench.client.sessionId]).toEqual(['connected', 's-1']);
  });

  test('connect is idempotent', async () => {
    bench = new ClientBench();
    const first = bench.client.connect();
    expect(bench.client.connect()).toBe(first);
    await turns();
    await first;
    await bench.client.connect();
    expect(bench.gateway.connections).toHaveLength(1);
  });

  test('tries again with growing delays and the next address until one answers', async () => {
    bench = new ClientBench({ addresses: ['a:1', 'b:1'] });
    const delays: number[] = [];
    bench.client.on('reconnecting', ({ delay }) => delays.push(delay));
    bench.gateway.openError = new Error('refused');
    const connecting = bench.client.connect();
    await bench.pass(500);
    bench.gateway.openError = null;
    await bench.pass(2_000);
    await connecting;
    expect(delays.slice(0, 4)).toEqual([50, 100, 200, 400]);
    expect(bench.gateway.tried.slice(0, 4)).toEqual(['a:1', 'b:1', 'a:1', 'b:1']);
  });

  test('gives up after connectTimeoutMs naming the cause, and may be asked again', async () => {
    bench = new ClientBench({ connectTimeoutMs: 1_000 });
    bench.gateway.openError = new Error('nobody listens');
    const failed = bench.client.connect().catch((error: unknown) => error as Error);
    await bench.pass(1_100);
    expect(await failed).toMatchObject({ code: 'CONNECT_FAILED' });
    expect(((await failed) as Error).message).toMatch(/gw:1 within 1000 ms: nobody listens/);
    expect(bench.client.state).toBe('idle');
    bench.gateway.openError = null;
    await bench.connect();
    expect(bench.client.state).toBe('connected');
  });

  test('an attempt that hangs is given up after openTimeoutMs', async () => {
    bench = new ClientBench({ openTimeoutMs: 500 });
    bench.gateway.openHangs = true;
    const connecting = bench.client.connect();
    await bench.pass(450);
    expect(bench.gateway.tried).toHaveLength(1);
    bench.gateway.openHangs = false;
    await bench.pass(300);
    await connecting;
    expect(bench.gateway.tried).toHaveLength(2);
  });

  test('a START that stays unanswered is tried again on a new connection', async () => {
    bench = new ClientBench({ connectTimeoutMs: 0 });
    const { onStart } = bench.gateway;
    bench.gateway.onStart = () => undefined;
    const connecting = bench.client.connect();
    await bench.pass(9_900);
    expect(bench.gateway.connections).toHaveLength(1);
    bench.gateway.onStart = onStart;
    await bench.pass(300);
    await connecting;
    expect(bench.gateway.connections).toHaveLength(2);
  });

  test.each([400, 401, 403, 413])('a START refused with %i is final', async (code) => {
    bench = new ClientBench();
    bench.gateway.onStart = (connection, msgId) => bench.gateway.refuse(connection, msgId, code);
    const connecting = bench.client.connect().catch((error: unknown) => error);
    await bench.pass(3_000);
    expect(await connecting).toMatchObject({ code: 'SESSION_REFUSED', status: code });
    expect(bench.gateway.connections).toHaveLength(1);
    expect(bench.log).toEqual(['closed:refused']);
    expect(await codeOf(bench.client.connect())).toBe('CLIENT_CLOSED');
  });

  test.each(['frame', 'close'])(
    'a gateway that closes with 401 (%s) because no START came in time is tried again',
    async (where) => {
      bench = new ClientBench();
      const { onStart } = bench.gateway;
      bench.gateway.onStart = (connection) => {
        if (where === 'frame') connection.error(0, 0, 401, 'no START within 10000 ms');
        connection.link.finish(401, 'no stream was opened');
      };
      const connecting = bench.client.connect();
      await bench.pass(0);
      bench.gateway.onStart = onStart;
      await bench.pass(300);
      await connecting;
      expect(bench.gateway.connections).toHaveLength(2);
    },
  );

  test.each([429, 500, 503])('a START refused with %i is tried again elsewhere', async (code) => {
    bench = new ClientBench({ addresses: ['a:1', 'b:1'] });
    bench.gateway.onStart = (connection, msgId) =>
      connection.address === 'a:1'
        ? bench.gateway.refuse(connection, msgId, code)
        : bench.gateway.accept(connection, msgId, {});
    const connecting = bench.client.connect();
    await bench.pass(300);
    await connecting;
    expect(bench.gateway.tried).toEqual(['a:1', 'b:1']);
  });

  test('421 leads to the address it names, at once', async () => {
    bench = new ClientBench();
    bench.gateway.onStart = (connection, msgId) =>
      connection.address === 'gw:1'
        ? bench.gateway.refuse(connection, msgId, 421, 'primary:9')
        : bench.gateway.accept(connection, msgId, {});
    await bench.connect();
    expect(bench.gateway.tried).toEqual(['gw:1', 'primary:9']);
    expect(bench.client.address).toBe('primary:9');
  });

  test('two gateways that redirect to each other do not spin', async () => {
    bench = new ClientBench({ connectTimeoutMs: 3_000, random: () => 0.99 });
    bench.gateway.onStart = (connection, msgId) =>
      bench.gateway.refuse(connection, msgId, 421, connection.address === 'x:1' ? 'y:1' : 'x:1');
    const code = codeOf(bench.client.connect());
    await bench.pass(3_100);
    expect(await code).toBe('CONNECT_FAILED');
    expect(bench.gateway.tried.length).toBeLessThan(15);
  });

  test('anything before START_RESP ends the connection, not the client', async () => {
    bench = new ClientBench();
    const { onStart } = bench.gateway;
    bench.gateway.onStart = (connection) => connection.push(1, 'too early');
    const connecting = bench.client.connect();
    await turns();
    bench.gateway.onStart = onStart;
    await bench.pass(300);
    await connecting;
    expect(bench.log).toEqual(['connected:new:whole']);
  });

  test('close while connecting rejects connect and leaves nothing behind', async () => {
    bench = new ClientBench();
    bench.gateway.openHangs = true;
    const code = codeOf(bench.client.connect());
    bench.client.close();
    expect(await code).toBe('CLIENT_CLOSED');
    expect(bench.log).toEqual(['closed:closed']);
  });

  test('names the option that cannot be', () => {
    bench = new ClientBench();
    expect(() => new ClientBench({ openid: '' })).toThrow(/openid of 0 bytes/);
    expect(() => new ClientBench({ openid: 'é'.repeat(65) })).toThrow(/openid of 130 bytes/);
    expect(() => new ClientBench({ maxInFlight: 0 })).toThrow(/maxInFlight is 0/);
    expect(() => new ClientBench({ addresses: [] })).toThrow(/no gateway address/);
  });
});
