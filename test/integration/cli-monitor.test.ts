import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { registerMonitorCommand } from '../../src/cli/monitor.js';
import type { MonitorTerminal } from '../../src/cli/monitor.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { CliRun } from '../support/cli-run.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { until } from '../support/quic-fake-gateway.js';

const TOKEN = 'a-token-that-only-tests-know';
const harness = new GatewayHarness();
let gateway: Gateway;

beforeAll(async () => {
  // Without a token for admins every caller on this machine is one, and may read.
  const tokens = { 'ops.read_token': TOKEN, 'ops.admin_token': `${TOKEN}-not` };
  gateway = await harness.gateway({ 'server.http_addr': '127.0.0.1:0', ...tokens });
  await harness.upstream(gateway, '003', (server) => server.fallback(() => ({ data: 'x' })));
  writeFileSync(join(harness.folder, 'token'), `${TOKEN}\n`);
});

afterAll(() => harness.close());

/** A terminal that only notes what is drawn. */
class FakeOutput extends EventEmitter {
  drawn = '';
  columns = 200;
  rows = 40;

  constructor(readonly isTTY: boolean) {
    super();
  }

  write(text: string): void {
    this.drawn += text;
  }

  /** What the screen shows, without colours. */
  get picture(): string {
    const last = this.drawn.slice(this.drawn.lastIndexOf('\u001b[H'));
    return last.replace(/\p{Cc}\[\??\d*[A-Za-z]/gu, '').replaceAll('\r', '');
  }
}

class FakeKeys extends EventEmitter {
  readonly isTTY = true;
  readonly modes: boolean[] = [];

  setRawMode(raw: boolean): void {
    this.modes.push(raw);
  }

  resume(): void {
    this.emit('resumed');
  }

  pause(): void {
    this.emit('paused');
  }

  press(key: string): void {
    this.emit('data', Buffer.from(key));
  }
}

function start(isTTY: boolean, ...argv: string[]) {
  const output = new FakeOutput(isTTY);
  const keys = new FakeKeys();
  const screen: MonitorTerminal = { output, input: keys };
  const run = new CliRun(['monitor', ...argv], (program, terminal, signals) =>
    registerMonitorCommand(program, terminal, signals, screen),
  );
  return { run, output, keys };
}

const here = () => [
  ...['--url', `http://127.0.0.1:${gateway.httpPort}`],
  ...['--token-file', join(harness.folder, 'token')],
];

describe('gatesvr monitor', () => {
  test('--once prints one picture', async () => {
    const { run } = start(false, '--once', ...here());
    expect([await run.code, run.err]).toEqual([0, '']);
    expect(run.out).toMatch(/^gatesvr \d+\.\d+\.\d+ {2}serving {2}up \d+s\n/);
    expect(run.out).toMatch(/\nsessions {4}0 active, 0 detached, 0 connections/);
    expect(run.out).toMatch(/\nprocess {5}cpu \d\.\d\d cores, rss [1-9]\d* MiB/);
    expect(run.out).toMatch(/\nlatency ms +p50 +p90 +p99 +max +count\n/);
    expect(run.out).toMatch(/\nrequest +- +- +- +- +0\n/);
    expect(run.out).toMatch(/\n003 +0 +0 {2}127\.0\.0\.1:\d+ test-003 {2}ok {2}/);
    expect(run.out).not.toContain('\u001b');
  });

  test('without a terminal it prints on and on, until a signal', async () => {
    const { run } = start(false, '--interval', '100ms', ...here());
    await until(() => (run.out.match(/^gatesvr /gm)?.length ?? 0) >= 3);
    expect(run.out).toMatch(/\ntraffic {5}0 requests\/s, 0 pushes\/s, /);
    run.signals.emit('SIGINT', 'SIGINT');
    expect(await run.code).toBe(0);
  });

  test('on a terminal: draws, pauses, follows its size, and gives it back', async () => {
    const { run, output, keys } = start(true, '--interval', '100ms', ...here());
    await until(() => output.picture.includes('serving'));
    expect(output.drawn).toContain('\u001b[?1049h');
    expect(output.picture).toMatch(/^127\.0\.0\.1:\d+ {2}p pauses, q quits\ngatesvr /);
    keys.press('p');
    expect(output.picture).toMatch(/paused; p goes on/);
    [output.columns, output.rows] = [20, 5];
    output.emit('resize');
    const lines = output.picture.split('\n');
    expect(lines).toHaveLength(4);
    expect(Math.max(...lines.map((line) => line.length))).toBe(20);
    output.columns = 200;
    keys.press('p');
    await until(() => output.picture.includes('p pauses'));
    keys.press('q');
    expect(await run.code).toBe(0);
    expect(output.drawn.endsWith('\u001b[?1049l')).toBe(true);
    expect(keys.modes).toEqual([true, false]);
    expect([output.listenerCount('resize'), keys.listenerCount('data')]).toEqual([0, 0]);
  });

  test('a token is needed, and a wrong address says what is wrong', async () => {
    const [url] = [here()[1] ?? ''];
    const bare = start(false, '--once', '--url', url).run;
    expect([await bare.code, bare.err]).toEqual([
      1,
      'gatesvr: give ops.read_token as Authorization: Bearer TOKEN (--token-file)\n',
    ]);
    const nobody = start(false, '--once', '--url', '127.0.0.1:1').run;
    expect([await nobody.code, nobody.err]).toEqual([
      1,
      expect.stringMatching(/^gatesvr: 127\.0\.0\.1:1: .*ECONNREFUSED[^\n]*\n$/),
    ]);
    const odd = start(false, '--once', '--url', 'ftp://x').run;
    expect(await odd.code).toBe(2);
  });

  test('waits for a gateway that is away, and shows what any version says', async () => {
    let away = true;
    const server = createServer((request, reply) => {
      if (away) reply.destroy();
      else if (request.url === '/health')
        reply.end('{"state":"back\\u001b[2J","warnings":["look"]}');
      else reply.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { run, output, keys } = start(true, '--interval', '100ms', '--url', `127.0.0.1:${port}`);
    try {
      await until(() => output.picture.includes('no answer: '));
      expect(output.picture).toMatch(/no answer: 127\.0\.0\.1:\d+: .*; trying again\n/);
      away = false;
      await until(() => output.picture.includes('! look'));
      expect(output.picture).toMatch(/gatesvr {3}back \[2J {2}up 0s\n/);
      expect(output.picture).not.toContain('no answer');
      keys.press('q');
      expect(await run.code).toBe(0);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
