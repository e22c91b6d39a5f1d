import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { MeasuredProcess } from '../../src/bench/load/measured-process.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { openidsOfZone } from '../support/upstream-requests.js';
import { until } from '../support/until.js';
import { PATIENCE_MS, PATIENT_CLIENT } from '../support/patience.js';

const folder = mkdtempSync(join(tmpdir(), 'gatesvr-stream-kill-'));
const executed = join(folder, 'executed');
const harness = new GatewayHarness();
const processes: MeasuredProcess[] = [];
const clients: GatewayClient[] = [];

/** An upstream process that serves ProcessStream; needs `make build`. */
async function startUpstream(gateway: Gateway, name: string): Promise<MeasuredProcess> {
  const script = 'test/support/noting-upstream.mjs';
  const argv = [script, '001', `127.0.0.1:${gateway.grpcPort}`, executed, name];
  const upstream = new MeasuredProcess(process.execPath, argv);
  processes.push(upstream);
  await upstream.waitFor(/registered/);
  return upstream;
}

function lines(): string[] {
  return readFileSync(executed, 'utf8').split('\n').filter(Boolean);
}

afterAll(async () => {
  for (const client of clients) client.close();
  for (const each of processes) await each.stop();
  await harness.close();
  rmSync(folder, { recursive: true, force: true });
});

test('kill -9 of a streaming upstream: each request under way ends once, none is executed twice, later ones find the other', async () => {
  writeFileSync(executed, '');
  const gateway = await harness.gateway({
    'overload_protection.upstream_timeout': `${PATIENCE_MS}ms`,
  });
  const victims = [await startUpstream(gateway, 'one'), await startUpstream(gateway, 'two')];
  const openids = openidsOfZone('001', 16);
  for (const openid of openids) {
    const client = new GatewayClient({
      ...PATIENT_CLIENT,
      address: `127.0.0.1:${gateway.quicPort}`,
      openid,
      insecure: true,
    });
    clients.push(client);
    await client.connect();
  }

  const outcomes: string[] = [];
  const ask = async (client: GatewayClient, text: string): Promise<void> => {
    try {
      const { text: answer } = await client.request('work', { data: text });
      outcomes.push(answer.replace(/^(?:one|two) /, ''));
    } catch (error) {
      outcomes.push(`${String((error as { status?: number }).status)} ${text}`);
    }
  };
  const work: Promise<void>[] = [];
  const round = (name: string): void => {
    for (const [index, client] of clients.entries()) {
      for (let each = 0; each < 4; each++) work.push(ask(client, `${name}-${index}-${each}`));
    }
  };

  round('before');
  await Promise.all(work);
  expect(outcomes.filter((outcome) => outcome.startsWith('before'))).toHaveLength(64);
  round('hang one');
  await until(() => existsSync(`${executed}.hanging`));
  process.kill(victims[0]?.pid ?? 0, 'SIGKILL');
  await Promise.all(work);
  expect(outcomes).toHaveLength(128);
  const lost = outcomes.filter((outcome) => outcome.startsWith('50'));
  expect(lost.length).toBeGreaterThan(0);
  for (const outcome of lost) expect(outcome).toMatch(/^50[24] hang one/);
  // Some may still be given to the dead one, whose connection looks alive until its end arrives.
  for (let answered = 0, each = 0; answered < 64; each++) {
    round(`after ${each}`);
    await Promise.all(work);
    answered = outcomes.filter((outcome) => outcome.startsWith(`after ${each}`)).length;
  }

  expect(outcomes).toHaveLength(work.length);
  const all = lines();
  expect(new Set(all).size).toBe(all.length);
});
