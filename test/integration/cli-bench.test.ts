import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { registerBenchCommand } from '../../src/cli/bench.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { CliRun } from '../support/cli-run.js';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { QuicHarness } from '../support/quic-harness.js';

const harness = new GatewayHarness();
let gateway: Gateway;
/** Requests so far; some actions fail at a certain one. */
let asked = 0;

beforeAll(async () => {
  gateway = await harness.gateway();
  for (const zone of ZONES) {
    await harness.upstream(gateway, zone, (server) => {
      server.handle('echo', ({ data }) => ({ data }));
      server.handle('spoil', ({ data }) => {
        const spoilt = Buffer.from(data);
        // Among the first of each session: it shows however little a slow machine does in the time.
        if (++asked > 10) spoilt.writeUInt8(spoilt.readUInt8(9) ^ 1, 9);
        return { data: spoilt };
      });
    });
  }
});

afterAll(() => harness.close());

/** A gateway that takes nothing over from the one before: neither its sessions nor its upstreams. */
const ALONE = { 'server.state_file': 'off', 'routing.registry_file': 'off' };

/** Small sessions and times; what a test says comes later and wins. */
async function bench(...argv: string[]) {
  const warmup = argv.includes('idle') ? [] : ['--warmup', '100ms'];
  const begun = performance.now();
  const run = new CliRun(
    [
      'bench',
      ...['--addr', `127.0.0.1:${gateway.quicPort}`, '--gateway', `127.0.0.1:${gateway.grpcPort}`],
      ...['--ca', join(harness.folder, 'ca.crt'), '--sessions', '20'],
      ...['--duration', '300ms', ...warmup, ...argv],
    ],
    (program, terminal, signals) =>
      registerBenchCommand(program, terminal, signals, { write: () => undefined }),
  );
  const code = await run.code;
  const took = performance.now() - begun;
  return { code, out: run.out, err: run.err, took, json: () => run.json() };
}

interface Latency {
  readonly count: number;
  readonly min: number;
  readonly p50: number;
  readonly p99: number;
  readonly p99_9: number;
  readonly max: number;
}

/** The figures fit each other. */
function expectFigures(latency: unknown, count: unknown): void {
  const { min, p50, p99, p99_9, max, count: counted } = latency as Latency;
  expect(counted).toBe(count);
  expect([min, p50, p99, p99_9, max]).toEqual([min, p50, p99, p99_9, max].sort((a, b) => a - b));
  expect(min).toBeGreaterThan(0);
}

