import { afterEach, describe, expect, test } from '@jest/globals';
import type { RequestOptions } from '../../../../src/sdk/client/index.js';
import { encodeBusinessPayload } from '../../../../src/sdk/client/core/request-frames.js';
import { BusinessRequest, decodeMessage } from '../../../../src/wire/client-messages.js';
import { ClientBench } from '../../../support/client-bench.js';
import { turns } from '../../../support/fake-gateway.js';

const { codeOf } = ClientBench;
let bench: ClientBench;

afterEach(() => {
  bench.client.close();
  bench.clock.advance(1_000);
  expect(bench.clock.pending).toBe(0);
});

describe('requests', () => {
  test('carry action, params, data and headers, and bring the answer back', async () => {
    bench = new ClientBench();
    await bench.connect();
    bench.gateway.onBusiness = (connection, request) => {
      connection.data(
        request.msgId,
        1,
        { code: 201, message: 'made', data: Buffer.from('{}') },
        {
          zone: '004',
        },
      );
    };
    const options = { params: { a: '1' }, data: 'text', headers: { trace: 't' } };
    const answer = await bench.client.request('make', options);
    expect(answer).toMatchObject({ code: 201, message: 'made', headers: { zone: '004' } });
    expect(answer.json()).toEqual({});
    expect(bench.gateway.last.requests).toEqual([
      { msgId: expect.any(Number), seqId: 1, action: 'make', ...options },
    ]);
  });

  test('are numbered from 1 without a gap and answered in any order', async () => {
    bench = new ClientBench();
    await bench.connect();
    bench.gateway.onBusiness = () => undefined;
    const answers = ['a', 'b', 'c'].map((action) => bench.client.request(action));
    await turns();
    const { requests } = bench.gateway.last;
    expect(requests.map(({ seqId }) => seqId)).toEqual([1, 2, 3]);
    for (const request of [...requests].reverse()) bench.gateway.echo(bench.gateway.last, request);
    expect((await Promise.all(answers)).map(({ message }) => message)).toEqual(['a', 'b', 'c']);
  });

  test.each([
    ['headers["traceparent"]', { headers: { traceparent: undefined } }],
    ['params["page"]', { params: { page: 2 } }],
    ['data', { data: new ArrayBuffer(2) }],
    ['data', { data: { a: 1 } }],
    ['data', { data: new Uint16Array(2) }],
  ])('that cannot be sent for their %s are refused alone', async (where, options) => {
    bench = new ClientBench();
    await bench.connect();
    const refused = bench.client.request('wrong', options as unknown as RequestOptions);
    await expect(refused).rejects.toThrow(TypeError);
    await expect(refused).rejects.toThrow(`request wrong: ${where} is`);
    expect([bench.client.queued, bench.client.inFlight]).toEqual([0, 0]);
    expect((await bench.client.request('right', { data: Buffer.from('x') })).code).toBe(200);
  });

  test('with half of an emoji go with U+FFFD, as the gateway reads UTF-8 alone', () => {
    const bytes = encodeBusinessPayload('cut \ud83d', { params: { '\ud83d': 'cut \ud83d' } });
    expect(decodeMessage(BusinessRequest, bytes)).toMatchObject({
      action: 'cut \ufffd',
      params: { '\ufffd': 'cut \ufffd' },
    });
  });

  test('go with the headers they were made with, whatever becomes of the object', async () => {
    bench = new ClientBench();
    const headers: { a?: string } = { a: 'first' };
    const answer = bench.client.request('early', { headers: headers as { a: string } });
    delete headers.a;
    await bench.connect();
    expect((await answer).code).toBe(200);
    expect(bench.gateway.last.requests).toMatchObject([{ headers: { a: 'first' } }]);
  });

  test('beyond maxInFlight wait, beyond maxQueued are refused', async () => {
    bench = new ClientBench({ maxInFlight: 2, maxQueued: 1 });
    await bench.connect();
    const held: (() => void)[] = [];
    bench.gateway.onBusiness = (connection, request) =>
      held.push(() => bench.gateway.echo(connection, request));
    const answers = [1, 2, 3].map((n) => bench.client.request(`r${n}`));
    expect(await codeOf(bench.client.request('r4'))).toBe('REQUEST_QUEUE_FULL');
    await turns();
    expect([held.length, bench.client.inFlight, bench.client.queued]).toEqual([2, 2, 1]);
    held.shift()?.();
    await turns();
    expect(held).toHaveLength(2);
    for (const answer of held) answer();
    await Promise.all(answers);
  });

  test('made without a connection wait for one, for as long as their time lasts', async () => {
    bench = new ClientBench();
    const early = bench.client.request('early', { timeoutMs: 5_000 });
    const impatient = bench.client.request('impatient', { timeoutMs: 100 });
    const failure = impatient.catch((error: unknown) => error);
    await bench.pass(200);
    expect(await failure).toMatchObject({ code: 'REQUEST_TIMEOUT', sent: false });
    await bench.connect();
    expect((await early).message).toBe('early');
    expect(bench.gateway.last.requests.map(({ action }) => action)).toEqual(['early']);
  });

  test('time out when no answer comes, and a late answer harms nothing', async () => {
    bench = new ClientBench();
    await bench.connect();
    const held: (() => void)[] = [];
    bench.gateway.onBusiness = (connection, request) =>
      held.push(() => bench.gateway.echo(connection, request));
    const failure = bench.client
      .request('slow', { timeoutMs: 300 })
      .catch((error: unknown) => error);
    await bench.pass(350);
    expect(await failure).toMatchObject({ code: 'REQUEST_TIMEOUT', sent: true });
    held[0]?.();
    await turns();
    expect(bench.client.inFlight).toBe(0);
    bench.gateway.onBusiness = (connection, request) => bench.gateway.echo(connection, request);
    expect((await bench.client.request('next')).message).toBe('next');
    expect(bench.gateway.last.requests.map(({ seqId }) => seqId)).toEqual([1, 2]);
  });

  test('obey an AbortSignal, before and after they were sent', async () => {
    bench = new ClientBench();
    await bench.connect();
    const before = bench.client.request('never', { signal: AbortSignal.abort('no') });
    expect(await before.catch((error: unknown) => error)).toMatchObject({
      sent: false,
      cause: 'no',
    });
    bench.gateway.onBusiness = () => undefined;
    const controller = new AbortController();
    const after = bench.client.request('sent', { signal: controller.signal });
    const failure = after.catch((error: unknown) => error);
    await turns();
    controller.abort();
    expect(await failure).toMatchObject({ code: 'REQUEST_ABORTED', sent: true });
    expect(bench.gateway.last.requests.map(({ action }) => action)).toEqual(['sent']);
  });

  test.each([
    [400, 'REQUEST_REFUSED'],
    [401, 'REQUEST_REFUSED'],
    [413, 'REQUEST_REFUSED'],
    [410, 'OUTCOME_UNKNOWN'],
    [500, 'OUTCOME_UNKNOWN'],
    [502, 'OUTCOME_UNKNOWN'],
    [504, 'OUTCOME_UNKNOWN'],
  ])('answered with error %i fail with %s', async (status, code) => {
    bench = new ClientBench();
    await bench.connect();
    bench.gateway.onBusiness = (connection, { msgId }) => connection.error(msgId, 1, status, 'why');
    const failure = await bench.client.request('x').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, status });
    expect(bench.client.state).toBe('connected');
  });

  test.each([429, 503])('refused unexecuted with %i go again under new numbers', async (status) => {
    bench = new ClientBench({ refusedRetries: 2 });
    await bench.connect();
    let seq = 1;
    bench.gateway.onBusiness = (connection, { msgId }) =>
      connection.error(msgId, seq++, status, 'busy');
    const code = codeOf(bench.client.request('x'));
    await bench.pass(1_000);
    expect(await code).toBe('REQUEST_REFUSED');
    const { requests } = bench.gateway.last;
    expect(requests.map(({ seqId }) => seqId)).toEqual([1, 2, 3]);
    expect(new Set(requests.map(({ msgId }) => msgId)).size).toBe(3);
  });

  test('refused by rate go again when the gateway said, and not before', async () => {
    bench = new ClientBench();
    await bench.connect();
    let seq = 1;
    bench.gateway.onBusiness = (connection, { msgId }) =>
      connection.error(msgId, seq++, 429, 'too fast', 'retry_after_ms=3000');
    const code = codeOf(bench.client.request('x', { timeoutMs: 5_000 }));
    await bench.pass(2_950);
    expect(bench.gateway.last.requests).toHaveLength(1);
    await bench.pass(300);
    expect(bench.gateway.last.requests).toHaveLength(2);
    await bench.pass(3_000);
    expect(await code).toBe('REQUEST_TIMEOUT');
  });

  test('a request given up while it waits to be sent again is not', async () => {
    bench = new ClientBench();
    await bench.connect();
    bench.gateway.onBusiness = (connection, { msgId }) => connection.error(msgId, 1, 503, 'busy');
    const code = codeOf(bench.client.request('x', { timeoutMs: 20 }));
    await bench.pass(500, 10);
    expect(await code).toBe('REQUEST_TIMEOUT');
    expect(bench.gateway.last.requests).toHaveLength(1);
  });
});

