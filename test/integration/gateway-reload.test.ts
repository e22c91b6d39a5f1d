import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { writeCertificates } from '../../src/config/certificates.js';
import { loadConfig } from '../../src/config/load.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { GatewayClientOptions } from '../../src/sdk/client/index.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { PATIENT_CLIENT } from '../support/patience.js';

const harness = new GatewayHarness();
afterAll(() => harness.close());

test('a reload shows the new certificate to new clients and keeps the old ones connected', async () => {
  const gateway = await harness.gateway();
  const caFile = join(harness.folder, 'ca.crt');
  const client = (openid: string, ca: Buffer, options: Partial<GatewayClientOptions> = {}) =>
    new GatewayClient({
      ...PATIENT_CLIENT,
      address: `127.0.0.1:${gateway.quicPort}`,
      openid,
      ca,
      ...options,
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
  const stale = client('stale', oldCa, { connectTimeoutMs: 1_000 });
  await expect(stale.connect()).rejects.toThrow();
  expect(early.state).toBe('connected');
  for (const each of [early, late, stale]) each.close();
});
