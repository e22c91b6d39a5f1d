import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { writeCertificates } from '../../src/config/certificates.js';
import { loadConfig } from '../../src/config/load.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { GatewayHarness } from '../support/gateway-harness.js';

const harness = new GatewayHarness();
afterAll(() => harness.close(), 30_000);

test('a reload shows the new certificate to new clients and keeps the old ones connected', async () => {
  const gateway = await harness.gateway();
  const caFile = join(harness.folder, 'ca.crt');
  const client = (openid: string, ca: Buffer) =>
    new GatewayClient({
      address: `127.0.0.1:${gateway.quicPort}`,
      openid,
      ca,
      connectTimeoutMs: 3_000,
    });
  const oldCa = readFileSync(caFile);
  const early = client('early', oldCa);
  await early.connect();

  await writeCertificates(harness.folder, {}, true);
  const newCa = readFileSync(caFile);
  expect(newCa.equals(oldCa)).toBe(false);
  await gateway.reload(loadConfig({ env: {}, flags: {} }).config);

  const late = client('late', newCa);
  await late.connect();
  const stale = client('stale', oldCa);
  await expect(stale.connect()).rejects.toThrow();
  expect(early.state).toBe('connected');
  for (const each of [early, late, stale]) each.close();
}, 30_000);
