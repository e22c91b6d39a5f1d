import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { GatewayHarness } from '../support/gateway-harness.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-streams-'));
const FREE_PORTS = ['quic', 'grpc', 'http', 'metrics'].map((name) => `--${name}-addr=127.0.0.1:0`);

let child: ChildProcess | null = null;
afterEach(() => void child?.kill('SIGKILL'));
const harness = new GatewayHarness();
afterAll(async () => {
  await harness.close();
  rmSync(folder, { recursive: true });
});

/** Starts the built program with these for its standard input, output and error. */
function gatesvr(stdio: ('ignore' | 'pipe' | number)[], ...argv: string[]): ChildProcess {
  if (!existsSync(main)) throw new Error('dist/ is missing: run make build first');
  return (child = spawn(process.execPath, [main, ...argv], { cwd: folder, stdio }));
}

const exitOf = (process: ChildProcess) =>
  new Promise<number | null>((resolve) => process.once('close', resolve));

/** Resolves once a stream of it has said so. */
function saying(process: ChildProcess, stream: 'stdout' | 'stderr', what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    process[stream]?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes(what)) resolve(said);
    });
    process.once('close', () => reject(new Error(`never said ${what}: ${said}`)));
  });
}

describe('serve, its standard output on a full disk', () => {
  // The only device that is always full.
  const onLinux = existsSync('/dev/full') ? test : test.skip;
  onLinux.each(['json', 'pretty'])('serves and stops (%s)', async (format) => {
    const full = openSync('/dev/full', 'w');
    const state = join(folder, `${format}.state`);
    const settings = [`--log-format=${format}`, `--state-file=${state}`];
    const gateway = gatesvr(['ignore', full, 'pipe'], 'serve', ...FREE_PORTS, ...settings);
    closeSync(full);
    const exited = exitOf(gateway);
    expect(await saying(gateway, 'stderr', '\n')).toMatch(
      /^gatesvr: standard output: lines are lost: ENOSPC[^\n]*\n$/,
    );
    gateway.kill('SIGTERM');
    expect(await exited).toBe(0);
    // Written by none but a gateway that served.
    expect(existsSync(state)).toBe(true);
  });
});

test('serve goes on after a bad reload that nobody can be told of on standard error', async () => {
  const config = join(folder, 'gatesvr.yaml');
  writeFileSync(config, 'log:\n  format: json\n');
  const argv = ['serve', '--config', config, ...FREE_PORTS];
  const gateway = gatesvr(['ignore', 'pipe', 'pipe'], ...argv);
  const exited = exitOf(gateway);
  const lines = await saying(gateway, 'stdout', '"gateway is serving"}\n');
  // A slow machine has its watchdog say more, before or after.
  const serving = lines.split('\n').find((line) => line.includes('"gateway is serving"')) ?? '';
  const { http } = JSON.parse(serving) as { http: number };
  gateway.stderr?.destroy();
  writeFileSync(config, 'no_such_key: 1\n');
  for (let times = 0; times < 2; times++) {
    const said = saying(gateway, 'stdout', 'no_such_key');
    gateway.kill('SIGHUP');
    await said;
    expect((await fetch(`http://127.0.0.1:${http}/live`)).status).toBe(200);
  }
  gateway.kill('SIGTERM');
  expect(await exited).toBe(0);
});

test('serve that read its configuration from a pipe keeps it when it is told to reload', async () => {
  // A shell gives the text of a here-document as a pipe, as it does `<(...)`.
  const shell = `exec "$0" "$@" 3<<'END'\nrouting: { services: [login] }\nEND\n`;
  const argv = [main, 'serve', '--config', '/dev/fd/3', ...FREE_PORTS, '--log-format=json'];
  child = spawn('/bin/sh', ['-c', shell, process.execPath, ...argv], { cwd: folder });
  const exited = exitOf(child);
  await saying(child, 'stdout', '"gateway is serving"}\n');
  const reloaded = saying(child, 'stdout', 'reloaded');
  child.kill('SIGHUP');
  expect(await reloaded).toContain(
    'cannot read configuration /dev/fd/3: a pipe cannot be read again',
  );
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
});

test('upstream whose terminal is closed leaves no registration at the gateway', async () => {
  const gateway = await harness.gateway();
  const argv = ['--addr', '127.0.0.1:0', '--gateway', `127.0.0.1:${gateway.grpcPort}`];
  const upstream = gatesvr(['ignore', 'pipe', 'pipe'], 'upstream', ...argv);
  const exited = exitOf(upstream);
  await saying(upstream, 'stdout', 'registered');
  upstream.kill('SIGHUP');
  expect(await exited).toBe(0);
  expect(gateway.router.view().zones.flatMap(({ instances }) => instances)).toEqual([]);
});

test('a command whose reader has gone ends without a word', async () => {
  // Refuses in other words each time, so that there is always something to print.
  let asked = 0;
  const server = createServer((_, response) => {
    response.writeHead(503).end(JSON.stringify({ error: `no ${asked++}` }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const argv = ['monitor', '--url', `http://127.0.0.1:${port}`, '--interval', '100ms'];
  const monitor = gatesvr(['ignore', 'pipe', 'pipe'], ...argv);
  let err = '';
  monitor.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  monitor.stdout?.destroy();
  expect([await exitOf(monitor), err]).toEqual([141, '']);
  server.close();
});

test('client --raw writes all bytes of a large answer as they are, to a slow reader too', async () => {
  const gateway = await harness.gateway();
  const data = randomBytes(1_000_000);
  const upstream = await harness.upstream(gateway, '001', (server) =>
    server.handle('blob', () => ({ data })),
  );
  const out = join(folder, 'out');
  // Reads nothing before a megabyte had all the time to get lost.
  const shell = `"$0" "$@" | (sleep 1; cat) > ${out}`;
  const to = ['--server', `127.0.0.1:${gateway.quicPort}`, '--openid', 'bob', '--timeout', '60'];
  const trust = ['--ca', join(harness.folder, 'ca.crt')];
  const command = [main, 'client', ...to, ...trust, '--action', 'blob', '--raw'];
  child = spawn('/bin/sh', ['-c', shell, process.execPath, ...command], { stdio: 'inherit' });
  expect(await exitOf(child)).toBe(0);
  await upstream.stop();
  expect(readFileSync(out).equals(data)).toBe(true);
});
