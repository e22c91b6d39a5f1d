import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SystemClock } from '../../src/base/clock.js';
import type { Clock } from '../../src/base/clock.js';
import type { CallerFactory } from '../../src/grpc/unary-caller.js';
import { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { ProcessCall } from '../../src/upstream/process-call.js';
import type { FailureKind } from '../../src/upstream/process-call.js';
import { encodeRequest } from '../../src/upstream/request-codec.js';
import { UpstreamClient } from '../../src/upstream/upstream-client.js';
import type { UpstreamResponse } from '../../src/wire/messages.js';
import { CuttableWire } from '../support/cuttable-wire.js';
import { FakeClock } from '../support/fake-clock.js';
import { PATIENCE_MS } from '../support/patience.js';
import { until } from '../support/until.js';

/** One request; keeps what became of it. */
export class TestCall extends ProcessCall {
  readonly outcomes: (UpstreamResponse | FailureKind)[] = [];

  constructor(
    seq: number,
    action: string,
    data: string | Uint8Array = '',
    sessionId = 'session-1',
  ) {
    const request = {
      sessionId,
      openid: 'alice',
      clientSeqId: seq,
      action,
      params: {},
      data: typeof data === 'string' ? Buffer.from(data) : data,
      headers: {},
    };
    super(encodeRequest(request), sessionId, seq);
  }

  start(client: UpstreamClient, deadline = PATIENCE_MS): this {
    this.send(client, deadline);
    return this;
  }

  protected answered(response: UpstreamResponse): void {
    this.outcomes.push(response);
  }

  protected failed(kind: FailureKind): void {
    this.outcomes.push(kind);
  }

  /** The outcome: the answer's text, or the kind of failure. */
  async outcome(): Promise<string> {
    await until(() => this.outcomes.length > 0);
    const [outcome] = this.outcomes;
    if (typeof outcome === 'string') return outcome;
    return Buffer.from(outcome?.data ?? []).toString();
  }
}

/** What the way of a business request to its upstream promises, whatever it is made of. */
export function processPathSuite(name: string, makeCaller: CallerFactory, stream: boolean): void {
  describe(`${name} as the way of requests`, () => {
    let server: UpstreamServer;
    let seen: string[];
    let clients: UpstreamClient[];
    let hanging: ((answer: string) => void)[];
    let wire: CuttableWire | null;

    const startServer = async (clock?: Clock): Promise<void> => {
      const base = { zone: '001', serviceName: 'test', gateways: [], listen: '127.0.0.1:0' };
      server = new UpstreamServer(clock === undefined ? base : { ...base, clock });
      server.handle('echo', ({ text }) => {
        seen.push(text);
        return text;
      });
      server.handle('late', async ({ text }) => {
        seen.push(text);
        await new Promise((resolve) => setTimeout(resolve, 800));
        return text;
      });
      server.handle('hang', ({ text }) => {
        seen.push(text);
        return new Promise<string>((resolve) => hanging.push(resolve));
      });
      await server.start();
    };

    const connect = (address = `127.0.0.1:${server.port}`): UpstreamClient => {
      const client = new UpstreamClient(makeCaller(address), 'test', new SystemClock());
      client.useStream(stream);
      clients.push(client);
      return client;
    };

    beforeEach(async () => {
      seen = [];
      clients = [];
      hanging = [];
      wire = null;
      await startServer();
    });

    afterEach(async () => {
      for (const client of clients) client.close();
      for (const answer of hanging) answer('at last');
      await wire?.close();
      await server.stop();
    });

    test('brings the answer, and none before send has returned', async () => {
      const call = new TestCall(1, 'echo', 'hello').start(connect());
      expect(call.outcomes).toHaveLength(0);
      expect(await call.outcome()).toBe('hello');
    });

    test('requests arrive in the order in which they were sent, before it is connected too', async () => {
      const client = connect();
      const texts = Array.from({ length: 300 }, (_, index) => `request ${index}`);
      const calls = texts.map((text, index) => new TestCall(index + 1, 'echo', text).start(client));
      for (const [index, call] of calls.entries()) expect(await call.outcome()).toBe(texts[index]);
      expect(seen).toEqual(texts);
    });

    test('the same number of two sessions is two requests', async () => {
      const client = connect();
      const one = new TestCall(1, 'late', 'one', 'session-1').start(client);
      const two = new TestCall(1, 'echo', 'two', 'session-2').start(client);
      expect(await two.outcome()).toBe('two');
      expect(await one.outcome()).toBe('one');
    });

    test('a request without session id and one with text beyond ASCII pass', async () => {
      const client = connect();
      expect(await new TestCall(1, 'echo', 'plain', '').start(client).outcome()).toBe('plain');
      const call = new TestCall(1, 'echo', 'здравствуй', 'сессия-1').start(client);
      expect(await call.outcome()).toBe('здравствуй');
    });

    test('large requests and answers pass', async () => {
      const client = connect();
      const large = Array.from({ length: 4 }, (_, index) => `${index}`.repeat(900_000));
      const calls = large.map((text, index) => new TestCall(index + 1, 'echo', text).start(client));
      for (const [index, call] of calls.entries()) {
        expect((await call.outcome()) === large[index]).toBe(true);
      }
    });

    test('an address that swallows packets is unreachable, not slow', async () => {
      const silent = createServer();
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const sockets = new Set<Socket>();
      silent.on('connection', (socket) => void sockets.add(socket));
      try {
        const { port } = silent.address() as AddressInfo;
        const client = connect(`127.0.0.1:${port}`);
        const calls = [1, 2].map((seq) => new TestCall(seq, 'echo').start(client, seq * 50));
        for (const call of calls) expect(await call.outcome()).toBe('unreachable');
      } finally {
        for (const socket of sockets) socket.destroy();
        silent.close();
      }
    });

    test('a request above the limit is declined, and others go on', async () => {
      const client = connect();
      const big = new TestCall(1, 'echo', Buffer.alloc(5 * 1_048_576)).start(client);
      expect(await big.outcome()).toBe('declined');
      expect(await new TestCall(2, 'echo', 'next').start(client).outcome()).toBe('next');
    });

    test('the deadline ends a request; its late answer reaches nobody', async () => {
      const client = connect();
      expect(await new TestCall(1, 'echo', 'connected').start(client).outcome()).toBe('connected');
      const call = new TestCall(2, 'late', 'too late').start(client, 300);
      expect(await call.outcome()).toBe('timeout');
      await new Promise((resolve) => setTimeout(resolve, 900));
      expect(call.outcomes).toHaveLength(1);
      expect(await new TestCall(3, 'echo', 'next').start(client).outcome()).toBe('next');
    });

    test('cancel ends a request once; others go on', async () => {
      const client = connect();
      const other = new TestCall(1, 'late', 'other').start(client);
      const call = new TestCall(2, 'hang', 'hang').start(client);
      await until(() => seen.includes('hang'));
      call.cancel();
      call.cancel();
      expect(await call.outcome()).toBe('cancelled');
      expect(await other.outcome()).toBe('other');
      expect([call.outcomes.length, other.outcomes.length]).toEqual([1, 1]);
    });

    test('a port where nobody listens: unreachable, each time', async () => {
      const { port } = server;
      await server.stop();
      const client = connect(`127.0.0.1:${port}`);
      for (let seq = 1; seq <= 3; seq++) {
        const call = new TestCall(seq, 'echo', 'hello').start(client);
        expect(await call.outcome()).toBe('unreachable');
      }
    });

    test('a connection that breaks: what is under way is lost, once; the next one is found', async () => {
      wire = await CuttableWire.to(server.port);
      const client = connect(`127.0.0.1:${wire.port}`);
      const calls = [1, 2, 3].map((seq) => new TestCall(seq, 'hang', `hang ${seq}`).start(client));
      await until(() => seen.length === 3);
      wire.cut();
      for (const call of calls) expect(await call.outcome()).toBe('lost');
      let seq = 10;
      const unsent: string[] = [];
      await until(async () => {
        const call = new TestCall(seq, 'echo', `again ${seq++}`).start(client);
        const outcome = await call.outcome();
        if (outcome === 'unreachable') unsent.push(`again ${seq - 1}`);
        return outcome.startsWith('again');
      });
      for (const text of unsent) expect(seen).not.toContain(text);
      expect(calls.map(({ outcomes }) => outcomes.length)).toEqual([1, 1, 1]);
    });

    test('an upstream that stops in good order answers what is under way', async () => {
      await server.stop();
      // The two seconds that it gives them do not pass before they are answered.
      const clock = new FakeClock();
      await startServer(clock);
      const client = connect();
      const calls = [1, 2, 3].map((seq) => new TestCall(seq, 'late', `late ${seq}`).start(client));
      await until(() => seen.length === 3);
      const stopping = server.stop();
      for (const [index, call] of calls.entries()) {
        expect(await call.outcome()).toBe(`late ${index + 1}`);
      }
      const stopped = stopping.then(() => true);
      await until(() => Promise.race([stopped, clock.advanceAsync(1_000).then(() => false)]));
      const call = new TestCall(9, 'echo', 'too late').start(client);
      expect(await call.outcome()).toBe('unreachable');
    });

    test('close ends what is under way', async () => {
      const client = connect();
      const call = new TestCall(1, 'hang', 'hang').start(client, 300);
      await until(() => seen.includes('hang') || call.outcomes.length > 0);
      client.close();
      client.close();
      expect(['lost', 'cancelled', 'unreachable', 'timeout']).toContain(await call.outcome());
      expect(await new TestCall(2, 'echo', 'late').start(client).outcome()).toBe('unreachable');
    });
  });
}
