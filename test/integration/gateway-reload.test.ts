import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { writeCertificates } from '../../src/config/certificates.js';
import { loadConfig } from '../../src/config/load.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { GatewayClientOptions } from '../../src/sdk/client/index.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { ask } from '../support/ops-double.js';
import { PATIENT_CLIENT } from '../support/patience.js';
import { eventually } from '../support/quic-harness.js';

/** What /health warns of, and what stands in the log file. */
function observed(gateway: Gateway, log: string) {
  const warnings = async () => {
    const { text } = await ask({ port: gateway.httpPort, path: '/health' });
    return (JSON.parse(text) as { warnings: string[] }).warnings;
  };
  const logged = (...texts: string[]) =>
    eventually(
      () => {
        const lines = readFileSync(log, 'utf8').split('\n');
        return lines.some((line) => texts.every((text) => line.includes(text)));
      },
      `a line with ${texts.join(' and ')}`,
    );
  return { warnings, logged };
}

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
  const stale = client('stale', oldCa, { connectTimeoutMs: 3_000 });
  // unknown_ca (RFC 8446 section 6.2)
  await expect(stale.connect()).rejects.toThrow(/TLS alert 48/);
  expect(early.state).toBe('connected');
  for (const each of [early, late, stale]) each.close();
});

test('a reload that came to nothing stands in the log and in /health until a good one', async () => {
  const file = join(harness.folder, 'refused.log');
  const gateway = await harness.gateway({ 'server.http_addr': '127.0.0.1:0', 'log.file': file });
  const { warnings, logged } = observed(gateway, file);
  const refused = 'configuration not reloaded, the old one stays in force';
  gateway.notReloaded(['gatesvr.yaml:2: log.level must be one of info, debug', 'and another']);
  expect(await warnings()).toContain(`${refused}: the log says why`);
  await logged(refused, 'gatesvr.yaml:2: log.level must be', 'and another');
  await gateway.reload(loadConfig({ env: {}, flags: { 'log.level': 'info' } }).config);
  expect((await warnings()).filter((line) => line.includes(refused))).toEqual([]);
  await logged('"configuration reloaded"');
  await gateway.stop();
});

test('a log that was moved away is opened again, whatever the configuration says by now', async () => {
  const file = join(harness.folder, 'rotated.log');
  const gateway = await harness.gateway({ 'server.http_addr': '127.0.0.1:0', 'log.file': file });
  const { logged } = observed(gateway, file);
  renameSync(file, `${file}.moved`);
  gateway.notReloaded(['gatesvr.yaml:2: a slip']);
  await logged('gatesvr.yaml:2: a slip');
  await gateway.stop();
});

test('what loading warns of at a reload stands in the log, once, and in /health', async () => {
  const file = join(harness.folder, 'warned.log');
  const gateway = await harness.gateway({ 'server.http_addr': '127.0.0.1:0', 'log.file': file });
  const { warnings, logged } = observed(gateway, file);
  const warning = 'gatesvr.yaml:3: such a thing is set and means nothing';
  const { config } = loadConfig({ env: {}, flags: { 'log.level': 'warn' } });
  await gateway.reload(config, [warning]);
  expect(await warnings()).toContain(warning);
  await logged(`"${warning}"`);
  // The log file is written in order: what comes after the reload is there when all of it is.
  gateway.notReloaded(['the end of this test']);
  await logged('the end of this test');
  expect(readFileSync(file, 'utf8').split(warning)).toHaveLength(2);
  await gateway.stop();
});

test('certificates that cannot be read again stand in /health, and the reload says so', async () => {
  const [calls, port] = await Promise.all(
    ['calls', 'port'].map((name) => writeCertificates(join(harness.folder, name))),
  );
  const file = join(harness.folder, 'certificates.log');
  const gateway = await harness.gateway({
    'server.http_addr': '127.0.0.1:0',
    'log.file': file,
    'log.level': 'warn',
    'grpc.tls.cert_file': port?.certFile ?? '',
    'grpc.tls.key_file': port?.keyFile ?? '',
    'upstream_tls.ca_file': calls?.caFile ?? '',
  });
  const { warnings, logged } = observed(gateway, file);
  const stale = async () =>
    (await warnings()).filter((line) => line.includes('the old certificates stay in use'));
  const reload = () =>
    gateway.reload(loadConfig({ env: {}, flags: { 'log.level': 'warn' } }).config);
  const own = join(harness.folder, 'server.crt');
  const good = [own, port?.certFile ?? '', calls?.caFile ?? ''].map(
    (path) => [path, readFileSync(path)] as const,
  );
  expect(await stale()).toEqual([]);
  for (const [path] of good) writeFileSync(path, 'nonsense');
  await reload();
  const faults = [
    `server: the old certificates stay in use: ${own} is not a PEM certificate`,
    `grpc.tls: the old certificates stay in use: ${port?.certFile} is not a PEM certificate`,
    `upstream_tls: the old certificates stay in use: ${calls?.caFile} holds no PEM certificate`,
  ];
  expect(await stale()).toEqual(faults);
  await logged('configuration reloaded, but not all files that it names', ...faults);
  for (const [path, bytes] of good) writeFileSync(path, bytes);
  await reload();
  expect(await stale()).toEqual([]);
  await gateway.stop();
});
