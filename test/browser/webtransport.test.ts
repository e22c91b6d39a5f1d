import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'puppeteer-core';
import { certificateHash } from '../../src/config/certificate-hash.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { encodeRequestFrame } from '../../src/wire/frame-encoder.js';
import {
  BusinessRequest,
  BusinessResponse,
  ClientAck,
  ErrorMessage,
  PushType,
  RequestType,
  ServerPush,
  StartRequest,
  StartResponse,
  decodeMessage,
  encodeMessage,
} from '../../src/wire/messages.js';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { PATIENCE_MS } from '../support/patience.js';
import { eventually } from '../support/quic-harness.js';
import { BrowserHarness } from './browser-harness.js';
import { describeInChromium } from './chromium.js';
import { pageWith, script } from './page-server.js';

const client = readFileSync(
  fileURLToPath(new URL('pages/raw-webtransport.js', import.meta.url)),
  'utf8',
);

describeInChromium('a page with WebTransport', () => {
  let gateways: GatewayHarness;
  let gateway: Gateway;
  let upstream: UpstreamServer;
  let browser: BrowserHarness;
  let page: Page;

  async function start(settings: Record<string, string> = {}): Promise<void> {
    gateway = await gateways.gateway(settings);
    for (const zone of ZONES) {
      upstream = await gateways.upstream(gateway, zone, (server) =>
        server.fallback((request) => Promise.resolve(request.data)),
      );
    }
  }

  beforeAll(async () => {
    browser = await BrowserHarness.start(
      new Map([
        ['/client', pageWith('/client.js')],
        ['/client.js', script(client)],
      ]),
    );
  });

  afterAll(async () => {
    await browser.close();
  });

  beforeEach(async () => {
    gateways = new GatewayHarness();
    ({ page } = await browser.open('/client'));
  });

  afterEach(async () => {
    await page.close();
    await gateways.close();
  });

  const hash = () => certificateHash(readFileSync(join(gateways.folder, 'server.crt')));
  const connect = (pinned = hash()) =>
    page.evaluate(`connect('https://127.0.0.1:${gateway.quicPort}/gatesvr', '${pinned}')`);

  function send(
    type: RequestType,
    msgId: number,
    payload: Uint8Array,
    seqId = 0,
  ): Promise<unknown> {
    const frame = encodeRequestFrame({ type, msgId, seqId, payload, openid: 'alice' });
    return page.evaluate(`session.send('${Buffer.from(frame).toString('base64')}')`);
  }

  /** Everything that came; the page keeps it. */
  async function pushes(): Promise<ServerPush[]> {
    const frames = (await page.evaluate('session.frames')) as string[];
    return frames.map((frame) => decodeMessage(ServerPush, Buffer.from(frame, 'base64')));
  }

  async function push(matches: (one: ServerPush) => boolean): Promise<ServerPush> {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
      const found = (await pushes()).find(matches);
      if (found !== undefined) return found;
      await new Promise((done) => setTimeout(done, 20));
    }
    throw new Error('waited in vain for a push');
  }

  async function logIn(): Promise<StartResponse> {
    const start = encodeMessage(StartRequest, { openid: 'alice', authToken: 'x' });
    await send(RequestType.REQUEST_START, 1, start);
    const answer = await push(({ type }) => type === PushType.PUSH_START_RESP);
    return decodeMessage(StartResponse, answer.payload);
  }

  async function closed(): Promise<{ closeCode?: number }> {
    let found: unknown = null;
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end && found === null;) {
      found = await page.evaluate('session.closed');
    }
    return found ?? {};
  }

  test('starts a session, asks, and gets pushes; what nobody here wants is refused', async () => {
    await start();
    await connect();
    expect(await logIn()).toMatchObject({ success: true });
    const data = Buffer.from('from a page');
    const ask = encodeMessage(BusinessRequest, { action: 'echo', data });
    await send(RequestType.REQUEST_BUSINESS, 2, ask, 1);
    const answer = await push(({ msgId }) => msgId === 2);
    expect(decodeMessage(BusinessResponse, answer.payload)).toMatchObject({ code: 200, data });
    await upstream.push({ openid: 'alice', type: 'news', title: 'hello page' });
    const news = await push(({ type, msgId }) => type === PushType.PUSH_BUSINESS_DATA && !msgId);
    expect(decodeMessage(BusinessResponse, news.payload).message).toBe('[news] hello page');
    expect(gateway.metrics.ws.connections.of('webtransport').value).toBe(1);

    expect(await page.evaluate('tryUnwanted()')).toEqual({
      bidi: 'stream 403',
      uni: 'stream 403',
    });
    const { webTransportRefused } = gateway.metrics.http3;
    await eventually(() => webTransportRefused.of('datagram').value === 1, 'the datagram');
    expect(gateway.metrics.http3.requests.of('200').value).toBe(1);
  });

  test('is told why its session ends', async () => {
    let end: { closeCode?: number } = {};
    // Chromium tells a page now and then only that the connection was lost, though it has read the reason:
    // what ends the session and what carries the reason come to the page by different ways.
    for (let tries = 0; tries < 3 && end.closeCode === undefined; tries++) {
      await start();
      await connect();
      await logIn();
      // A stop waits for what is not acknowledged.
      const ackedSeqId = Math.max(...(await pushes()).map(({ seqId }) => seqId));
      await send(RequestType.REQUEST_ACK, 0, encodeMessage(ClientAck, { ackedSeqId }));
      await gateway.stop();
      end = await closed();
      const last = await push(({ type }) => type === PushType.PUSH_ERROR);
      expect(decodeMessage(ErrorMessage, last.payload).errorCode).toBe(503);
    }
    expect(end).toMatchObject({ closeCode: 503 });
  });

  test('of another host is refused unless its origin is listed', async () => {
    await start();
    const elsewhere = await browser.open('/client', browser.pages.otherOrigin);
    await page.close();
    ({ page } = elsewhere);
    await expect(connect()).rejects.toThrow('Opening handshake failed');
    expect(gateway.metrics.quic.rejected.of('webtransport_origin').value).toBe(1);
    await gateways.stopNewest();
    await start({ 'websocket.origins': browser.pages.otherOrigin });
    await connect();
    expect(await logIn()).toMatchObject({ success: true });
  });

  // The last: refused handshakes slow those that follow in the same browser.
  test('that expects another certificate does not connect', async () => {
    await start();
    await expect(connect(Buffer.alloc(32).toString('base64'))).rejects.toThrow(
      'Opening handshake failed',
    );
    expect(gateway.metrics.http3.requests.of('200').value).toBe(0);
  });
});
