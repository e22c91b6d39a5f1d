import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { registerClientCommand } from '../../src/cli/client.js';
import { createProgram, runProgram } from '../../src/cli/program.js';
import { registerUpstreamCommand } from '../../src/cli/upstream.js';
import type { SignalSource } from '../../src/cli/until-signal.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { zoneOf } from '../../src/routing/zone.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { until } from '../support/quic-fake-gateway.js';

/** Belongs to zone 001 (shared/vectors: MD5, first four bytes, mod 6, plus 1). */
const OPENID = 'bob';
const harness = new GatewayHarness();
let gateway: Gateway;
let upstream: Promise<number>;
const signals = Object.assign(new EventEmitter(), { exit: () => undefined });

beforeAll(async () => {
  gateway = await harness.gateway({ 'server.ws_addr': '127.0.0.1:0' });
  const run = start('upstream', '--zone', '001', '--addr', '127.0.0.1:0', ...toGateway());
  upstream = run.code;
  await until(() => run.out().includes('registered at'));
});

afterAll(async () => {
  signals.emit('SIGTERM', 'SIGTERM');
  expect(await upstream).toBe(0);
  await harness.close();
});

const toGateway = (): string[] => ['--gateway', `127.0.0.1:${gateway.grpcPort}`];

function start(...argv: string[]) {
  const text = { out: '', err: '' };
  const terminal = {
    out: (data: string | Uint8Array) => void (text.out += Buffer.from(data).toString()),
    err: (line: string) => void (text.err += line),
    debug: false,
  };
  const program = createProgram(terminal);
  registerUpstreamCommand(program, terminal, signals as unknown as SignalSource);
  registerClientCommand(program, terminal);
  const code = runProgram(program, argv, terminal);
  return { code, out: () => text.out, err: () => text.err };
}

/** One request as bob. */
async function ask(...argv: string[]) {
  const ca = join(harness.folder, 'ca.crt');
  const server = `127.0.0.1:${gateway.quicPort}`;
  const run = start('client', '--server', server, '--openid', OPENID, '--ca', ca, ...argv);
  return { code: await run.code, out: run.out(), err: run.err() };
}

const openidOf = (zone: string): string =>
  ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].find((name) => zoneOf(name) === zone) ?? '';

const data = (out: string): unknown => JSON.parse(out.trimEnd().split('\n').at(-1) ?? '');

