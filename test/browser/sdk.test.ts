import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Frame, Page } from 'puppeteer-core';
import { PATIENCE_MS } from '../support/patience.js';
import { until } from '../support/until.js';
import { describeInChromium } from './chromium.js';
import { SdkWorld } from './sdk-world.js';

describeInChromium('the browser SDK', () => {
  let world: SdkWorld;
  let page: Page;
  let problems: readonly string[];

  beforeAll(async () => {
    world = await SdkWorld.start();
  });

  beforeEach(async () => {
    ({ page, problems } = await world.open());
  });

  afterEach(async () => {
    await page.close();
  });

  afterAll(async () => {
    await world.close();
  });

  test.each(['webtransport', 'websocket'])(
    'over %s asks, is pushed to, and is resumed without loss after a cut',
    async (transport) => {
      const options = { transport, deadAfterMs: PATIENCE_MS };
      const { sessionId, ...first } = await world.connect(page, 'alice', options);
      expect(first.transport).toBe(transport);
      const large = 'x'.repeat(1_000_000);
      expect(await world.ask(page, 'alice', 'hello', large)).toEqual(['hello', large]);
      const push = (title: string) => world.upstream.push({ openid: 'alice', type: 'n', title });
      await push('1');
      world.drop('alice');
      for (const title of ['2', '3']) await push(title);
      await until(async () => (await world.tell(page, 'alice')).pushes.length === 3);
      const told = await world.tell(page, 'alice');
      expect(told.pushes.map(({ title }) => title)).toEqual(['1', '2', '3']);
      expect(told.log).toEqual([`${transport} new whole`, `${transport} resumed whole`]);
      expect(told.sessionId).toBe(sessionId);
      expect(problems).toEqual([]);
      await page.evaluate('app.stop("alice")');
      await until(() => world.gateway.sessions.connectionCount === 0);
    },
  );

  test('goes on with its session after a reload, and not in a duplicated tab', async () => {
    const options = { transport: 'websocket', deadAfterMs: PATIENCE_MS };
    const { sessionId } = await world.connect(page, 'alice', options);
    await world.upstream.push({ openid: 'alice', type: 'n', title: '1' });
    await until(async () => (await world.tell(page, 'alice')).pushes.length === 1);
    await page.reload();
    // Pushed while there is no page, and before it.
    await world.upstream.push({ openid: 'alice', type: 'n', title: '2' });
    const back = await world.connect(page, 'alice', options);
    expect(back.sessionId).toBe(sessionId);
    expect(back.log).toEqual(['websocket resumed whole']);
    await until(async () => (await world.tell(page, 'alice')).pushes.length === 1);
    expect((await world.tell(page, 'alice')).pushes).toMatchObject([{ title: '2' }]);

    const opened = new Promise<Page | null>((done) => page.once('popup', done));
    await page.evaluate('void window.open("/sdk")');
    const duplicate = (await opened) as Page;
    await duplicate.waitForFunction('"app" in window');
    expect(await duplicate.evaluate('sessionStorage.length')).toBeGreaterThan(0);
    const stranger = await world.connect(duplicate, 'alice', options);
    expect(stranger.sessionId).not.toBe(sessionId);
    expect(stranger.log[0]).toMatch(/^websocket new/);
    await until(async () => (await world.tell(page, 'alice')).state === 'closed');
    expect((await world.tell(page, 'alice')).log.at(-1)).toBe('closed: replaced');
    await duplicate.close();
  });

  test('goes on after a reload, beside a frame of the same origin', async () => {
    const options = { transport: 'websocket', deadAfterMs: PATIENCE_MS };
    const [top = '', inner = ''] = world.openids(2);
    const found: string[][] = [];
    for (let round = 0; round < 2; round++) {
      const outer = await world.connect(page, top, options);
      await page.evaluate(
        `new Promise((done) => {
          const frame = document.createElement('iframe');
          frame.onload = done;
          frame.src = '/sdk';
          document.body.append(frame);
        })`,
      );
      const frame = page.frames()[1] as Frame;
      await frame.waitForFunction('"app" in window');
      const connecting = `app.connect("${inner}", ${world.options(options)})`;
      const framed = (await frame.evaluate(connecting)) as typeof outer;
      found.push([outer.sessionId, framed.sessionId]);
      await page.reload();
      await page.waitForFunction('"app" in window');
    }
    expect(found[1]).toEqual(found[0]);
  });

  test('has room for 100 sessions in one page', async () => {
    const openids = world.openids(100);
    const names = JSON.stringify(openids);
    // Every other one over WebSocket.
    const options = `{ ...${world.options()}, transport: n % 2 ? 'websocket' : 'webtransport' }`;
    await page.evaluate(`Promise.all(${names}.map((name, n) => app.connect(name, ${options})))`);
    expect(world.gateway.sessions.activeCount()).toBeGreaterThanOrEqual(100);
    const answers = await page.evaluate(
      `Promise.all(${names}.map((name) => app.ask(name, name, 'again')))`,
    );
    expect(answers).toEqual(openids.map((name) => [name, 'again']));
    await world.upstream.broadcast({ type: 'n', title: 'to all' });
    const pushes = `${names}.every((name) => app.tell(name).pushes.length === 1)`;
    await until(async () => (await page.evaluate(pushes)) === true);
    await page.evaluate(`Promise.all(${names}.map((name) => app.stop(name)))`);
  });

  test('is used by the page of docs/BROWSER-SDK.md as that stands there', async () => {
    const { page: documented } = await world.chromium.open('/docs');
    await documented.waitForFunction('document.title === "hello"');
    await world.upstream.push({ openid: 'alice', type: 'n', title: 'documented' });
    await documented.waitForFunction('document.body.innerText.includes(": documented")');
    expect(await documented.evaluate('document.body.innerText')).toMatch(/^connected over \w+/);
    await documented.close();
  });

  // From here on handshakes fail, and browsers remember that.
  test('takes session and requests to WebSocket when UDP is blocked, and remembers it', async () => {
    const { sessionId } = await world.connect(page, 'alice');
    expect((await world.tell(page, 'alice')).transport).toBe('webtransport');
    world.proxy.blackhole(true);
    const answers = world.ask(page, 'alice', '1', '2', '3');
    await world.upstream.push({ openid: 'alice', type: 'n', title: 'in the dark' });
    expect(await answers).toEqual(['1', '2', '3']);
    await until(async () => (await world.tell(page, 'alice')).pushes.length === 1);
    const told = await world.tell(page, 'alice');
    expect(told.log.slice(0, 2)).toEqual(['webtransport new whole', 'websocket resumed whole']);
    expect(told.sessionId).toBe(sessionId);
    expect(world.executed.filter((text) => /^[123]$/.test(text))).toEqual(['1', '2', '3']);
    await page.evaluate('app.stop("alice")');

    const next = await world.open();
    await next.page.evaluate(`globalThis.tried = 0; const Native = WebTransport;
      globalThis.WebTransport = class extends Native {
        constructor(...given) {
          super(...given);
          tried++;
        }
      };`);
    expect((await world.connect(next.page, 'alice')).transport).toBe('websocket');
    expect(await next.page.evaluate('tried')).toBe(0);
    await next.page.close();
  });

  test('rejects with a typed error where UDP is blocked and nothing else allowed', async () => {
    const options = world.options({ transport: 'webtransport', connectTimeoutMs: 1_500 });
    expect(await page.evaluate(`app.failure("bob", ${options})`)).toEqual({
      typed: true,
      code: 'CONNECT_FAILED',
      message: expect.stringContaining('within 1500 ms'),
    });
    world.proxy.blackhole(false);
  });

  test('does not trust a certificate by another hash, and goes to WebSocket', async () => {
    await page.evaluate('localStorage.clear()');
    const certificateHashes = ['00'.repeat(32)];
    const alone = world.options({
      transport: 'webtransport',
      certificateHashes,
      connectTimeoutMs: 1_500,
    });
    expect(await page.evaluate(`app.failure("bob", ${alone})`)).toMatchObject({
      typed: true,
      code: 'CONNECT_FAILED',
      message: expect.stringMatching(/no WebTransport to|within/),
    });
    const story = await world.connect(page, 'alice', { certificateHashes });
    expect(story.transport).toBe('websocket');
  });
});
