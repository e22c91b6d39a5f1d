import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { freeTcpPort, freeUdpPort } from '../../src/bench/load/free-ports.js';
import { GatewayProcess, bareSettings } from '../../src/bench/load/gateway-process.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { createQuicClient } from '../../src/sdk/client/quic-client.js';
import { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { zoneOf } from '../../src/routing/zone.js';
import { CEILING_STEP } from '../../src/journal/number-ceiling.js';
import { eventually } from '../support/quic-harness.js';
import { PATIENCE_MS, PATIENT_CLIENT } from '../support/patience.js';
import { writeSharedCertificates } from '../support/shared-certificates.js';

const OPENID = 'survivor';
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-kill-'));
const running: { stop(): Promise<void> }[] = [];

/** A gateway process of its own, as deployments run it; needs `make build`. */
async function start(quic: number): Promise<{ gateway: GatewayProcess; grpc: number }> {
  const gateway = new GatewayProcess({
    ...bareSettings(folder, { quic, grpc: await freeTcpPort() }),
    'server.state_file': join(folder, 'gateway.state'),
    'overload_protection.max_event_loop_delay': '0s',
    'watchdog.enabled': 'false',
  });
  running.push(gateway);
  return { gateway, ...(await gateway.ports()) };
}

/** An upstream of the client's zone, registered at this gateway. */
async function serve(grpc: number): Promise<UpstreamServer> {
  const upstream = new UpstreamServer({
    zone: zoneOf(OPENID),
    serviceName: 'kill',
    listen: '127.0.0.1:0',
    gateways: [`127.0.0.1:${grpc}`],
    callTimeoutMs: PATIENCE_MS,
  });
  upstream.handle('echo', (request) => ({ data: request.data }));
  running.push(upstream);
  await upstream.start();
  return upstream;
}

afterAll(async () => {
  for (const each of running.reverse()) await each.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('kill -9 of a gateway without a journal', () => {
  test('its clients come back by themselves, are told what is lost, and no number is used twice', async () => {
    await writeSharedCertificates(folder);
    // Not one that the system gives away while no gateway has it.
    const quic = await freeUdpPort();
    const first = await start(quic);
    const upstream = await serve(first.grpc);
    const shared = createQuicClient({ ca: readFileSync(join(folder, 'ca.crt')) });
    running.push(shared);
    const client = new GatewayClient({
      ...PATIENT_CLIENT,
      address: `127.0.0.1:${quic}`,
      openid: OPENID,
      shared,
      // The death of the gateway is told by the next one, with a stateless reset, not by a silence.
      deadAfterMs: PATIENCE_MS,
      maxDelayMs: 200,
    });
    const seen: number[] = [];
    const told: boolean[] = [];
    client.onPush((push) => seen.push(push.seq));
    client.on('connected', ({ recovered }) => told.push(recovered));
    await client.connect();
    for (let index = 0; index < 3; index++) {
      await upstream.push({ openid: OPENID, type: 't', data: `before ${index}` });
    }
    await eventually(() => seen.length === 3, 'three pushes');

    process.kill(first.gateway.pid, 'SIGKILL');
    // It goes out on the dead connection: nobody can know whether it was executed.
    const lost = client.request('echo').then(
      () => 'answered',
      (error: unknown) => (error as { code: string }).code,
    );
    const second = await start(quic);
    const again = await serve(second.grpc);
    expect(await lost).toBe('OUTCOME_UNKNOWN');
    expect((await client.request('echo', { data: 'alive' })).text).toBe('alive');
    await again.push({ openid: OPENID, type: 't', data: 'after' });
    await eventually(() => seen.length === 4, 'the push after the kill');

    expect(told).toEqual([true, false]);
    expect(seen.slice(0, 3)).toEqual([1, 2, 3]);
    expect(seen[3]).toBeGreaterThan(CEILING_STEP);
    await client.stop();
  });
});