describe('gatesvr bench', () => {
  test('echo in a closed loop prints what it verified', async () => {
    const { code, out, err } = await bench('--in-flight', '2');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(
      /^echo at 127\.0\.0\.1:\d+: 20 sessions, closed loop, at most 2 under way each/,
    );
    expect(out).toMatch(/requests per second\nverified: \d+ answers, each compared byte for byte/);
    expect(out).toMatch(/\nanswer +\d+ .*\nconnect +20 /);
  });

  test('echo in an open loop sends what is due, and counts from when it was', async () => {
    const { code, json } = await bench('--rate', '200', '--duration', '500ms', '--json');
    expect(code).toBe(0);
    const report = json();
    expect(report).toMatchObject({
      mode: 'echo',
      sessions: 20,
      loop: 'open',
      target_rate: 200,
      done: 100,
      verified: '100 answers, each compared byte for byte',
    });
    expectFigures(report['latency_ms'], 100);
    expectFigures(report['service_ms'], 100);
    const [due, sent] = [report['latency_ms'], report['service_ms']] as [Latency, Latency];
    expect(due.max).toBeGreaterThanOrEqual(sent.max * 0.99);
    expect(report['per_second']).toBeGreaterThan(0);
    expect(report['per_second']).toBeLessThanOrEqual(200);
    expect(report['connects']).toMatchObject({ latency_ms: { count: 20 } });
  });

  test('a slow upstream shows in full: nobody waits for it before asking again', async () => {
    // One session, one request at a time, 100 ms each: the tenth, due after 180 ms, is answered late.
    const upstream = (await harness.gateway(ALONE)) as Gateway;
    for (const zone of ZONES) {
      await harness.upstream(upstream, zone, (server) => {
        server.handle('echo', async ({ data }) => {
          await new Promise((resolve) => setTimeout(resolve, 100));
          return { data };
        });
      });
    }
    const { code, json } = await bench(
      ...['--addr', `127.0.0.1:${upstream.quicPort}`, '--sessions', '1', '--in-flight', '1'],
      ...['--rate', '50', '--duration', '200ms', '--warmup', '0', '--json'],
    );
    expect(code).toBe(0);
    const report = json() as unknown as Record<'latency_ms' | 'service_ms', Latency>;
    expect(report).toMatchObject({ done: 10 });
    expect(report.service_ms.min).toBeGreaterThanOrEqual(95);
    expect(report.latency_ms.max).toBeGreaterThanOrEqual(800);
    // A busy machine adds a warning about itself.
    expect(report).toMatchObject({
      warnings: expect.arrayContaining([expect.stringContaining('of 50 per second')]),
    });
  });

  test.each([[[]], [['--unary']]])('push %j: each accepted, and received once', async (more) => {
    const { code, json } = await bench('--mode', 'push', '--json', ...more);
    expect(code).toBe(0);
    const report = json();
    expect(report['verified']).toMatch(/^\d+ pushes, each received once, in order/);
    expectFigures(report['latency_ms'], report['done']);
    expectFigures(report['acceptance_ms'], report['done']);
  });

  test.each([[[]], [['--everyone']]])('broadcast %j: each session receives each', async (more) => {
    const { code, json } = await bench('--mode', 'broadcast', '--rate', '20', '--json', ...more);
    expect(code).toBe(0);
    const report = json();
    expect(report).toMatchObject({ done: 6, deliveries: 120 });
    expectFigures(report['latency_ms'], 120);
  });

  test('connect and idle', async () => {
    const storm = await bench('--mode', 'connect', '--in-flight', '4', '--json');
    expect([storm.code, storm.err]).toEqual([0, '']);
    const { done, latency_ms, connects } = storm.json();
    expectFigures(latency_ms, done);
    expect(connects).toBeNull();
    // A heartbeat that is not answered before the next one is due is a failure: what a busy machine takes is less.
    const rhythm = ['--heartbeat', '600ms', '--duration', '1800ms'];
    const idle = await bench('--mode', 'idle', ...rhythm, '--json');
    expect([idle.code, idle.err]).toEqual([0, '']);
    // Three rounds, and one more at the end.
    expect(idle.json()).toMatchObject({
      done: 80,
      verified: '20 sessions held, 80 of 80 heartbeats answered',
    });
  });

  test('one wrong byte is no figure but a failure', async () => {
    const { code, out, err } = await bench('--action', 'spoil');
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^gatesvr: the work was not done, so there is no figure:\n/);
    expect(err).toMatch(/\ngatesvr: (?:\d+ times: )?an answer with wrong bytes \(first at bench-/);
    const { code: again, json } = await bench('--action', 'spoil', '--json');
    expect(again).toBe(1);
    expect(json()).toMatchObject({
      mode: 'echo',
      failed: true,
      faults: [{ reason: 'an answer with wrong bytes' }],
    });
    expect(json()['per_second']).toBeUndefined();
  });

  test('refused requests, pushes and sessions are failures, with the reason', async () => {
    const unknown = await bench('--action', 'nonsense');
    expect(unknown.err).toMatch(/an answer with code 404: no such action: nonsense/);
    const wrongPort = await bench('--mode', 'push', '--gateway', '127.0.0.1:1');
    expect(wrongPort.err).toMatch(/a push failed: gateway 127\.0\.0\.1:1: .*is --gateway its gRPC/);
    const full = await harness.gateway({
      ...ALONE,
      'overload_protection.address_connections': '5',
    });
    const refused = await bench('--addr', `127.0.0.1:${full.quicPort}`);
    expect(refused.err).toMatch(/^gatesvr: bench-[^\n]* 429 [^\n]+\n$/);
    expect([unknown.code, wrongPort.code, refused.code]).toEqual([1, 1, 1]);
  });

  test.each([['echo'], ['connect']])('%s waits for nobody longer than --timeout', async (mode) => {
    const silent = createSocket('udp4');
    await new Promise<void>((bound) => silent.bind(0, '127.0.0.1', bound));
    const { port } = silent.address();
    const run = await bench(
      ...['--addr', `127.0.0.1:${port}`, '--mode', mode, '--timeout', '200ms'],
    );
    silent.close();
    expect([run.code, run.out]).toEqual([1, '']);
    expect(run.err).toContain(`no answer from UDP 127.0.0.1:${port}; check address and firewall`);
    expect(run.took).toBeLessThan(10_000);
  });

  test.each([['echo'], ['connect']])(
    '%s gives a gateway up that takes connections and answers no START',
    async (mode) => {
      const ignored = { onReadable: () => undefined, onDrained: () => undefined };
      const silent = await QuicHarness.start({
        protocols: {
          gatesvr: (connection) =>
            connection.bind({
              onStream: (stream) => stream.bind({ ...ignored, onAborted: () => undefined }),
              onClosed: () => undefined,
            }),
        },
      });
      const ca = join(harness.folder, 'silent.crt');
      writeFileSync(ca, silent.ca);
      const { port } = silent.server;
      const run = await bench(
        ...['--addr', `127.0.0.1:${port}`, '--ca', ca, '--mode', mode, '--timeout', '1s'],
      );
      await silent.close();
      expect([run.code, run.out]).toEqual([1, '']);
      expect(run.err).toContain(`no answer to START from UDP 127.0.0.1:${port} within 1 s`);
      expect(run.took).toBeLessThan(10_000);
    },
  );

  test('its own upstreams wait for a registration no longer than --timeout', async () => {
    const at = ['--own-upstreams', '--gateway', '127.0.0.1:1', '--timeout', '200ms'];
    const { code, err } = await bench(...at);
    expect([code, err]).toEqual([
      1,
      "gatesvr: cannot register at 127.0.0.1:1 within 0.2 s; is it the gateway's gRPC address?\n",
    ]);
  });

  test('a gateway that goes away ends the bench at once, and disconnects are counted', async () => {
    const going = await harness.gateway(ALONE);
    const argv = ['--addr', `127.0.0.1:${going.quicPort}`, '--mode', 'idle', '--duration', '10m'];
    const running = bench(...argv);
    while (going.sessions.connectionCount < 20) await new Promise((turn) => setTimeout(turn, 10));
    await going.stop();
    const { code, err } = await running;
    expect(code).toBe(1);
    expect(err).toMatch(/20 times: (?:connection ended|refused)/);
  });

  test('its own upstreams serve the echo, and are gone afterwards', async () => {
    const bare = await harness.gateway({
      ...ALONE,
    });
    const at = [
      ...['--addr', `127.0.0.1:${bare.quicPort}`, '--gateway', `127.0.0.1:${bare.grpcPort}`],
    ];
    expect(await bench(...at, '--own-upstreams')).toMatchObject({ code: 0, err: '' });
    const without = await bench(...at);
    expect(without.err).toMatch(/503 .*no upstream serves zone/);
    expect(without.code).toBe(1);
  });

  test('openids and tokens of a file', async () => {
    const file = join(harness.folder, 'tokens');
    writeFileSync(file, 'anna t1\n\nbernd t2\n');
    const { code, json } = await bench('--tokens', file, '--json');
    expect([code, json()['sessions']]).toEqual([0, 2]);
    writeFileSync(file, 'anna t1\nbernd\n');
    expect(await bench('--tokens', file)).toMatchObject({
      code: 1,
      err: `gatesvr: ${file}:2: write an openid and its token\n`,
    });
  });

  test.each([
    ['idle', '--rate', '100'],
    ['idle', '--warmup', '1'],
    ['broadcast', '--in-flight', '4'],
    ['connect', '--action', 'echo'],
  ])('an option that would mean nothing to --mode %s: %s', async (mode, flag, value) => {
    const { code, out, err } = await bench('--mode', mode, flag, value);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(`gatesvr: ${flag} means nothing to --mode ${mode}: leave it out`);
  });

  test.each([
    [['--rate', '0'], 'give how many per second'],
    [['--size', '2'], 'give a whole number from 4'],
    [['--mode', 'dance'], 'Allowed choices are echo'],
    [['--duration', 'soon'], 'give seconds, or a duration'],
    [['--gateway', ':8092'], 'write it as host:port'],
  ])('refuses %j', async (argv, message) => {
    const { code, err } = await bench(...argv);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});