describe('pushes and acknowledgements', () => {
  test('pushes arrive in order and are acknowledged together', async () => {
    bench = new ClientBench();
    await bench.connect();
    for (const seq of [1, 2, 3]) bench.gateway.last.push(seq, `t${seq}`);
    await turns();
    expect(bench.log.slice(1)).toEqual(['push:1:t1', 'push:2:t2', 'push:3:t3']);
    expect(bench.gateway.last.acks).toEqual([]);
    await bench.pass(10, 5);
    expect(bench.gateway.last.acks).toEqual([3]);
  });

  test('an unsequenced push is delivered and not acknowledged', async () => {
    bench = new ClientBench();
    await bench.connect();
    bench.gateway.last.push(0, 'now');
    await bench.pass(50);
    expect(bench.log.slice(1)).toEqual(['push:0:now']);
    expect(bench.gateway.last.acks).toEqual([]);
  });

  test('answers are acknowledged too, and a frame of an unknown type', async () => {
    bench = new ClientBench();
    await bench.connect();
    await bench.client.request('x');
    bench.gateway.last.raw(0, 2, 9 as never, new Uint8Array(0));
    await bench.pass(10, 5);
    expect(bench.gateway.last.acks.at(-1)).toBe(2);
  });

  test('a listener that throws loses nothing', async () => {
    bench = new ClientBench();
    bench.client.onPush(() => {
      throw new Error('application bug');
    });
    await bench.connect();
    bench.gateway.last.push(1, 'a');
    bench.gateway.last.push(2, 'b');
    await bench.pass(10, 5);
    expect(bench.log.slice(1)).toEqual(['push:1:a', 'push:2:b']);
    expect(bench.gateway.last.acks).toEqual([2]);
    expect(bench.errors.map(({ code }) => code)).toEqual(['LISTENER_FAILED', 'LISTENER_FAILED']);
  });

  test('data is a copy of its own', async () => {
    bench = new ClientBench();
    const kept: Uint8Array[] = [];
    bench.client.onPush((push) => kept.push(push.data));
    await bench.connect();
    for (let seq = 1; seq <= 50; seq++) bench.gateway.last.push(seq, `text ${seq}`);
    await turns();
    expect(kept.map((data) => Buffer.from(data).toString())).toEqual(
      Array.from({ length: 50 }, (_, index) => `text ${index + 1}`),
    );
    expect(kept.every((data) => data.byteLength === data.buffer.byteLength)).toBe(true);
  });
});

