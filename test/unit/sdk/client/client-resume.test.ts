import { afterEach, describe, expect, test } from '@jest/globals';
import { ClientBench } from '../../../support/client-bench.js';
import { turns } from '../../../support/fake-gateway.js';
import type { FakeConnection, ReceivedRequest } from '../../../support/fake-gateway.js';

const { codeOf } = ClientBench;
let bench: ClientBench;

afterEach(() => {
  bench.client.close();
  bench.clock.advance(1_000);
  expect(bench.clock.pending).toBe(0);
});

/** A client whose requests so far were read by the gateway and not answered. */
async function withUnanswered(actions: string[]): Promise<Promise<string>[]> {
  await bench.connect();
  bench.gateway.onBusiness = () => undefined;
  const answers = actions.map((action) =>
    bench.client.request(action).then(
      ({ message }) => message,
      (error: unknown) => String((error as { code?: string }).code),
    ),
  );
  await turns();
  return answers;
}

const echo = (connection: FakeConnection, request: ReceivedRequest): void =>
  bench.gateway.echo(connection, request);

describe('resume', () => {
  test('names the session and the highest number received, acknowledged or not', async () => {
    bench = new ClientBench();
    await bench.connect();
    for (const seq of [1, 2, 3]) bench.gateway.last.push(seq, `t${seq}`);
    await turns();
    bench.gateway.nextPush = 4;
    bench.cut();
    await bench.pass(200);
    const [start] = bench.gateway.last.starts;
    expect([start?.resumeSessionId, start?.lastAckedSeqId]).toEqual(['s-1', 3]);
    expect(bench.log.slice(4)).toEqual(['disconnected:0', 'connected:resumed:whole']);
    expect(bench.gateway.last.acks).toEqual([]);
  });

  test('hands back the epoch and its proof', async () => {
    bench = new ClientBench();
    bench.gateway.onStart = (connection, msgId) =>
      bench.gateway.accept(connection, msgId, { epoch: 7, epochProof: Buffer.from('proof') });
    await bench.connect();
    bench.cut();
    await bench.pass(200);
    const [start] = bench.gateway.last.starts;
    expect([start?.seenEpoch, Buffer.from(start?.epochProof ?? []).toString()]).toEqual([
      7,
      'proof',
    ]);
  });

  test('sends again what the gateway has not seen, unchanged, and is answered once', async () => {
    bench = new ClientBench();
    const answers = await withUnanswered(['a', 'b', 'c']);
    const before = bench.gateway.last.requests;
    bench.gateway.onStart = (connection, msgId) =>
      bench.gateway.accept(connection, msgId, { nextClientSeq: 2 });
    bench.gateway.onBusiness = echo;
    bench.cut();
    await bench.pass(200);
    expect(bench.gateway.last.requests).toEqual(before.slice(1));
    // The first was seen: its answer is replayed, not asked for again.
    echo(bench.gateway.last, before[0] as ReceivedRequest);
    expect(await Promise.all(answers)).toEqual(['a', 'b', 'c']);
    expect((await bench.client.request('d')).message).toBe('d');
    expect(bench.gateway.last.requests.map(({ seqId }) => seqId)).toEqual([2, 3, 4]);
  });

  test('sends a request again that its caller gave up, or those behind it would be a gap', async () => {
    bench = new ClientBench();
    await bench.connect();
    bench.gateway.onBusiness = () => undefined;
    const given = codeOf(bench.client.request('given up', { timeoutMs: 100 }));
    const kept = bench.client.request('kept');
    await bench.pass(150);
    expect(await given).toBe('REQUEST_TIMEOUT');
    bench.gateway.onStart = (connection, msgId) =>
      bench.gateway.accept(connection, msgId, { nextClientSeq: 1 });
    bench.gateway.onBusiness = echo;
    bench.cut();
    await bench.pass(200);
    expect((await kept).message).toBe('kept');
    expect(bench.gateway.last.requests.map(({ seqId }) => seqId)).toEqual([1, 2]);
  });

  test('takes the final 429 at a full outbox as not consumed', async () => {
    bench = new ClientBench();
    await bench.connect();
    bench.gateway.onBusiness = (connection, { msgId }) => {
      connection.error(msgId, 0, 429, 'outbox full');
      connection.link.finish(429, 'outbox full');
    };
    const answer = bench.client.request('x');
    await turns();
    bench.gateway.onBusiness = echo;
    bench.gateway.onStart = (connection, msgId) =>
      bench.gateway.accept(connection, msgId, { nextClientSeq: 1 });
    await bench.pass(300);
    expect((await answer).message).toBe('x');
    const [first, second] = bench.gateway.connections.map(({ requests }) => requests[0]);
    expect(second).toEqual(first);
  });

  test('a new session fails what was sent and goes on with what was not', async () => {
    bench = new ClientBench({ maxInFlight: 2 });
    const answers = await withUnanswered(['a', 'b', 'waits']);
    bench.gateway.onStart = (connection, msgId) =>
      bench.gateway.accept(connection, msgId, {
        connectionId: 's-2',
        resumed: false,
        recovered: false,
        nextPushSeq: 50,
      });
    bench.gateway.nextPush = 50;
    bench.gateway.onBusiness = echo;
    bench.cut();
    await bench.pass(200);
    expect(await Promise.all(answers)).toEqual(['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN', 'waits']);
    expect(bench.gateway.last.requests.map(({ seqId }) => seqId)).toEqual([1]);
    expect(bench.log.slice(1)).toEqual([
      'disconnected:0',
      'connected:new:holes',
      'unrecovered:0:50',
    ]);
    expect(bench.client.sessionId).toBe('s-2');
  });

  test('a resume that is not whole is told, and its jump accepted', async () => {
    bench = new ClientBench();
    await bench.connect();
    bench.gateway.last.push(1, 'a');
    await turns();
    bench.gateway.onStart = (connection, msgId) =>
      bench.gateway.accept(connection, msgId, { recovered: false, nextPushSeq: 1000 });
    bench.cut();
    await bench.pass(200);
    bench.gateway.last.push(1000, 'b');
    await turns();
    expect(bench.log.slice(2)).toEqual([
      'disconnected:0',
      'connected:resumed:holes',
      'unrecovered:1:1000',
      'push:1000:b',
    ]);
    expect(bench.errors).toEqual([]);
  });

  test('a replayed push that had arrived before is dropped', async () => {
    bench = new ClientBench();
    await bench.connect();
    bench.gateway.last.push(1, 'a');
    await turns();
    bench.cut();
    await bench.pass(200);
    for (const seq of [1, 2]) bench.gateway.last.push(seq, `again ${seq}`);
    await turns();
    expect(bench.log.filter((line) => line.startsWith('push'))).toEqual([
      'push:1:a',
      'push:2:again 2',
    ]);
  });

  test('a gap is reported and mended by a resume', async () => {
    bench = new ClientBench();
    await bench.connect();
    bench.gateway.last.push(1, 'a');
    bench.gateway.last.push(3, 'c');
    await turns();
    bench.gateway.nextPush = 2;
    await bench.pass(200);
    expect(bench.errors).toMatchObject([{ code: 'PUSH_GAP', expected: 2, received: 3 }]);
    expect(bench.gateway.last.starts[0]?.lastAckedSeqId).toBe(1);
    for (const seq of [2, 3]) bench.gateway.last.push(seq, `t${seq}`);
    await turns();
    expect(bench.log.filter((line) => line.startsWith('push'))).toEqual([
      'push:1:a',
      'push:2:t2',
      'push:3:t3',
    ]);
  });

  test('a gap that stays is accepted instead of reconnecting for ever', async () => {
    bench = new ClientBench();
    bench.gateway.onStart = (connection, msgId) => {
      bench.gateway.accept(connection, msgId, { nextPushSeq: 1 });
      connection.push(5, 'far');
    };
    const connecting = bench.client.connect();
    await bench.pass(1_000);
    await connecting;
    expect(bench.gateway.connections).toHaveLength(2);
    expect(bench.errors).toMatchObject([{ willReplay: true }, { willReplay: false }]);
    expect(bench.log.at(-1)).toBe('push:5:far');
  });

  test('numbers that disagree are mended by one resume, then the request is refused', async () => {
    bench = new ClientBench();
    await bench.connect();
    bench.gateway.onBusiness = (connection, { msgId }) =>
      connection.error(msgId, 0, 400, 'expected 9');
    const code = codeOf(bench.client.request('x'));
    await bench.pass(1_000);
    expect(await code).toBe('REQUEST_REFUSED');
    expect(bench.gateway.connections).toHaveLength(2);
  });

  test.each([0, 400, 408, 413, 429, 500, 503])(
    'a connection closed with %i comes back',
    async (code) => {
      bench = new ClientBench();
      await bench.connect();
      bench.gateway.last.link.close(code as 400, 'closed');
      await bench.pass(300);
      expect(bench.client.state).toBe('connected');
      expect(bench.log.slice(1)).toEqual([`disconnected:${code}`, 'connected:resumed:whole']);
    },
  );

  test('a connection that is accepted and closed at once is not tried in a tight loop', async () => {
    bench = new ClientBench({ random: () => 0.99 });
    bench.gateway.onStart = (connection, msgId) => {
      bench.gateway.accept(connection, msgId, {});
      connection.link.finish(503, 'moving');
    };
    const connecting = bench.client.connect();
    await bench.pass(10_000);
    await connecting;
    expect(bench.gateway.connections.length).toBeLessThan(10);
  });
});

