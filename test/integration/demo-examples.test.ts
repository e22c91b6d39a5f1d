import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Gateway } from '../../src/gateway/gateway.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { GatewayHarness } from '../support/gateway-harness.js';

const folder = fileURLToPath(new URL('../../examples', import.meta.url));
const harness = new GatewayHarness();
let gateway: Gateway;
let service: ChildProcess;
let printed = '';
/** Pushes to whomever; it serves a zone that no client here is in. */
let pusher: UpstreamServer;
const inboxes: ChildProcess[] = [];

beforeAll(async () => {
  if (!existsSync(join(folder, '../dist/sdk'))) {
    throw new Error('dist/ is missing: run make build first');
  }
  gateway = await harness.gateway();
  const argv = [join(folder, 'upstream.mjs'), '001', `127.0.0.1:${gateway.grpcPort}`];
  service = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  service.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  pusher = await harness.upstream(gateway, '002', () => undefined);
  while (!printed.includes('is open')) {
    if (service.exitCode !== null) throw new Error(`the example upstream ended: ${printed}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

afterAll(async () => {
  for (const process of [service, ...inboxes]) process.kill('SIGKILL');
  await harness.close();
});

/** Runs the client to its end without blocking the gateway, which is in this process. */
async function runClient(...argv: string[]): Promise<{ code: number | null; lines: string[] }> {
  const client = spawn(process.execPath, [join(folder, 'client.mjs'), ...argv]);
  let text = '';
  for (const stream of [client.stdout, client.stderr]) {
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  }
  const [code] = (await once(client, 'close')) as [number | null];
  return { code, lines: text.trim().split('\n') };
}

describe('the examples', () => {
  it('work together: login, answer, pushes, refusal', async () => {
    const ca = join(harness.folder, 'ca.crt');
    const { code, lines } = await runClient('bob', `127.0.0.1:${gateway.quicPort}`, ca);
    const pushes = ['push: thanks, entry number 1: ', 'push: news, bob has signed: I was here'];
    expect(lines.filter((line) => !line.startsWith('push'))).toEqual([
      'connected',
      'welcome, bob',
      'signed: 200, 1 entries',
      'without text: 400, write something into the data',
      'bob: I was here',
    ]);
    expect(lines.filter((line) => line.startsWith('push')).sort()).toEqual(pushes.sort());
    expect(code).toBe(0);
  });

  it('say in one line why a request was refused', async () => {
    const ca = join(harness.folder, 'ca.crt');
    // alice is in zone 003, which has no upstream here.
    const { code, lines } = await runClient('alice', `127.0.0.1:${gateway.quicPort}`, ca);
    expect(lines).toContainEqual(expect.stringMatching(/^not executed: request hello: .* 503/));
    expect(code).toBe(1);
  });

  it('go on with the session that a killed process left in its file', async () => {
    const session = join(harness.folder, 'inbox.json');
    const argv = ['bob', `127.0.0.1:${gateway.quicPort}`, join(harness.folder, 'ca.crt'), session];
    const start = () => {
      const inbox = spawn(process.execPath, [join(folder, 'inbox.mjs'), ...argv]);
      inboxes.push(inbox);
      let text = '';
      for (const stream of [inbox.stdout, inbox.stderr]) {
        stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      }
      const printed = async (part: string): Promise<void> => {
        while (!text.includes(part)) {
          if (inbox.exitCode !== null) throw new Error(`the inbox ended: ${text}`);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      return { inbox, printed, text: () => text };
    };
    const first = start();
    await first.printed('a new session');
    await pusher.push({ openid: 'bob', type: 'news', title: 'one', content: '1' });
    await first.printed('news, one: 1');
    first.inbox.kill('SIGKILL');
    await once(first.inbox, 'close');
    await pusher.push({ openid: 'bob', type: 'news', title: 'two', content: '2' });
    const second = start();
    await second.printed('news, two: 2');
    expect(second.text()).toMatch(/^going on\n/);
    expect(statSync(session).mode & 0o777).toBe(0o600);
    second.inbox.kill('SIGTERM');
    const [code] = (await once(second.inbox, 'close')) as [number | null];
    expect(code).toBe(0);
    expect(second.text()).toMatch(/^inbox_messages_total [12]$/m);
  });

  it('stop when they are told to', async () => {
    service.kill('SIGTERM');
    const [code] = (await once(service, 'exit')) as [number | null];
    expect(code).toBe(0);
    expect(printed).toMatch(/^registered: /);
  });

  it('are programs that Node can parse', () => {
    for (const file of ['client.mjs', 'inbox.mjs', 'upstream.mjs']) {
      expect(spawnSync(process.execPath, ['--check', join(folder, file)]).status).toBe(0);
    }
  });
});