describe('heartbeats and liveness', () => {
  test("go out at the gateway's interval", async () => {
    bench = new ClientBench();
    bench.gateway.heartbeatSeconds = 20;
    await bench.connect();
    await bench.pass(61_000, 500);
    expect(bench.gateway.last.heartbeats).toBe(3);
    expect(bench.gateway.connections).toHaveLength(1);
  });

  test('an answer one second late is followed by a ping, a slow upstream by nothing worse', async () => {
    bench = new ClientBench();
    await bench.connect();
    const held: (() => void)[] = [];
    bench.gateway.onBusiness = (connection, request) =>
      held.push(() => bench.gateway.echo(connection, request));
    const answer = bench.client.request('slow');
    await bench.pass(900);
    expect(bench.gateway.last.heartbeats).toBe(0);
    await bench.pass(200);
    expect(bench.gateway.last.heartbeats).toBe(1);
    await bench.pass(5_000);
    held[0]?.();
    await answer;
    expect(bench.gateway.connections).toHaveLength(1);
  });

  test('a gateway silent for three seconds is left, and the request answered by the next', async () => {
    bench = new ClientBench();
    await bench.connect();
    const { onBusiness } = bench.gateway;
    bench.gateway.onBusiness = () => undefined;
    bench.gateway.onHeartbeat = () => undefined;
    const answer = bench.client.request('x');
    await bench.pass(2_900);
    expect(bench.gateway.connections).toHaveLength(1);
    bench.gateway.onBusiness = onBusiness;
    await bench.pass(500);
    expect((await answer).message).toBe('x');
    expect(bench.gateway.connections).toHaveLength(2);
    expect(bench.log).toContain('disconnected:0');
  });
});

