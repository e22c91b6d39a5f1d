import { afterEach, describe, expect, test } from '@jest/globals';
import { StartupError } from '../../../src/base/errors.js';
import { GrpcJsCaller } from '../../../src/grpc/grpc-js-caller.js';
import type { GrpcServer } from '../../../src/grpc/grpc-server.js';
import { grpcServer } from '../../../src/grpc/server-kinds.js';
import type { UnaryMethod } from '../../../src/grpc/server-method.js';
import { FakeClock } from '../../support/fake-clock.js';
import { PATIENCE_MS } from '../../support/patience.js';
import { until } from '../../support/until.js';

const servers: GrpcServer[] = [];
const callers: GrpcJsCaller[] = [];
const GRACE_MS = 50;

function serve(address: string, methods: UnaryMethod[] = [], clock?: FakeClock): GrpcServer {
  const options = { address, addressKey: 'server.grpc_addr', graceMs: GRACE_MS };
  const server = grpcServer(options, methods, clock);
  servers.push(server);
  return server;
}

function call(server: GrpcServer, text: string): Promise<string> {
  const caller = new GrpcJsCaller(`127.0.0.1:${server.port}`);
  callers.push(caller);
  return new Promise((resolve) =>
    caller.call('/t.T/Echo', Buffer.from(text), PATIENCE_MS, {
      onResponse: (bytes) => resolve(Buffer.from(bytes).toString()),
      onFailure: (failure) => resolve(`status ${failure.status}`),
    }),
  );
}

afterEach(async () => {
  for (const caller of callers.splice(0)) caller.close();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

describe('a gRPC server', () => {
  test('a port in use is one clear line', async () => {
    const first = serve('127.0.0.1:0');
    await first.start();
    const second = serve(`127.0.0.1:${first.port}`);
    const failure = await second.start().then(
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
    await expect(serve(address).start()).rejects.toThrow(
      `server.grpc_addr ${address} is not host:port`,
    );
  });

  test('an address of another machine is one clear line', async () => {
    await expect(serve('192.0.2.1:0').start()).rejects.toThrow(
      /^server\.grpc_addr 192\.0\.2\.1:0 is not an address of this machine; /,
    );
  });

  test(':port listens on every address', async () => {
    const server = serve(':0', [
      { path: '/t.T/Echo', handle: (bytes, _, respond) => respond(bytes) },
    ]);
    await server.start();
    await server.start();
    expect(await call(server, 'hello')).toBe('hello');
  });

  test('tells the method who called', async () => {
    const server = serve('127.0.0.1:0', [
      { path: '/t.T/Echo', handle: (_, peer, respond) => respond(Buffer.from(peer)) },
    ]);
    await server.start();
    expect(await call(server, '')).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test('a second answer is ignored, and one after a throw too', async () => {
    const server = serve('127.0.0.1:0', [
      {
        path: '/t.T/Echo',
        handle: (bytes, _, respond) => {
          respond(bytes);
          respond(Buffer.from('again'));
          throw new Error('afterwards');
        },
      },
    ]);
    await server.start();
    expect(await call(server, 'once')).toBe('once');
  });

  test('drain lets calls finish; stop ends those that do not', async () => {
    const arrived = new Map<string, () => void>();
    const clock = new FakeClock();
    const echo: UnaryMethod = {
      path: '/t.T/Echo',
      handle: (bytes, _, respond) => {
        arrived.set(bytes.toString(), () => respond(bytes));
      },
    };
    const server = serve('127.0.0.1:0', [echo], clock);
    await server.start();
    const waits = call(server, 'wait');
    const hangs = call(server, 'hang');
    await until(() => arrived.size === 2);
    const stopped = Promise.all([server.stop(), server.stop()]);
    arrived.get('wait')?.();
    expect(await waits).toBe('wait');
    clock.advance(GRACE_MS);
    await stopped;
    expect(await hangs).toMatch(/^status/);
  });
});
