import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { zoneOf } from '../../src/routing/zone.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { NUMBER_JUMP } from '../../src/wire/limits.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { PATIENCE_MS, PATIENT_CLIENT } from '../support/patience.js';
import { eventually } from '../support/quic-harness.js';

const OPENID = 'journalled';

function clientOf(gateway: Gateway): GatewayClient {
  const address = `127.0.0.1:${gateway.quicPort}`;
  return new GatewayClient({
    ...PATIENT_CLIENT,
    address,
    openid: OPENID,
    insecure: true,
    maxDelayMs: 200,
  });
}

describe('a gateway with a journal', () => {
  const harness = new GatewayHarness();
  afterAll(() => harness.close());

  test('keeps sessions, pushes and registrations over a restart, without any other file', async () => {
    const journal = join(harness.folder, 'journal');
    const settings = {
      'journal.path': journal,
      'routing.registry_file': 'off',
      'session.offline_ttl': '1h',
    };
    const first = await harness.gateway(settings);
    const upstream = await harness.upstream(first, zoneOf(OPENID), (server) =>
      server.handle('echo', (request) => ({ data: request.data })),
    );
    const client = clientOf(first);
    const pushes: string[] = [];
    const recovered: boolean[] = [];
    client.onPush((push) => pushes.push(push.text));
    client.on('connected', (connected) => recovered.push(connected.recovered));
    await client.connect();
    expect((await client.request('echo', { data: 'one' })).text).toBe('one');
    await upstream.push({ openid: OPENID, type: 't', data: 'before' });
    await upstream.push({ openid: 'nobody', type: 't', data: 'waits' });
    await eventually(() => pushes.length === 1, 'the first push');

    await expect(harness.gateway(settings)).rejects.toMatchObject({ code: 'JOURNAL_IN_USE' });
    await harness.stopNewest();
    const ports = {
      'server.quic_addr': `127.0.0.1:${first.quicPort}`,
      'server.grpc_addr': `127.0.0.1:${first.grpcPort}`,
    };
    await first.stop();
    expect(existsSync(join(harness.folder, 'gateway.state'))).toBe(false);
    const second = await harness.gateway({ ...settings, ...ports });
    expect(readdirSync(journal)).toEqual([expect.stringMatching(/^\d+\.log$/), 'lock']);
    expect((await client.request('echo', { data: 'two' })).text).toBe('two');
    await upstream.push({ openid: OPENID, type: 't', data: 'after', retryForMs: PATIENCE_MS });
    await eventually(() => pushes.length === 2, 'the second push');

    expect(pushes).toEqual(['before', 'after']);
    expect(recovered).toEqual([true, true]);
    expect(second.sessions.offline.size).toBe(1);
    expect(await second.metrics.registry.metrics()).toMatch(/gatesvr_journal_failing 0/);
    await client.stop();
  });

  test('goes on with the journal where a state file beside it is damaged', async () => {
    const stateFile = join(harness.folder, 'damaged.state');
    const settings = {
      'server.state_file': stateFile,
      'journal.path': join(harness.folder, 'beside'),
      'session.offline_ttl': '1h',
    };
    const first = await harness.gateway(settings);
    const upstream = await harness.upstream(first, zoneOf(OPENID), () => undefined);
    await upstream.push({ openid: 'nobody', type: 't', data: 'waits' });
    await first.stop();
    writeFileSync(stateFile, 'no state at all');
    const second = await harness.gateway(settings);
    expect(second.sessions.offline.size).toBe(1);
    // The process that left the file may have sent any number since.
    expect(second.sessions.registry.floor).toBeGreaterThanOrEqual(NUMBER_JUMP);
    expect([existsSync(stateFile), existsSync(`${stateFile}.damaged`)]).toEqual([false, true]);
  });

  test('says that a journal is damaged, where the length of a record is wrong', async () => {
    const folder = join(harness.folder, 'flipped');
    const settings = { 'journal.path': folder, 'session.offline_ttl': '1h' };
    const first = await harness.gateway(settings);
    const upstream = await harness.upstream(first, zoneOf(OPENID), () => undefined);
    await upstream.push({ openid: 'nobody', type: 't', data: 'waits' });
    await first.stop();
    const path = join(folder, readdirSync(folder)[0] as string);
    const content = readFileSync(path);
    // Of the first record, behind the header of 64 bytes.
    content[64] = 0x80;
    writeFileSync(path, content);
    const second = await harness.gateway({ ...settings, 'server.http_addr': '127.0.0.1:0' });
    expect(second.sessions.registry.floor).toBeGreaterThanOrEqual(NUMBER_JUMP);
    const health = await fetch(`http://127.0.0.1:${second.httpPort}/health`);
    expect(await health.json()).toMatchObject({
      warnings: expect.arrayContaining([expect.stringMatching(/^the journal was damaged/)]),
    });
  });
});
