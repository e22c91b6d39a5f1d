import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { SystemClock } from '../../../../src/base/clock.js';
import type { Clock } from '../../../../src/base/clock.js';
import { DeadlineQueue } from '../../../../src/grpc/deadline-queue.js';
import type { GrpcServer } from '../../../../src/grpc/grpc-server.js';
import { grpcServer } from '../../../../src/grpc/server-kinds.js';
import type { UnaryMethod } from '../../../../src/grpc/server-method.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { RawHttp2Client } from '../../../support/raw-http2-client.js';
import { message, setting, uint32 } from '../../../support/raw-http2-peer.js';
import { until } from '../../../support/until.js';

const ECHO = '/t.T/Echo';
const SLOW = '/t.T/Slow';
const SHORT = '/t.T/Short';
const [DATA, SETTINGS, WINDOW_UPDATE] = [0, 4, 8] as const;
const INITIAL_WINDOW_SIZE = 4;
const ENHANCE_YOUR_CALM = 11;
const SLOW_MS = 15;

let server: GrpcServer;
let clock: FakeClock;
let seen: string[];
const clients: RawHttp2Client[] = [];

const methods: UnaryMethod[] = [
  {
    path: ECHO,
    handle: (bytes, _, respond) => {
      seen.push('echo');
      respond(bytes);
    },
  },
  { path: SHORT, maxRequestBytes: 4_096, handle: (bytes, _, respond) => respond(bytes) },
  {
    path: SLOW,
    handle: (_, __, respond) => {
      seen.push('slow');
      const end = performance.now() + SLOW_MS;
      while (performance.now() < end);
      respond(Buffer.alloc(0));
    },
  },
];

async function serve(by: Clock): Promise<void> {
  const options = { kind: 'framed', address: '127.0.0.1:0', graceMs: 0 } as const;
  server = grpcServer(options, methods, by, []);
  await server.start();
}

function connect(): RawHttp2Client {
  const client = new RawHttp2Client(server.port);
  clients.push(client);
  return client;
}

beforeEach(() => {
  clock = new FakeClock();
  seen = [];
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.stop();
});

test('SETTINGS without end cost the connection, and nobody else', async () => {
  await serve(clock);
  const bystander = connect().hello();
  const client = connect().hello();
  for (let count = 0; count < 1_100; count++) {
    client.send(SETTINGS, 0, 0, setting(INITIAL_WINDOW_SIZE, 65_535 + (count % 2)));
  }
  await until(() => client.closed);
  expect(client.goaways.map(([, code]) => code)).toEqual([ENHANCE_YOUR_CALM]);
  bystander.call(1, ECHO, 'unmoved');
  expect((await bystander.ended(1)).body).toEqual(message('unmoved'));
});

test('a caller that changes its windows now and then may go on for ever', async () => {
  await serve(clock);
  const client = connect().hello();
  for (let count = 0; count < 30; count++) {
    for (let each = 0; each < 100; each++) {
      client.send(SETTINGS, 0, 0, setting(INITIAL_WINDOW_SIZE, 65_535 + (each % 2)));
    }
    await until(() => client.settingsAcks === 1 + 100 * (count + 1));
    clock.advance(1_000);
  }
  client.call(1, ECHO, 'served');
  expect((await client.ended(1)).body).toEqual(message('served'));
});

test('of several windows in one SETTINGS the last one counts', async () => {
  await serve(clock);
  const client = connect().hello(setting(INITIAL_WINDOW_SIZE, 0));
  client.call(1, ECHO, 'answer');
  const windows = [2 ** 31 - 1, 0, 3].map((size) => setting(INITIAL_WINDOW_SIZE, size));
  client.send(SETTINGS, 0, 0, Buffer.concat(windows));
  await until(() => client.on(1).body.length > 0);
  expect(client.on(1).body).toHaveLength(3);
  client.send(WINDOW_UPDATE, 0, 1, uint32(100));
  expect((await client.ended(1)).body).toEqual(message('answer'));
});

test('what is refused quotes little of what was asked', async () => {
  await serve(clock);
  const client = connect().hello();
  client.headers(1, `/${'%'.repeat(3_000)}`);
  client.headers(3, ECHO, { 'grpc-encoding': '%'.repeat(3_000) });
  const { fields } = await client.ended(1);
  expect(fields['grpc-status']).toBe('12');
  expect(fields['grpc-message']?.length).toBeLessThanOrEqual(600);
  expect((await client.ended(3)).fields['grpc-message']?.length).toBeLessThanOrEqual(600);
});

test("calls that a caller holds for ever are in nobody else's way, and leave nothing behind", async () => {
  await serve(clock);
  const before = clock.pending;
  const add = jest.spyOn(DeadlineQueue.prototype, 'add');
  const pair = [connect().hello(), connect().hello()];
  for (const client of pair) client.headers(1, ECHO, { 'grpc-timeout': '99999999S' });
  await until(() => add.mock.calls.length === 2);
  expect(add.mock.contexts[0]).not.toBe(add.mock.contexts[1]);
  add.mockRestore();
  for (const client of pair) client.close();
  await until(() => clock.pending === before);
});

test('work that comes fast does not keep others waiting for all of it', async () => {
  await serve(new SystemClock());
  const client = connect().hello();
  const bystander = connect().hello();
  await until(() => client.settingsAcks + bystander.settingsAcks === 2);
  const body = message(Buffer.alloc(60_000));
  for (let id = 1; id < 60; id += 2) {
    client.headers(id, SLOW);
    for (let at = 0; at < body.length; at += 16_384) {
      client.send(DATA, 0, id, body.subarray(at, at + 16_384));
    }
    client.send(DATA, 1, id);
  }
  await until(() => seen.length > 0);
  bystander.call(1, ECHO, 'in between');
  await bystander.ended(1);
  // Without turns all that the system has of a connection, up to 2 MiB, is read before anything else.
  expect(seen.indexOf('echo')).toBeLessThan(8);
  await client.ended(59);
  expect(seen).toHaveLength(31);
});

test('a method of short requests keeps nothing of a long one', async () => {
  await serve(clock);
  const client = connect().hello();
  const large = message(Buffer.alloc(10_000));
  // The beginning says how long it will be.
  client.headers(1, SHORT);
  client.send(DATA, 0, 1, large.subarray(0, 100));
  const { fields } = await client.ended(1);
  expect([fields['grpc-status'], fields['grpc-message']]).toEqual([
    '8',
    expect.stringContaining('the limit is 4096'),
  ]);
  client.call(3, SHORT, 'grpc.health.v1.Health');
  expect((await client.ended(3)).body).toEqual(message('grpc.health.v1.Health'));
  client.headers(5, ECHO);
  client.send(DATA, 1, 5, large);
  expect((await client.ended(5)).body).toEqual(large);
});
