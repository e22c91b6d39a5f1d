import { afterAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { readFileSync, renameSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { writeCertificates } from '../../src/config/certificates.js';
import { loadConfig } from '../../src/config/load.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { ask } from '../support/ops-double.js';
import { eventually } from '../support/quic-harness.js';
import { openWebSocket } from '../support/ws-client.js';

const harness = new GatewayHarness();
afterAll(() => harness.close());

const logging = (level: string) => loadConfig({ env: {}, flags: { 'log.level': level } }).config;

function statusOverTls(port: number, ca: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', servername: 'localhost', port, path: '/live', ca };
    const sent = request({ ...target, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('a gateway configured for a network of strangers', () => {
  test('shows its operators a certificate, and the next one after a reload', async () => {
    const folder = join(harness.folder, 'ops');
    await writeCertificates(folder);
    const gateway = await harness.gateway({
      'server.http_addr': '127.0.0.1:0',
      'server.metrics_addr': '127.0.0.1:0',
      'ops.tls.cert_file': join(folder, 'server.crt'),
      'ops.tls.key_file': join(folder, 'server.key'),
    });
    const old = readFileSync(join(folder, 'ca.crt'));
    expect(await statusOverTls(gateway.httpPort, old)).toBe(200);
    expect(await statusOverTls(gateway.metricsPort, old)).toBe(404);
    await writeCertificates(folder, {}, true);
    await gateway.reload(logging('error'));
    expect(await statusOverTls(gateway.httpPort, readFileSync(join(folder, 'ca.crt')))).toBe(200);
    await expect(statusOverTls(gateway.httpPort, old)).rejects.toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
    await gateway.stop();
  });

  test('sees clients behind its proxies, each with limits of its own', async () => {
    const gateway = await harness.gateway({
      'server.ws_addr': '127.0.0.1:0',
      'server.http_addr': '127.0.0.1:0',
      'server.trusted_proxies': '127.0.0.0/8',
      'overload_protection.address_connections': '1',
    });
    const join = async (client: string, openid: string): Promise<number | null> => {
      const headers = { 'x-forwarded-for': client };
      const { webSocket } = await openWebSocket(gateway.wsPort, 'gatesvr.json', { headers });
      const closed = once(webSocket, 'close').then(([code]) => code as number);
      const answered = once(webSocket, 'message').then(([answer]) =>
        String(answer).includes('"success":true') ? null : closed,
      );
      const start = { msgId: 1, type: 'REQUEST_START', startRequest: { openid, authToken: 't' } };
      webSocket.send(JSON.stringify(start));
      return Promise.race([closed, answered]);
    };
    expect(await join('203.0.113.7', 'ann')).toBeNull();
    expect(await join('1.1.1.1, 203.0.113.8', 'bob')).toBeNull();
    expect(await join('203.0.113.7', 'again')).toBe(4429);
    const { text } = await ask({ port: gateway.httpPort, path: '/stats' });
    const { sessions } = JSON.parse(text) as {
      sessions: { openid: string; remote_addr: string }[];
    };
    expect(sessions.map(({ openid, remote_addr }) => [openid, remote_addr])).toEqual([
      ['ann', '203.0.113.7:0'],
      ['bob', '203.0.113.8:0'],
    ]);
    await gateway.stop();
  });

  test('writes its log to a file, and opens it again at a reload', async () => {
    const path = join(harness.folder, 'log', 'gatesvr.log');
    const gateway = await harness.gateway({ 'log.file': path, 'log.level': 'info' });
    const logged = (file: string, message: string) => readFileSync(file, 'utf8').includes(message);
    expect(logged(path, 'gateway is serving')).toBe(true);
    renameSync(path, `${path}.moved`);
    await gateway.reload(logging('info'));
    await eventually(() => logged(path, 'configuration reloaded'), 'a line in the new file');
    await gateway.stop();
    expect(logged(path, 'gateway stopped')).toBe(true);
    expect(logged(`${path}.moved`, 'gateway stopped')).toBe(false);
  });

  test('warns of what stands: found at the start, or by the last reload', async () => {
    const path = join(harness.folder, 'warnings.log');
    const gateway = await harness.gateway({
      'server.http_addr': '0.0.0.0:0',
      'ops.admin_token': 'a-token-of-sixteen-and-more',
      'log.file': path,
      'log.level': 'warn',
    });
    const warnings = async () => {
      const { text } = await ask({ port: gateway.httpPort, path: '/health' });
      return (JSON.parse(text) as { warnings: string[] }).warnings;
    };
    const plain = 'server.http_addr is plain HTTP, which shows ops.admin_token: set ops.tls';
    expect(await warnings()).toContain(plain);
    await eventually(() => readFileSync(path, 'utf8').includes(plain), 'the warning in the log');

    await gateway.reload(logging('warn'), ['line 3: no such key']);
    const reloaded = await warnings();
    expect(reloaded).toEqual(
      expect.arrayContaining([
        plain,
        'line 3: no such key',
        expect.stringMatching(
          /^changed since the start, and wait for a restart: .*ops\.admin_token/,
        ),
      ]),
    );
    expect(reloaded.join()).not.toContain('a-token-of');
    await gateway.stop();
  });
});
