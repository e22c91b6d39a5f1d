import { afterEach, describe, expect, test } from '@jest/globals';
import { ClientBench } from '../../../support/client-bench.js';
import type { FakeConnection } from '../../../support/fake-gateway.js';

let bench: ClientBench;

afterEach(() => {
  bench.client.close();
  bench.clock.advance(1_000);
  expect(bench.clock.pending).toBe(0);
});

describe('requests', () => {
  test.each(['headers', 'params'])(
    'with more %s than the gateway reads are not sent',
    async (map) => {
      bench = new ClientBench();
      await bench.connect();
      const entries = (count: number): Record<string, string> =>
        Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, '']));
      const failure = bench.client.request('x', { [map]: entries(1_025) }).catch((e: unknown) => e);
      expect(await failure).toMatchObject({
        code: 'REQUEST_TOO_LARGE',
        message: `request x: 1025 ${map}, the gateway reads 1024; send less`,
      });
      expect((await bench.client.request('next', { [map]: entries(1_024) })).message).toBe('next');
      expect(bench.gateway.last.requests.map(({ action }) => action)).toEqual(['next']);
      expect(bench.gateway.connections).toHaveLength(1);
    },
  );

  describe('that the gateway cannot read', () => {
    /** A gateway that reads no request `bad`, and keeps count of the others over its connections. */
    async function unreading(refuse: (connection: FakeConnection, msgId: number) => void) {
      bench = new ClientBench({ requestTimeoutMs: 60_000 });
      const { gateway } = bench;
      const executed: string[] = [];
      let nextClientSeq = 0;
      const broken = new Set<FakeConnection>();
      gateway.onStart = (connection, msgId) => gateway.accept(connection, msgId, { nextClientSeq });
      gateway.onBusiness = (connection, request) => {
        if (broken.has(connection)) return;
        if (request.action === 'bad') {
          broken.add(connection);
          refuse(connection, request.msgId);
          connection.link.finish(400, 'the bytes are no message');
          return;
        }
        expect([0, request.seqId]).toContain(nextClientSeq);
        nextClientSeq = request.seqId + 1;
        executed.push(request.action);
        gateway.echo(connection, request);
      };
      await bench.connect();
      return executed;
    }

    test.each([
      [
        'without a msg_id',
        (connection: FakeConnection) => connection.error(0, 0, 400, 'no message'),
      ],
      [
        'by its msg_id',
        (connection: FakeConnection, msgId: number) =>
          connection.error(msgId, 0, 400, 'no message'),
      ],
    ])(
      'are refused when they come again, %s, and nothing behind them is lost',
      async (_, refuse) => {
        for (const before of [[], ['a', 'b']]) {
          const executed = await unreading(refuse);
          for (const action of before) await bench.client.request(action);
          const bad = bench.client.request('bad').catch((error: unknown) => error);
          const behind = ['c', 'd', 'e'].map((action) => bench.client.request(action));
          await bench.pass(30_000, 500);
          expect(await bad).toMatchObject({ code: 'REQUEST_REFUSED', status: 400 });
          expect((await Promise.all(behind)).map(({ message }) => message)).toEqual([
            'c',
            'd',
            'e',
          ]);
          expect(executed).toEqual([...before, 'c', 'd', 'e']);
          expect(bench.gateway.connections.length).toBeLessThanOrEqual(3);
          bench.client.close();
        }
      },
    );

    test('a request that was executed is not taken for it', async () => {
      const executed = await unreading((connection) => connection.error(0, 0, 400, 'no message'));
      await bench.client.request('a');
      bench.cut();
      const good = bench.client.request('good');
      const bad = bench.client.request('bad').catch((error: unknown) => error);
      await bench.pass(30_000, 500);
      expect((await good).message).toBe('good');
      expect(await bad).toMatchObject({ code: 'REQUEST_REFUSED', status: 400 });
      expect(executed).toEqual(['a', 'good']);
    });
  });
});