describe('endings', () => {
  test('409 is final, by frame or by close code', async () => {
    for (const how of ['frame', 'close']) {
      bench = new ClientBench();
      await bench.connect();
      bench.gateway.onBusiness = () => undefined;
      const pending = codeOf(bench.client.request('x'));
      await turns();
      if (how === 'frame') bench.gateway.last.error(0, 0, 409, 'replaced');
      else bench.gateway.last.link.close(409, 'replaced');
      await bench.pass(2_000);
      expect(await pending).toBe('CLIENT_CLOSED');
      expect(bench.log.slice(1)).toEqual(['disconnected:409', 'closed:replaced']);
      expect(bench.gateway.connections).toHaveLength(1);
      const late = bench.client.request('y');
      await expect(late).rejects.toMatchObject({
        code: 'CLIENT_CLOSED',
        cause: { code: 'SESSION_REPLACED' },
      });
    }
  });

  test('421 on a running session leads to the new primary', async () => {
    bench = new ClientBench();
    await bench.connect();
    bench.gateway.last.error(0, 0, 421, 'not primary', 'primary:9');
    bench.gateway.last.link.finish(421, 'not primary');
    await bench.pass(300);
    expect(bench.client.address).toBe('primary:9');
    expect(bench.gateway.last.starts[0]?.resumeSessionId).toBe('s-1');
  });

  test('stop acknowledges what is due, sends STOP with its reason and waits for the close', async () => {
    bench = new ClientBench();
    await bench.connect();
    bench.gateway.last.push(1, 'a');
    await turns();
    const stopping = bench.client.stop('user_logout');
    expect(bench.client.stop()).toBe(stopping);
    expect(bench.client.state).toBe('stopping');
    expect(await codeOf(bench.client.request('x'))).toBe('CLIENT_CLOSED');
    await turns();
    await stopping;
    expect(bench.gateway.last.acks).toEqual([1]);
    expect(bench.gateway.last.stops.map(({ reason }) => reason)).toEqual([1]);
    expect(bench.log.at(-1)).toBe('closed:stopped');
    await bench.client.stop();
    bench.client.close();
    expect(bench.log.filter((line) => line.startsWith('closed'))).toHaveLength(1);
  });

  test('stop does not wait for ever for a gateway that does not answer', async () => {
    bench = new ClientBench();
    await bench.connect();
    bench.gateway.last.link.pause();
    let stopped = false;
    void bench.client.stop().then(() => (stopped = true));
    await bench.pass(2_100);
    expect(stopped).toBe(true);
  });

  test('stop without a connection ends the client at once', async () => {
    bench = new ClientBench();
    await bench.client.stop();
    expect(bench.log).toEqual(['closed:stopped']);
  });

  test('close leaves without STOP', async () => {
    bench = new ClientBench();
    await bench.connect();
    bench.client.close();
    bench.client.close();
    await turns();
    expect(bench.gateway.last.stops).toEqual([]);
    expect(bench.gateway.last.closed).toMatchObject({ code: 0, by: 'peer' });
    expect(bench.log.at(-1)).toBe('closed:closed');
  });

  test('a listener may close the client from within any event', async () => {
    for (const name of ['connected', 'disconnected', 'push', 'unrecovered', 'notice'] as const) {
      bench = new ClientBench();
      bench.client.on(name, () => bench.client.close());
      const connecting = bench.client.connect().catch(() => undefined);
      await turns();
      bench.gateway.onStart = (connection, msgId) =>
        bench.gateway.accept(connection, msgId, { recovered: false, nextPushSeq: 9 });
      if (name !== 'connected') {
        bench.gateway.last.error(0, 0, 500, 'notice');
        bench.gateway.last.push(1, 'a');
        await turns();
        if (bench.client.state === 'connected') bench.cut();
      }
      await bench.pass(300);
      await connecting;
      expect([name, bench.client.state, bench.log.at(-1)]).toEqual([
        name,
        'closed',
        'closed:closed',
      ]);
    }
  });
});