describe('gatesvr client and gatesvr upstream', () => {
  test('hello, echo with parameters, and data from a file', async () => {
    const hello = await ask('--action', 'hello');
    expect([hello.code, hello.err]).toEqual([0, '']);
    expect(hello.out).toMatch(/^200 ok \(\d+\.\d ms\)\nzone: 001\n/);
    const file = join(harness.folder, 'data.txt');
    writeFileSync(file, 'from a file');
    const echo = await ask('--action', 'echo', '--param', 'a=1', '--data', `@${file}`, '--raw');
    expect(echo).toEqual({ code: 0, out: 'from a file', err: '' });
  });

  test('over WebSocket, and no other way than there is', async () => {
    const webSocket = ['--transport', 'websocket', '--server', `127.0.0.1:${gateway.wsPort}`];
    const echo = await ask(...webSocket, '--action', 'echo', '--data', 'over TCP', '--raw');
    expect(echo).toEqual({ code: 0, out: 'over TCP', err: '' });
    const pigeon = await ask('--transport', 'pigeon', '--action', 'echo');
    expect(pigeon).toMatchObject({
      code: 2,
      err: expect.stringContaining('quic, websocket, auto'),
    });
  });

  test('every demo action does its work', async () => {
    const of = async (...argv: string[]) => data((await ask('--hello', '--action', ...argv)).out);
    expect(await of('calculate', '--data', '6*7')).toMatchObject({ result: 42 });
    const params = ['--param', 'operation=divide', '--param', 'a=9', '--param', 'b=-2'];
    expect(await of('calculate', ...params)).toMatchObject({ result: -4.5 });
    expect(await of('time', '--param', 'timezone=Asia/Tokyo')).toMatchObject({
      timezone: 'Asia/Tokyo',
    });
    expect(await of('status')).toMatchObject({ zone: '001', users: 1, pid: process.pid });
    expect(await of('session_info')).toMatchObject({ openid: OPENID, logged_in: true });
    expect(await of('user_list')).toMatchObject({ total: 1, users: [{ openid: OPENID }] });
    expect(await of('broadcast', '--data', 'x')).toEqual({ sent_count: 1 });
    expect(await of('logout')).toMatchObject({ goodbye: OPENID });
  });

  test('pushes before and after are printed', async () => {
    const before = await ask('--action', 'before', '--param', 'count=2', '--data', 'hi');
    expect(before.err).toMatch(
      /^push \d+ \[before\] 1 of 2: hi\npush \d+ \[before\] 2 of 2: hi\n$/,
    );
    const after = await ask('--action', 'after', '--data', 'hi', '--listen', '8');
    expect(after.err).toMatch(/^push \d+ \[after\] 1 of 1: hi\n$/);
  });

  test('--performance measures one client', async () => {
    const table = await ask('--performance');
    expect([table.code, table.err]).toEqual([0, '']);
    expect(table.out).toMatch(
      /^ms +count +mean .*\nconnect +5 .*\nrequest +200 .*\npush +50 .*\n$/,
    );
    const json = await ask('--performance', '--json');
    expect(data(json.out)).toMatchObject({
      connect_ms: { count: 5 },
      request_ms: { count: 200 },
      push_ms: { count: 50 },
    });
  });

  test('--performance is no figure where the echo is none', async () => {
    const wrong = await harness.upstream(gateway, '002', (server) =>
      server.handle('echo', () => ({ data: 'something else' })),
    );
    const { code, out, err } = await ask('--performance', '--openid', openidOf('002'));
    await wrong.stop();
    expect([code, out]).toEqual([1, '']);
    expect(err).toBe('gatesvr: echo was answered with other bytes than were sent\n');
  });

  test('an answer that is no success ends with code 1 and one line', async () => {
    const bad = await ask('--action', 'calculate', '--data', '1/0');
    expect([bad.code, bad.err]).toEqual([
      1,
      'gatesvr: calculate was answered with 400 1/0 has no finite result\n',
    ]);
    const unknown = await ask('--action', 'nonsense');
    expect(unknown.err).toMatch(/answered with 404 no such action: nonsense\n$/);
  });

  test('what cannot be is one line that says what to do', async () => {
    const lines = [
      [await ask('--action', 'x', '--server', 'nowhere'), /write each as host:port/],
      [await ask('--action', 'x', '--ca', 'package.json'), /--ca: package.json has no certificate/],
      [await ask('--action', 'x', '--ca', '/no/such/file'), /--ca: cannot read \/no\/such\/file/],
      [await ask('--action', 'x', '--data', '@/no/file'), /--data: cannot read \/no\/file/],
      [await ask('--action', 'x', '--timeout', 'soon'), /give a number of seconds/],
      [
        await ask('--action', 'x', '--server', '127.0.0.1:1', '--timeout', '0.5'),
        /cannot connect to 127\.0\.0\.1:1 within 500 ms/,
      ],
    ] as const;
    for (const [{ code, err }, message] of lines) {
      expect(code).not.toBe(0);
      expect(err).toMatch(message);
      expect(err.trimEnd().split('\n')).toHaveLength(1);
    }
    const zone = start('upstream', '--zone', '7', ...toGateway());
    expect([await zone.code, zone.err()]).toEqual([
      2,
      "gatesvr: option '--zone <zone>' argument '7' is invalid. zones are 001 to 006, services are named in small letters.\n",
    ]);
  });
});
