import { afterAll, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { SystemClock } from '../../src/base/clock.js';
import type { Cancel } from '../../src/base/clock.js';
import { writeCertificates } from '../../src/config/certificates.js';
import { loadConfig } from '../../src/config/load.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { CERTIFICATE_POLL_MS } from '../../src/grpc/certificate-source.js';
import { zoneOf } from '../../src/routing/zone.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { GatewayClientOptions } from '../../src/sdk/client/index.js';
import { GatewayApi } from '../support/gateway-api.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { PATIENT_CLIENT } from '../support/patience.js';

/** Time as it goes, but certificate files are looked at when the test says so. */
class PolledClock extends SystemClock {
  private readonly polls = new Set<() => void>();

  override every(period: number, run: () => void): Cancel {
    if (period !== CERTIFICATE_POLL_MS) return super.every(period, run);
    this.polls.add(run);
    return () => this.polls.delete(run);
  }

  poll(): void {
    for (const run of this.polls) run();
  }
}

const harness = new GatewayHarness();
const open: { close(): void }[] = [];
const tracked = <T extends { close(): void }>(one: T): T => (open.push(one), one);
afterAll(async () => {
  for (const each of open) each.close();
  await harness.close();
});

/** The folders of the files: for clients, upstreams that call, operators, and upstreams that are called. */
const FOLDERS = { clients: '.', grpc: 'grpc', ops: 'ops', calls: 'calls' } as const;
type Shown = keyof typeof FOLDERS;

const path = (shown: Shown, file: string) => join(harness.folder, FOLDERS[shown], file);
const bytes = (shown: Shown, file: string) => readFileSync(path(shown, file));
const fingerprint = (shown: Shown) =>
  new X509Certificate(bytes(shown, 'server.crt')).fingerprint256;

/** New files for these, each with a CA of its own. */
async function writeFiles(...names: readonly Shown[]): Promise<void> {
  const folders = names.map((name) => join(harness.folder, FOLDERS[name]));
  await Promise.all(folders.map((folder) => writeCertificates(folder, {}, true)));
}

/** Which certificate a TCP listener shows. */
async function shownAt(port: number): Promise<string> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

/** A session over QUIC with a gateway whose certificate the CA in the file now has signed. */
async function connected(
  gateway: Gateway,
  openid: string,
  over: Partial<GatewayClientOptions> = {},
): Promise<GatewayClient> {
  const address = `127.0.0.1:${gateway.quicPort}`;
  const ca = bytes('clients', 'ca.crt');
  const client = tracked(new GatewayClient({ ...PATIENT_CLIENT, address, openid, ca, ...over }));
  await client.connect();
  return client;
}

/** Which certificate an upstream is shown that has one of the CA in the file now. */
async function shownToUpstream(gateway: Gateway, client: GatewayClient, openid: string) {
  const [ca, cert, key] = ['ca.crt', 'server.crt', 'server.key'].map((file) =>
    bytes('calls', file),
  ) as [Buffer, Buffer, Buffer];
  const asks = { requestCert: true, rejectUnauthorized: false, ALPNProtocols: ['h2'] };
  const server = tracked(createServer({ ca, cert, key, ...asks }));
  const called = Promise.race([
    once(server, 'secureConnection'),
    once(server, 'tlsClientError').then(([error]) => Promise.reject(error as Error)),
  ]);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const registration = { address: `127.0.0.1:${port}`, zone_id: zoneOf(openid), service_name: 's' };
  const tls = credentials.createSsl(bytes('grpc', 'ca.crt'));
  const api = tracked(new GatewayApi(`localhost:${gateway.grpcPort}`, tls));
  expect(await api.call('RegisterUpstream', registration)).toMatchObject({ success: true });
  client.request('any').catch(() => undefined);
  const [socket] = (await called) as [TLSSocket];
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  server.close();
  expect(await api.call('DeregisterUpstream', registration)).toMatchObject({ success: true });
  return fingerprint256;
}

/** Every way in and out uses what the files hold now. */
async function expectInUse(gateway: Gateway, openid: string): Promise<void> {
  expect(await shownAt(gateway.wsPort)).toBe(fingerprint('clients'));
  expect(await shownAt(gateway.grpcPort)).toBe(fingerprint('grpc'));
  expect(await shownAt(gateway.httpPort)).toBe(fingerprint('ops'));
  expect(await shownAt(gateway.metricsPort)).toBe(fingerprint('ops'));
  const client = await connected(gateway, openid);
  expect(await shownToUpstream(gateway, client, openid)).toBe(fingerprint('calls'));
}

test('new certificates are in use everywhere: after a reload, and when the files changed by themselves', async () => {
  // The harness makes those for clients.
  await writeFiles('grpc', 'ops', 'calls');
  const clock = new PolledClock();
  const gateway = await harness.gateway(
    {
      'server.ws_addr': '127.0.0.1:0',
      'server.http_addr': '127.0.0.1:0',
      'server.metrics_addr': '127.0.0.1:0',
      'grpc.tls.cert_file': path('grpc', 'server.crt'),
      'grpc.tls.key_file': path('grpc', 'server.key'),
      'ops.tls.cert_file': path('ops', 'server.crt'),
      'ops.tls.key_file': path('ops', 'server.key'),
      'upstream_tls.ca_file': path('calls', 'ca.crt'),
      'upstream_tls.cert_file': path('calls', 'server.crt'),
      'upstream_tls.key_file': path('calls', 'server.key'),
    },
    clock,
  );
  await expectInUse(gateway, 'early');
  await writeFiles('clients', 'grpc', 'ops', 'calls');
  await gateway.reload(loadConfig({ env: {}, flags: { 'log.level': 'error' } }).config);
  await expectInUse(gateway, 'reloaded');
  await writeFiles('clients', 'grpc', 'ops', 'calls');
  clock.poll();
  await expectInUse(gateway, 'polled');
});

test('certificates behind a byte order mark, or put together without a line end, are used all the same', async () => {
  await writeFiles('clients', 'ops', 'calls');
  const before = (file: string, text: string) =>
    writeFileSync(file, text + readFileSync(file, 'latin1'), 'latin1');
  const mark = Buffer.from('\uFEFF').toString('latin1');
  for (const file of ['server.crt', 'server.key']) before(path('clients', file), mark);
  // Authorities of which the first one's last line has no end.
  const another = bytes('calls', 'ca.crt').toString('latin1').trimEnd();
  before(path('clients', 'ca.crt'), mark + another);
  before(path('ops', 'ca.crt'), another);
  const gateway = await harness.gateway({
    'server.ws_addr': '127.0.0.1:0',
    'server.http_addr': '127.0.0.1:0',
    'ops.tls.cert_file': path('ops', 'server.crt'),
    'ops.tls.key_file': path('ops', 'server.key'),
    'ops.tls.client_ca_file': path('ops', 'ca.crt'),
  });
  await connected(gateway, 'over-quic');
  await connected(gateway, 'over-websocket', {
    transport: 'websocket',
    webSocketPort: gateway.wsPort,
  });
  const [cert, key] = ['server.crt', 'server.key'].map((file) => bytes('ops', file));
  const shown = { cert, key, rejectUnauthorized: false, host: '127.0.0.1', path: '/ready' };
  const asked = get({ ...shown, port: gateway.httpPort });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.destroy();
  expect(answer.statusCode).toBe(200);
});

test('a certificate that expires soon is in /health and in the metrics, until it is renewed', async () => {
  // Valid since an hour, for a quarter of an hour more.
  await writeCertificates(join(harness.folder, 'grpc'), { days: 1.25 / 24 }, true);
  const gateway = await harness.gateway({
    'server.http_addr': '127.0.0.1:0',
    'server.metrics_addr': '127.0.0.1:0',
    'grpc.tls.cert_file': path('grpc', 'server.crt'),
    'grpc.tls.key_file': path('grpc', 'server.key'),
    'grpc.tls.client_ca_file': path('grpc', 'ca.crt'),
  });
  const get = async (port: number, what: string) =>
    await (await fetch(`http://127.0.0.1:${port}${what}`)).text();
  const expiring = async () => {
    const { warnings } = JSON.parse(await get(gateway.httpPort, '/health')) as {
      warnings: string[];
    };
    const metrics = await get(gateway.metricsPort, '/metrics');
    expect(metrics).toContain(`\ngatesvr_health_warnings ${warnings.length}\n`);
    return warnings.filter((line) => line.includes('expires'));
  };
  const ends = (shown: Shown, file = 'server.crt') =>
    Date.parse(new X509Certificate(bytes(shown, file)).validTo);
  const day = new Date(ends('grpc')).toISOString().slice(0, 10);
  expect(await expiring()).toEqual([
    `grpc.tls.cert_file expires on ${day}: renew it`,
    `grpc.tls.client_ca_file expires on ${day}: renew it`,
  ]);
  const metrics = await get(gateway.metricsPort, '/metrics');
  for (const [key, at] of [
    ['server.cert_file', ends('clients')],
    ['grpc.tls.cert_file', ends('grpc')],
    ['grpc.tls.client_ca_file', ends('grpc', 'ca.crt')],
  ] as const) {
    expect(metrics).toContain(
      `gatesvr_certificate_not_after_seconds{key="${key}"} ${at / 1_000}\n`,
    );
  }
  await writeFiles('grpc');
  await gateway.reload(loadConfig({ env: {}, flags: { 'log.level': 'error' } }).config);
  expect(await expiring()).toEqual([]);
});

test('of a file with several certificates /health names every one that expires soon', async () => {
  await writeFiles('clients', 'grpc');
  // Valid since an hour, for a quarter of an hour more.
  await writeCertificates(join(harness.folder, 'ops'), { days: 1.25 / 24 }, true);
  const soon = bytes('ops', 'ca.crt');
  for (const file of [path('clients', 'server.crt'), path('grpc', 'ca.crt')]) {
    appendFileSync(file, soon);
  }
  const gateway = await harness.gateway({
    'server.http_addr': '127.0.0.1:0',
    'server.metrics_addr': '127.0.0.1:0',
    'grpc.tls.cert_file': path('grpc', 'server.crt'),
    'grpc.tls.key_file': path('grpc', 'server.key'),
    'grpc.tls.client_ca_file': path('grpc', 'ca.crt'),
  });
  const asked = async (port: number, what: string) =>
    await (await fetch(`http://127.0.0.1:${port}${what}`)).text();
  const { warnings } = JSON.parse(await asked(gateway.httpPort, '/health')) as {
    warnings: string[];
  };
  const { subject, validTo } = new X509Certificate(soon);
  const day = new Date(validTo).toISOString().slice(0, 10);
  const name = subject.replaceAll('\n', ', ');
  expect(warnings.filter((line) => line.includes('expires'))).toEqual([
    `server.cert_file: ${name} expires on ${day}: renew it`,
    `grpc.tls.client_ca_file: ${name} expires on ${day}: renew it`,
  ]);
  const metrics = await asked(gateway.metricsPort, '/metrics');
  for (const key of ['server.cert_file', 'grpc.tls.client_ca_file']) {
    expect(metrics).toContain(
      `gatesvr_certificate_not_after_seconds{key="${key}"} ${Date.parse(validTo) / 1_000}\n`,
    );
  }
});
