import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import type { OpsServer } from '../../src/ops/ops-server.js';
import { OpsBench } from '../support/ops-double.js';
import { until } from '../support/until.js';

let bench: OpsBench;
let ops: OpsServer;

beforeEach(async () => {
  bench = new OpsBench();
  ops = bench.build({ metricsAddr: null });
  await ops.start();
});

afterEach(async () => {
  await ops.stop();
  await bench.stop();
});

const ask = (path: string, headers: Record<string, string> = {}) =>
  bench.ask(path, { headers }, ops.httpPort);

/** Begins a profile of one second, which lasts until the test says that it has passed. */
async function begun(path: string): Promise<{ over(): ReturnType<typeof ask> }> {
  const before = bench.clock.pending;
  const answer = ask(path);
  await until(() => bench.clock.pending > before);
  const over = () => {
    bench.clock.advance(1_000);
    return answer;
  };
  return { over };
}

async function busy(): Promise<boolean> {
  return (JSON.parse((await ask('/debug/pprof')).text) as { busy: boolean }).busy;
}

function functionsOf(bytes: Buffer): string[] {
  const profile = Profile.decode(gunzipSync(bytes));
  return profile.function.map(({ name }) => profile.stringTable.strings[Number(name)] ?? '');
}

/** Uses a core for so long, ms: a process that stands still uses none, and no profile shows it. */
function burnWithAName(ms: number): number {
  let sum = 0;
  const begun = process.cpuUsage();
  while (process.cpuUsage(begun).user < ms * 1_000) {
    for (let count = 0; count < 10_000; count++) sum += Math.sqrt(sum + 1);
  }
  return sum;
}

function keepWithAName(kept: unknown[]): void {
  for (let count = 0; count < 1_000_000; count++) kept.push({ count });
}

describe('profiles', () => {
  it('tell where CPU time went, and only one is taken at a time', async () => {
    const taken = await begun('/debug/pprof/profile?seconds=1');
    expect(JSON.parse((await ask('/debug/pprof/')).text)).toMatchObject({ busy: true });
    expect((await ask('/debug/pprof/heap')).status).toBe(409);
    expect((await ask('/debug/pprof/profile?seconds=1')).status).toBe(409);
    burnWithAName(200);
    const { status, headers, bytes } = await taken.over();
    expect(status).toBe(200);
    expect(headers['content-disposition']).toContain('gatesvr-cpu.pb.gz');
    expect(functionsOf(bytes)).toContain('burnWithAName');
  });

  it('tell what was allocated and is still held', async () => {
    const kept: unknown[] = [];
    const taken = await begun('/debug/pprof/heap?seconds=1&gc=1');
    keepWithAName(kept);
    expect(functionsOf((await taken.over()).bytes)).toContain('keepWithAName');
    expect(kept).toHaveLength(1_000_000);
  });

  it('end when nobody waits for them any more', async () => {
    const path = '/debug/pprof/profile?seconds=60';
    const left = request({ host: '127.0.0.1', port: ops.httpPort, path });
    left.on('error', () => undefined).end();
    while (!(await busy()));
    left.destroy();
    while (await busy());
    const next = await begun('/debug/pprof/heap?seconds=1');
    expect((await next.over()).status).toBe(200);
  });

  it('are not begun where they wait behind another answer', async () => {
    const socket = connect({ host: '127.0.0.1', port: ops.httpPort });
    const asked = ['/stats/stream', '/debug/pprof/profile?seconds=60'];
    socket.write(asked.map((path) => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`).join(''));
    // Both were read together.
    await once(socket, 'data');
    expect(await busy()).toBe(false);
    socket.destroy();
  });

  it.each(['seconds=0', 'seconds=61', 'seconds=x', 'seconds=1.5', 'seconds=1&seconds=2'])(
    'are refused for ?%s',
    async (query) => {
      expect((await ask(`/debug/pprof/profile?${query}`)).status).toBe(400);
      expect((await ask(`/debug/pprof/heap?${query}`)).status).toBe(400);
    },
  );

  it.each(['/debug/pprof', '/debug/pprof/', '/debug/pprof/profile', '/debug/pprof/heap'])(
    '%s is not for a page',
    async (path) => {
      expect((await ask(path, { origin: 'http://localhost' })).status).toBe(401);
      expect((await ask(path, { 'sec-fetch-site': 'cross-site' })).status).toBe(401);
    },
  );
});