describe('a transport with a probe', () => {
  /** A gateway that answers no frame; the path below carries what the test says. */
  async function silent(arrivals: () => number): Promise<{ pings: number }> {
    bench = new ClientBench();
    const counted = { pings: 0 };
    bench.gateway.transport.probe = () => ({ ping: () => void counted.pings++, arrivals });
    await bench.connect();
    bench.gateway.onBusiness = () => undefined;
    void bench.client.request('x', { timeoutMs: 30_000 }).catch(() => undefined);
    return counted;
  }

  test('is asked instead of the gateway, and a large answer under way keeps the connection', async () => {
    let packets = 0;
    const counted = await silent(() => packets++);
    await bench.pass(10_000);
    expect(bench.gateway.connections).toHaveLength(1);
    expect(counted.pings).toBeGreaterThanOrEqual(3);
    expect(bench.gateway.last.heartbeats).toBe(0);
  });

  test('on which nothing arrives is left as soon as any', async () => {
    const counted = await silent(() => 7);
    await bench.pass(2_900);
    expect([bench.gateway.connections.length, counted.pings]).toEqual([1, 1]);
    await bench.pass(400);
    expect(bench.gateway.connections).toHaveLength(2);
  });
});

describe('order', () => {
  test('an answer is heard before the push behind it, and after the one before it', async () => {
    bench = new ClientBench();
    const heard: string[] = [];
    bench.client.onPush(({ title }) => heard.push(title));
    await bench.connect();
    bench.gateway.onBusiness = (connection, { msgId, action }) => {
      connection.push(bench.gateway.nextPush++, `before ${action}`);
      connection.data(msgId, bench.gateway.nextPush++, { message: action });
      connection.push(bench.gateway.nextPush++, `after ${action}`);
    };
    const ask = async (action: string): Promise<void> => {
      const { message } = await bench.client.request(action);
      heard.push(message);
    };
    await Promise.all(['x', 'y', 'z'].map(ask));
    await turns();
    expect(heard).toEqual(
      ['x', 'y', 'z'].flatMap((name) => [`before ${name}`, name, `after ${name}`]),
    );
  });
});
