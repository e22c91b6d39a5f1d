import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { eventually } from '../support/quic-harness.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const harness = new GatewayHarness();
const running: ChildProcess[] = [];
let gateway: Gateway;
/** Inside the package, or its own name could not be imported. */
let folder: string;

beforeAll(async () => {
  gateway = await harness.gateway();
  mkdirSync(join(root, 'dist'), { recursive: true });
  folder = mkdtempSync(join(root, 'dist', 'readme-'));
});

afterAll(async () => {
  for (const each of running) each.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  await harness.close();
});

/** The programs of the README, in their order, at this test's addresses. */
function programs(): string[] {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  return [...text.matchAll(/```js\n([^`]*(?:`[^`]+`[^`]*)*?)```/g)].map(([, code = '']) =>
    code
      .replaceAll('localhost:8453', `127.0.0.1:${gateway.quicPort}`)
      .replaceAll('localhost:8092', `127.0.0.1:${gateway.grpcPort}`)
      .replaceAll("':9001'", "'127.0.0.1:0'")
      .replaceAll('certs/ca.crt', join(harness.folder, 'ca.crt'))
      .replaceAll('session.json', join(harness.folder, 'session.json')),
  );
}

function run(name: string, code: string) {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, code);
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  const said = { text: '', child };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (said.text += chunk.toString()));
  }
  return said;
}

test('the programs of the README run as they stand there, and work together', async () => {
  const [client, inbox, upstream, ...others] = programs();
  expect(others).toEqual([]);

  const service = run('upstream', upstream as string);
  await eventually(() => service.text.includes('not pushed: OPENID_OFFLINE'), service.text);

  const one = run('client', client as string);
  const [code] = (await once(one.child, 'close')) as [number | null];
  expect(one.text).toBe('push 1: on its way\n200 hello bob: good morning\n');
  expect(code).toBe(0);

  await eventually(() => gateway.sessions.activeCount() === 0, 'the end of the first client');
  const loop = run('inbox', inbox as string);
  await eventually(() => gateway.sessions.activeCount() === 1, 'the loop');
  const second = run('again', upstream as string);
  await eventually(() => loop.text === 'handled hi\n', 'the push in the loop');

  for (const { child } of [service, second]) {
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  }
});
