import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { DemoActions } from '../../src/cli/demo-actions.js';
import { PlaygroundServer } from '../../src/cli/demo/playground-server.js';
import { certificateHash } from '../../src/config/certificate-hash.js';
import { writeCertificates } from '../../src/config/certificates.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { BrowserHarness, screenshot } from './browser-harness.js';
import { describeInChromium } from './chromium.js';

describeInChromium('the playground', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatesvr-playground-'));
  const harness = new GatewayHarness();
  let gateway: Gateway;
  let server: PlaygroundServer;
  let chromium: BrowserHarness;
  let page: Page;
  let problems: readonly string[];
  let ca: string;

  beforeAll(async () => {
    const { certFile, keyFile, caFile } = await writeCertificates(folder, { days: 14 });
    ca = readFileSync(caFile, 'utf8');
    gateway = await harness.gateway({
      'server.ws_addr': '127.0.0.1:0',
      'server.cert_file': certFile,
      'server.key_file': keyFile,
      'websocket.playground': 'true',
    });
    for (const zone of ZONES) {
      await harness.upstream(gateway, zone, (upstream) => void new DemoActions(upstream, zone));
    }
    server = await PlaygroundServer.start({
      webTransportPort: gateway.quicPort,
      webSocketPort: gateway.wsPort,
      ca,
      certificateHash: certificateHash(readFileSync(certFile)),
    });
    chromium = await BrowserHarness.start();
    ({ page, problems } = await chromium.open('/', server.url));
  });

  afterAll(async () => {
    await chromium.close();
    server.close();
    await harness.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Sees also what soon goes away, as long as it is asked for beforehand. */
  const shows = (id: string, text: string) =>
    page.waitForFunction(
      `document.getElementById(${JSON.stringify(id)}).textContent.includes(${JSON.stringify(text)})`,
      { polling: 'mutation' },
    );
  const text = async (id: string) =>
    String(await page.evaluate(`document.getElementById(${JSON.stringify(id)}).textContent`));

  test('connects by itself, over WebTransport, and answers', async () => {
    await shows('state', 'connected');
    await shows('transport', 'WebTransport');
    await page.select('#action', 'calculate');
    await page.evaluate(`document.getElementById('data').value = '6*7'`);
    await page.click('#request button');
    await shows('answers', '"result":42');
  });

  test('plays its story: a cut in the midst of pushes, and none is lost', async () => {
    const cut = shows('state', 'network cut');
    await page.click('#play');
    await cut;
    await shows('verdict', 'All 40 pushes, in order, none twice');
    expect(await text('verdict')).toMatch(/, \d+ of them after the cut\.$/);
    expect(await text('resume')).toContain('nothing is missing');
    // One more for the cut; a machine that stands still costs others.
    expect(Number(await text('connections'))).toBeGreaterThanOrEqual(2);
    expect(await text('resume')).toContain('WebTransport');
    for (const scheme of ['light', 'dark']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      for (const width of [1280, 400]) {
        await page.setViewport({ width, height: 900 });
        await screenshot(page, `playground-${scheme}-${width}`);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      }
    }
  });

  test('switches transports, through its own server too, and the session goes on', async () => {
    const session = await text('session-id');
    for (const transport of ['WebSocket', 'WebTransport']) {
      await page.click('#switch');
      await shows('resume', `over ${transport}: nothing is missing`);
      await shows('transport', transport);
    }
    expect(await text('session-id')).toBe(session);
  });

  test('is worked with the keyboard, and its session outlives a reload', async () => {
    const session = await text('session-id');
    await page.focus('#cut');
    await page.keyboard.press('Enter');
    await shows('cut', 'Mend the network');
    await page.keyboard.press('Enter');
    await shows('state', 'connected');
    await page.reload();
    await shows('state', 'connected');
    expect(await text('session-id')).toBe(session);
    expect(await text('resume')).toContain('nothing is missing');
  });

  test('has said nothing that a policy forbids', () => {
    expect(problems).toEqual([]);
  });

  test('is served by the gateway, too, where that is configured', async () => {
    const get = (path: string, host = `gw.example:${gateway.wsPort}`) =>
      new Promise<{ status: number; policy: string; body: string }>((resolve, reject) => {
        const options = { host: '127.0.0.1', port: gateway.wsPort, path, ca, headers: { host } };
        request({ ...options, servername: 'localhost' }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              policy: String(response.headers['content-security-policy']),
              body: Buffer.concat(chunks).toString(),
            }),
          );
        })
          .on('error', reject)
          .end();
      });
    const index = await get('/');
    expect([index.status, index.body.slice(0, 15)]).toEqual([200, '<!doctype html>']);
    expect(index.policy).toContain(
      `connect-src 'self' https://gw.example:${gateway.quicPort} wss://gw.example:${gateway.wsPort};`,
    );
    const hash = new X509Certificate(readFileSync(join(folder, 'server.crt'))).fingerprint256;
    const setup = JSON.parse((await get('/playground/setup.json')).body) as {
      certificateHashes: string[];
    };
    expect(setup).toEqual({
      address: `gw.example:${gateway.quicPort}`,
      webSocketPort: gateway.wsPort,
      insecureWebSocket: false,
      certificateHashes: [Buffer.from(hash.replaceAll(':', ''), 'hex').toString('base64')],
    });
    expect((await get('/', 'gw.example:9443')).policy).toContain(
      `https://gw.example:${gateway.quicPort} wss://gw.example:9443;`,
    );
    expect((await get('/', 'a;b')).status).toBe(404);
    expect((await get('/nothing')).status).toBe(404);
  });
});
