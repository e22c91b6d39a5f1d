import { afterEach, describe, expect, test } from '@jest/globals';
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type { CallOptions, ChannelOptions, ServiceError } from '@grpc/grpc-js';
import { StartupError } from '../../src/base/errors.js';
import type { GrpcServer, GrpcServerOptions, ServerKind } from '../../src/grpc/grpc-server.js';
import { grpcServer } from '../../src/grpc/server-kinds.js';
import type { UnaryMethod } from '../../src/grpc/server-method.js';
import { GrpcStatus } from '../../src/grpc/unary-caller.js';
import { FakeClock } from '../support/fake-clock.js';
import { PATIENCE_MS } from '../support/patience.js';
import { until } from '../support/until.js';

const PATH = '/t.T/Echo';
const GRACE_MS = 50;
const identity = (bytes: Buffer): Buffer => bytes;

const echo: UnaryMethod = { path: PATH, handle: (bytes, _, respond) => respond(bytes) };

/** What every GrpcServer promises of its life and of unary calls (src/grpc/grpc-server.ts), to the gRPC project's client. */
export function grpcServerSuite(kind: ServerKind): void {
  const servers: GrpcServer[] = [];
  const clients: Client[] = [];

  function serve(
    options: Partial<GrpcServerOptions>,
    methods: UnaryMethod[] = [echo],
    clock?: FakeClock,
  ): GrpcServer {
    const address = { address: '127.0.0.1:0', addressKey: 'server.grpc_addr', graceMs: GRACE_MS };
    const server = grpcServer({ kind, ...address, ...options }, methods, clock);
    servers.push(server);
    return server;
  }

  function clientOf(server: GrpcServer, options: ChannelOptions = {}): Client {
    const all = { 'grpc.max_receive_message_length': -1, 'grpc.enable_retries': 0, ...options };
    const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure(), all);
    clients.push(client);
    return client;
  }

  /** The answer, or the status and its text. */
  function call(
    client: Client,
    request: Buffer | string,
    {
      path = PATH,
      metadata = {},
      ...options
    }: { path?: string; metadata?: Record<string, string> } & CallOptions = {},
  ): Promise<Buffer | { code: number; details: string }> {
    const fields = new Metadata();
    for (const [name, value] of Object.entries(metadata)) fields.set(name, value);
    const deadline = { deadline: Date.now() + PATIENCE_MS, ...options };
    return new Promise((resolve) => {
      const done = (error: ServiceError | null, answer?: Buffer): void =>
        resolve(answer ?? { code: error?.code ?? -1, details: error?.details ?? '' });
      client.makeUnaryRequest(
        path,
        identity,
        identity,
        Buffer.from(request),
        fields,
        deadline,
        done,
      );
    });
  }

  const text = async (answer: ReturnType<typeof call>): Promise<string> => {
    const given = await answer;
    return Buffer.isBuffer(given) ? given.toString() : `status ${given.code}: ${given.details}`;
  };

  describe(`a gRPC server of kind ${kind}`, () => {
    afterEach(async () => {
      for (const client of clients.splice(0)) client.close();
      await Promise.all(servers.splice(0).map((server) => server.stop()));
    });

    test('a port in use is one clear line', async () => {
      const first = serve({});
      await first.start();
      const failure = await serve({ address: `127.0.0.1:${first.port}` })
        .start()
        .then(
          () => null,
          (error: unknown) => error as StartupError,
        );
      expect(failure).toBeInstanceOf(StartupError);
      expect(failure?.code).toBe('PORT_IN_USE');
      expect(failure?.message).toBe(
        `server.grpc_addr 127.0.0.1:${first.port} is in use by another process; stop it or choose another port`,
      );
    });

    test.each([['nonsense'], ['host:70000'], ['::1:5']])('%s is no address', async (address) => {
      await expect(serve({ address }).start()).rejects.toThrow(
        `server.grpc_addr ${address} is not host:port`,
      );
    });

    test('an address of another machine is one clear line', async () => {
      await expect(serve({ address: '192.0.2.1:0' }).start()).rejects.toThrow(
        /^server\.grpc_addr 192\.0\.2\.1:0 is not an address of this machine; /,
      );
    });

    test(':port listens on every address; starting twice is starting once', async () => {
      const server = serve({ address: ':0' });
      await server.start();
      await server.start();
      expect(await text(call(clientOf(server), 'hello'))).toBe('hello');
    });

    test('one that never started stops', async () => {
      await serve({}).stop();
    });

    test('tells the method who called', async () => {
      const who: UnaryMethod = {
        path: PATH,
        handle: (_, peer, respond) => respond(Buffer.from(peer)),
      };
      const server = serve({}, [who]);
      await server.start();
      expect(await text(call(clientOf(server), ''))).toMatch(/^127\.0\.0\.1:\d+$/);
    });

    test('a second answer is ignored, and one after a throw too', async () => {
      const server = serve({}, [
        {
          path: PATH,
          handle: (bytes, _, respond, refuse) => {
            respond(bytes);
            respond(Buffer.from('again'));
            refuse(GrpcStatus.INTERNAL, 'nor this');
            throw new Error('afterwards');
          },
        },
      ]);
      await server.start();
      const client = clientOf(server);
      expect(await text(call(client, 'once'))).toBe('once');
      expect(await text(call(client, 'twice'))).toBe('twice');
    });

    test('what a method throws is INTERNAL without its text', async () => {
      const throws = {
        path: PATH,
        handle: () => {
          throw new Error('inside');
        },
      };
      const server = serve({}, [throws]);
      await server.start();
      expect(await text(call(clientOf(server), ''))).toBe('status 13: internal error');
    });

    test.each([
      ['plain', 'no such thing'],
      ['percent and more', '100% of "zähler" – 𝄞\tand a line\nbreak'],
    ])('a status travels with its text: %s', async (_, details) => {
      const refuses: UnaryMethod = {
        path: PATH,
        handle: (_request, _peer, _respond, refuse) => refuse(GrpcStatus.NOT_FOUND, details),
      };
      const server = serve({}, [refuses]);
      await server.start();
      const client = clientOf(server);
      expect(await call(client, '')).toEqual({ code: GrpcStatus.NOT_FOUND, details });
      expect(await call(client, '')).toEqual({ code: GrpcStatus.NOT_FOUND, details });
    });

    test('a method that is not there is UNIMPLEMENTED', async () => {
      const server = serve({});
      await server.start();
      const answer = await call(clientOf(server), 'x', { path: '/t.T/Other' });
      expect(answer).toMatchObject({ code: GrpcStatus.UNIMPLEMENTED });
    });

    test('empty, small and large messages come back as they are', async () => {
      const server = serve({});
      await server.start();
      const client = clientOf(server);
      for (const size of [0, 1, 16_379, 16_384, 65_535, 65_536, 1_048_576, 4 * 1_048_576]) {
        const request = Buffer.alloc(size, `${size} bytes `);
        const answer = await call(client, request);
        expect(Buffer.isBuffer(answer) && answer.equals(request)).toBe(true);
      }
    });

    test('above the limits, either way, is RESOURCE_EXHAUSTED, and the connection goes on', async () => {
      const grows: UnaryMethod = {
        path: PATH,
        handle: (bytes, _, respond) =>
          respond(bytes.toString() === 'grow' ? Buffer.alloc(3_001) : bytes),
      };
      const server = serve({ maxMessageBytes: 2_000, maxSentBytes: 3_000 }, [grows]);
      await server.start();
      const client = clientOf(server);
      const most = await call(client, Buffer.alloc(2_000));
      expect(most).toHaveLength(2_000);
      expect(await call(client, Buffer.alloc(2_001))).toMatchObject({ code: 8 });
      expect(await call(client, Buffer.alloc(1_000_000))).toMatchObject({ code: 8 });
      expect(await call(client, 'grow')).toMatchObject({ code: 8 });
      expect(await text(call(client, 'hello'))).toBe('hello');
    });

    test.each([
      ['deflate', 1],
      ['gzip', 2],
    ])('takes messages compressed by %s', async (_, algorithm) => {
      const server = serve({ maxMessageBytes: 100_000 });
      await server.start();
      const client = clientOf(server, { 'grpc.default_compression_algorithm': algorithm });
      const request = Buffer.alloc(50_000, 'much the same ');
      const answer = await call(client, request);
      expect(Buffer.isBuffer(answer) && answer.equals(request)).toBe(true);
      // What unfolds beyond the limit is refused as if it had come so.
      expect(await call(client, Buffer.alloc(100_001))).toMatchObject({ code: 8 });
      expect(await text(call(client, 'hello'))).toBe('hello');
    });

    test('a guarded method is open to who knows the secret only', async () => {
      const server = serve({ secret: 'open sesame' }, [
        { ...echo, guarded: true },
        { ...echo, path: '/t.T/Open' },
      ]);
      await server.start();
      const client = clientOf(server);
      const refusal = 'status 16: metadata authorization: Bearer SECRET is missing or wrong';
      expect(await text(call(client, 'x'))).toBe(refusal);
      const wrong = { authorization: 'Bearer open says me' };
      expect(await text(call(client, 'x', { metadata: wrong }))).toBe(refusal);
      const right = { authorization: 'Bearer open sesame' };
      expect(await text(call(client, 'x', { metadata: right }))).toBe('x');
      expect(await text(call(client, 'x', { path: '/t.T/Open' }))).toBe('x');
    });

    test('a late answer to a call that is over is dropped', async () => {
      const answers: (() => void)[] = [];
      const late: UnaryMethod = {
        path: PATH,
        handle: (bytes, _, respond) => {
          if (bytes.toString() === 'late') answers.push(() => respond(bytes));
          else respond(bytes);
        },
      };
      const server = serve({}, [late]);
      await server.start();
      const client = clientOf(server);
      const expired = await call(client, 'late', { deadline: Date.now() + 100 });
      expect(expired).toMatchObject({ code: GrpcStatus.DEADLINE_EXCEEDED });
      for (const answer of answers) answer();
      expect(await text(call(client, 'hello'))).toBe('hello');
    });

    test('many calls at once are all answered, each with its own', async () => {
      const server = serve({}, [
        { path: PATH, handle: (bytes, _, respond) => setImmediate(() => respond(bytes)) },
      ]);
      await server.start();
      const client = clientOf(server);
      const asked = Array.from({ length: 2_500 }, (_, index) => `request ${index}`);
      expect(await Promise.all(asked.map((one) => text(call(client, one))))).toEqual(asked);
    });

    test('drain lets calls finish; stop ends those that do not', async () => {
      const arrived = new Map<string, () => void>();
      const clock = new FakeClock();
      const waits: UnaryMethod = {
        path: PATH,
        handle: (bytes, _, respond) => {
          arrived.set(bytes.toString(), () => respond(bytes));
        },
      };
      const server = serve({}, [waits], clock);
      await server.start();
      const client = clientOf(server);
      const waiting = text(call(client, 'wait'));
      const hanging = text(call(client, 'hang'));
      await until(() => arrived.size === 2);
      const stopped = Promise.all([server.stop(), server.stop()]);
      arrived.get('wait')?.();
      expect(await waiting).toBe('wait');
      clock.advance(GRACE_MS);
      await stopped;
      expect(await hanging).toMatch(/^status/);
    });

    test('drain ends when the last call has its answer, with clients still connected', async () => {
      const answers: (() => void)[] = [];
      const waits: UnaryMethod = {
        path: PATH,
        handle: (bytes, _, respond) => answers.push(() => respond(bytes)),
      };
      const server = serve({}, [waits]);
      await server.start();
      const answer = text(call(clientOf(server), 'last'));
      await until(() => answers.length === 1);
      let drained = false;
      const draining = server.drain().then(() => (drained = true));
      const port = server.port;
      await until(async () => {
        const late = clientOf({ port } as GrpcServer);
        return (await text(call(late, 'late'))).startsWith('status 14');
      });
      expect(drained).toBe(false);
      answers[0]?.();
      expect(await answer).toBe('last');
      await draining;
    });
  });
}
