import { afterAll, expect, test } from '@jest/globals';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayHarness } from '../support/gateway-harness.js';
import { ask } from '../support/ops-double.js';
import { eventually } from '../support/quic-harness.js';

const harness = new GatewayHarness();
afterAll(() => harness.close());

test('/health warns while registrations would be forgotten, and they are kept once the disk takes them', async () => {
  const folder = join(harness.folder, 'registry');
  const settings = {
    'server.http_addr': '127.0.0.1:0',
    'routing.registry_file': join(folder, 'upstreams.json'),
  };
  mkdirSync(folder);
  const gateway = await harness.gateway(settings);
  rmSync(folder, { recursive: true });
  await harness.upstream(gateway, '001', (server) => server.handle('any', () => ''));
  const warnings = async () => (await ask({ port: gateway.httpPort, path: '/health' })).text;
  const warning = 'routing.registry_file cannot be written';
  expect(await warnings()).toContain(warning);
  mkdirSync(folder);
  await eventually(async () => !(await warnings()).includes(warning), 'the warning to go');
  await gateway.stop();
  const next = await harness.gateway(settings);
  const { text } = await ask({ port: next.httpPort, path: '/health' });
  expect(text).not.toContain('zone 001 has no upstream');
});
