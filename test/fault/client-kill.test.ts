import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Gateway } from '../../src/gateway/gateway.js';
import { zoneOf } from '../../src/routing/zone.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { eventually } from '../support/quic-harness.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const harness = new GatewayHarness();
const storeFile = join(harness.folder, 'session.json');
const lives: Life[] = [];
/** Every request that the upstream executed. */
const executed: string[] = [];
let gateway: Gateway;
let upstream: UpstreamServer;

/** One process of the client, from its start to its kill. */
interface Life {
  readonly process: ChildProcess;
  readonly lines: string[];
}

beforeAll(async () => {
  if (!existsSync(join(root, 'dist/sdk')))
    throw new Error('dist/ is missing: run make build first');
  gateway = await harness.gateway();
  upstream = await harness.upstream(gateway, zoneOf('survivor'), (server) =>
    server.fallback((request) => {
      executed.push(request.text);
      return request.data;
    }),
  );
});

afterAll(async () => {
  for (const { process } of lives) process.kill('SIGKILL');
  await harness.close();
});

function start(): Life {
  const script = join(root, 'test/support/inbox-process.mjs');
  const argv = [script, `127.0.0.1:${gateway.quicPort}`, join(harness.folder, 'ca.crt'), storeFile];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const life: Life = { process: child, lines: [] };
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    life.lines.push(...parts);
  });
  lives.push(life);
  return life;
}

async function kill(life: Life): Promise<void> {
  life.process.kill('SIGKILL');
  await once(life.process, 'close');
}

const pushesOf = ({ lines }: Life): number[] =>
  lines.filter((line) => line.startsWith('push ')).map((line) => Number(line.slice(5)));
const sessionOf = ({ lines }: Life): string[] =>
  lines.filter((line) => line.startsWith('session ')).map((line) => line.slice(8));

describe('kill -9 of a client that keeps its session in a file', () => {
  test('the next process resumes it: no push is missed, no request executed twice', async () => {
    let pushed = 0;
    const push = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        await upstream.push({ openid: 'survivor', type: 'n', title: `${pushed++}` });
      }
    };
    let life = start();
    await eventually(() => sessionOf(life).length === 1, 'the first session');
    for (let round = 0; round < 3; round++) {
      await push(40);
      // Somewhere in the middle of them, or behind all of them.
      await eventually(() => pushesOf(life).length >= 1 + round * 15, 'pushes in this life');
      await kill(life);
      await push(10);
      life = start();
      await eventually(() => sessionOf(life).length === 1, 'the resumed session');
    }
    await eventually(() => pushesOf(life).at(-1) === pushed - 1, 'every push');

    const [first] = sessionOf(lives[0] as Life);
    const id = first?.split(' ')[0];
    expect(lives.slice(1).map(sessionOf)).toEqual(lives.slice(1).map(() => [`${id} true true`]));
    let next = 0;
    for (const each of lives) {
      const numbers = pushesOf(each);
      // What was handled and not stored yet comes again; nothing is left out.
      const begin = numbers[0] ?? next;
      expect(begin).toBeLessThanOrEqual(next);
      expect(numbers).toEqual(numbers.map((_, n) => begin + n));
      next = Math.max(next, begin + numbers.length);
    }
    expect(next).toBe(pushed);
    await eventually(
      () => executed.some((text) => text.endsWith(` ${pushed - 1}`)),
      'the last request',
    );
    expect(new Set(executed).size).toBe(executed.length);
    expect(statSync(storeFile).mode & 0o777).toBe(0o600);
    expect(lives.flatMap(({ lines }) => lines.filter((line) => line.startsWith('error')))).toEqual(
      [],
    );
  });

  test('a damaged file means a new session, said in one line; no push is missed', async () => {
    await kill(lives.at(-1) as Life);
    await upstream.push({ openid: 'survivor', type: 'n', title: '9000' });
    writeFileSync(storeFile, readFileSync(storeFile).subarray(0, 20));
    const life = start();
    await eventually(() => pushesOf(life).includes(9000), 'the push after the damage');
    expect(sessionOf(life)[0]).toMatch(/ false true$/);
    expect(life.lines.filter((line) => line.startsWith('error'))).toEqual([
      expect.stringMatching(/^error the stored session cannot be read: .*; starting a new one$/),
    ]);
  });
});
