import { createServer } from 'node:net';
import type { Server as NetServer, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { GrpcServer } from '../../src/grpc/grpc-server.js';
import { grpcServer } from '../../src/grpc/server-kinds.js';
import type { UnaryMethod } from '../../src/grpc/server-method.js';
import { GrpcStatus } from '../../src/grpc/unary-caller.js';
import type {
  CallFailure,
  CallHandle,
  CallerFactory,
  UnaryCaller,
} from '../../src/grpc/unary-caller.js';
import { frame } from './http2-peer.js';
import { PATIENCE_MS } from './patience.js';
import { RawHttp2Peer, setting, uint32 } from './raw-http2-peer.js';
import { until } from './until.js';

type Outcome = { bytes: string } | CallFailure;

const PATH = '/test.Service/Method';

/** Calls and keeps every outcome; `handle` is set when the promise is returned. */
function callOf(
  caller: UnaryCaller,
  text: string | Uint8Array,
  deadline = PATIENCE_MS,
): { outcome: Promise<Outcome>; outcomes: Outcome[]; handle: CallHandle } {
  const outcomes: Outcome[] = [];
  let settle: (outcome: Outcome) => void = () => undefined;
  const outcome = new Promise<Outcome>((resolve) => (settle = resolve));
  const note = (one: Outcome): void => {
    outcomes.push(one);
    settle(one);
  };
  const request = typeof text === 'string' ? Buffer.from(text) : text;
  const handle = caller.call(PATH, request, deadline, {
    onResponse: (bytes) => note({ bytes: Buffer.from(bytes).toString() }),
    onFailure: note,
  });
  return { outcome, outcomes, handle };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Calls until one is answered, for a channel connects again in its own time.
 * @returns the requests that were said to have never been sent.
 */
async function untilAnswered(caller: UnaryCaller): Promise<string[]> {
  const neverSent: string[] = [];
  let attempt = 0;
  await until(async () => {
    const text = `attempt ${attempt++}`;
    const outcome = await callOf(caller, text).outcome;
    if ('bytes' in outcome) return true;
    if (outcome.neverSent) neverSent.push(text);
    return false;
  }, 'an answer');
  return neverSent;
}

/** What every UnaryCaller promises (src/grpc/unary-caller.ts). */
export function unaryCallerSuite(name: string, makeCaller: CallerFactory): void {
  describe(`${name} as a UnaryCaller`, () => {
    let server: GrpcServer;
    let seen: string[];
    let callers: UnaryCaller[];

    const methods: UnaryMethod[] = [
      {
        path: PATH,
        handle: (request, _, respond) => {
          const text = Buffer.from(request).toString();
          seen.push(text.slice(0, 20));
          if (text === 'hang') return;
          if (text === 'throw') throw new Error('inside');
          if (text === 'late') setTimeout(() => respond(request), 800);
          else respond(text === 'large' ? Buffer.alloc(200_000, 'x') : request);
        },
      },
    ];

    const startServer = async (port = 0): Promise<void> => {
      server = grpcServer({ address: `127.0.0.1:${port}`, graceMs: 0 }, methods);
      await server.start();
    };

    const connect = (address = `127.0.0.1:${server.port}`): UnaryCaller => {
      const caller = makeCaller(address);
      callers.push(caller);
      return caller;
    };

    beforeEach(async () => {
      seen = [];
      callers = [];
      await startServer();
    });

    afterEach(async () => {
      for (const caller of callers) caller.close();
      await server.stop();
    });

    test('brings the response', async () => {
      const caller = connect();
      expect(await callOf(caller, 'hello').outcome).toEqual({ bytes: 'hello' });
      expect(caller.outage ?? 0).toBe(0);
    });

    test('an empty message is a message', async () => {
      expect(await callOf(connect(), '').outcome).toEqual({ bytes: '' });
    });

    test('takes views of larger buffers and plain Uint8Arrays', async () => {
      const view = new Uint8Array(Buffer.from('xxhelloxx')).subarray(2, 7);
      expect(await callOf(connect(), view).outcome).toEqual({ bytes: 'hello' });
    });

    test('large messages pass both ways', async () => {
      const caller = connect();
      expect(await callOf(caller, 'large').outcome).toEqual({ bytes: 'x'.repeat(200_000) });
      const large = 'y'.repeat(1_000_000);
      expect(await callOf(caller, large).outcome).toEqual({ bytes: large });
    });

    test('sends calls in the order in which they were made, also before it is connected', async () => {
      const caller = connect();
      const texts = Array.from({ length: 200 }, (_, index) => `call ${index}`);
      await Promise.all(texts.map((text) => callOf(caller, text).outcome));
      expect(seen).toEqual(texts);
    });

    test('tells no outcome before call has returned', async () => {
      const caller = connect();
      const { outcomes, outcome } = callOf(caller, 'hello');
      expect(outcomes).toHaveLength(0);
      await outcome;
      caller.close();
      const late = callOf(caller, 'hello');
      expect(late.outcomes).toHaveLength(0);
      expect(await late.outcome).toMatchObject({ neverSent: true });
    });

    test('the deadline ends a call; the late answer reaches nobody', async () => {
      const caller = connect();
      expect(await callOf(caller, 'first').outcome).toEqual({ bytes: 'first' });
      const call = callOf(caller, 'late', 300);
      expect(await call.outcome).toMatchObject({
        status: GrpcStatus.DEADLINE_EXCEEDED,
        neverSent: false,
      });
      await pause(900);
      expect(call.outcomes).toHaveLength(1);
      expect(await callOf(caller, 'next').outcome).toEqual({ bytes: 'next' });
    });

    test('cancel ends a call once; other calls go on', async () => {
      const caller = connect();
      const other = callOf(caller, 'late');
      const call = callOf(caller, 'hang');
      await until(() => seen.includes('hang'));
      call.handle.cancel();
      call.handle.cancel();
      expect(await call.outcome).toMatchObject({ status: GrpcStatus.CANCELLED });
      expect(await other.outcome).toEqual({ bytes: 'late' });
      call.handle.cancel();
      other.handle.cancel();
      expect(call.outcomes).toHaveLength(1);
      expect(other.outcomes).toHaveLength(1);
    });

    test('a method that is not served is UNIMPLEMENTED and was sent', async () => {
      const outcome = await new Promise((resolve) =>
        connect().call('/test.Service/Other', Buffer.from('x'), PATIENCE_MS, {
          onResponse: resolve,
          onFailure: resolve,
        }),
      );
      expect(outcome).toMatchObject({ status: GrpcStatus.UNIMPLEMENTED, neverSent: false });
    });

    test('a status of the peer arrives as it is', async () => {
      const outcome = await callOf(connect(), 'throw').outcome;
      expect(outcome).toMatchObject({ status: GrpcStatus.INTERNAL, neverSent: false });
    });

    test('a port where nobody listens: UNAVAILABLE, surely not sent', async () => {
      const { port } = server;
      await server.stop();
      const caller = connect(`127.0.0.1:${port}`);
      for (let attempt = 0; attempt < 3; attempt++) {
        expect(await callOf(caller, 'hello').outcome).toMatchObject({
          status: GrpcStatus.UNAVAILABLE,
          neverSent: true,
        });
      }
    });

    test('a peer that dies with a call under way ends it, and in doubt it was sent', async () => {
      const caller = connect();
      const call = callOf(caller, 'hang');
      await until(() => seen.includes('hang'));
      await server.stop();
      const outcome = await call.outcome;
      expect(outcome).toHaveProperty('neverSent', false);
      // A stream that the dying peer still reset is CANCELLED.
      expect([GrpcStatus.UNAVAILABLE, GrpcStatus.CANCELLED]).toContain(
        'status' in outcome ? outcome.status : GrpcStatus.OK,
      );
    });

    test('connects again to a peer that returns on the same port', async () => {
      const caller = connect();
      expect(await callOf(caller, 'one').outcome).toEqual({ bytes: 'one' });
      const { port } = server;
      await server.stop();
      // Those before the caller has seen the end of its connection are in doubt.
      await until(async () => {
        const outcome = await callOf(caller, 'two').outcome;
        expect(outcome).not.toHaveProperty('bytes');
        return 'status' in outcome && outcome.neverSent;
      }, 'a call that was never sent');
      await startServer(port);
      const neverSent = await untilAnswered(caller);
      for (const text of ['two', ...neverSent]) expect(seen).not.toContain(text);
    });

    test('a message above the limit is RESOURCE_EXHAUSTED, and other calls go on', async () => {
      const caller = connect();
      const outcome = await callOf(caller, 'z'.repeat(5 * 1_048_576)).outcome;
      expect(outcome).toMatchObject({ status: GrpcStatus.RESOURCE_EXHAUSTED });
      expect(await callOf(caller, 'next').outcome).toEqual({ bytes: 'next' });
    });

    test('close ends the calls under way', async () => {
      const caller = connect();
      const call = callOf(caller, 'hang', 200);
      await until(() => seen.includes('hang') || call.outcomes.length > 0);
      caller.close();
      caller.close();
      expect(await call.outcome).not.toHaveProperty('bytes');
    });
  });

  describe(`${name} and peers that say much`, () => {
    test('a status of 15 KB arrives as one line, and other calls go on', async () => {
      const peer = new RawHttp2Peer((session, id) => {
        if (id === 1) session.refuse(id, GrpcStatus.NOT_FOUND, 'long-'.repeat(3_000));
        else session.answer(id, Buffer.from('good'));
      });
      const caller = makeCaller(await peer.listen());
      try {
        const outcome = await callOf(caller, 'bad').outcome;
        expect(outcome).toMatchObject({ status: GrpcStatus.NOT_FOUND, neverSent: false });
        expect('message' in outcome ? outcome.message : '').toMatch(/^long-long.{0,200}$/);
        expect(await callOf(caller, 'next').outcome).toEqual({ bytes: 'good' });
        expect(peer.sessions).toHaveLength(1);
      } finally {
        caller.close();
        await peer.close();
      }
    });
  });

  describe(`${name} and peers that do not speak gRPC`, () => {
    const sockets = new Set<Socket>();
    let listener: NetServer;
    let caller: UnaryCaller | null = null;

    const listen = async (onConnection: (socket: Socket) => void): Promise<string> => {
      listener = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => undefined);
        onConnection(socket);
      });
      await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
      const address = listener.address();
      return `127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
    };

    afterEach(async () => {
      caller?.close();
      for (const socket of sockets) socket.destroy();
      sockets.clear();
      await new Promise((resolve) => listener.close(resolve));
    });

    test.each([
      ['closes at once', (socket: Socket) => void socket.destroy()],
      ['answers HTTP/1', (socket: Socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
      ['answers noise', (socket: Socket) => void socket.write(Buffer.alloc(4_096, 0xa5))],
    ])('one that %s', async (_, behave) => {
      caller = makeCaller(await listen(behave));
      const outcome = await callOf(caller, 'hello', 3_000).outcome;
      expect(outcome).not.toHaveProperty('bytes');
      expect(outcome).toHaveProperty('neverSent', true);
      expect(caller.outage ?? 1).toBeGreaterThan(0);
    });

    test('one that takes everything and never reads: deadlines end the calls', async () => {
      const windows = [
        frame(4, 0, 0, setting(4, 2 ** 31 - 1)),
        frame(8, 0, 0, uint32(2 ** 31 - 65_536)),
      ];
      const listening = await listen((socket) => {
        socket.pause();
        for (const each of windows) socket.write(each);
      });
      caller = makeCaller(listening);
      const large = 'z'.repeat(3 * 1_048_576);
      const calls = Array.from({ length: 6 }, () => callOf(caller as UnaryCaller, large, 500));
      for (const { outcome } of calls) {
        expect(await outcome).toMatchObject({ status: GrpcStatus.DEADLINE_EXCEEDED });
      }
    });

    test('one that says nothing: the deadline ends the call', async () => {
      caller = makeCaller(await listen(() => undefined));
      const outcome = await callOf(caller, 'hello', 100).outcome;
      expect(outcome).toMatchObject({ status: GrpcStatus.DEADLINE_EXCEEDED, neverSent: true });
      expect(outcome).not.toHaveProperty('busy', true);
    });
  });
}
