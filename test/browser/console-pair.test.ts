import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'puppeteer-core';
import { GatewayPair } from '../support/gateway-pair.js';
import { BrowserHarness, screenshot } from './browser-harness.js';
import { describeInChromium } from './chromium.js';
import { ADMIN_TOKEN, answer, shows } from './console-world.js';

describeInChromium('the console of a gateway of a pair', () => {
  let pair: GatewayPair;
  let browser: BrowserHarness;

  beforeAll(async () => {
    pair = new GatewayPair({
      'server.http_addr': '127.0.0.1:0',
      'ops.admin_token': ADMIN_TOKEN,
      // Roles change because somebody asks for it, not because this machine stood still.
      'backup.heartbeat.timeout': '6s',
    });
    await pair.start();
    browser = await BrowserHarness.start();
  });

  afterAll(async () => {
    await browser.close();
    await pair.close();
  });

  test('tells its role and lag, and switches roles for an admin', async () => {
    const { page, problems } = await browser.open(`http://127.0.0.1:${pair.a.httpPort}/console`);
    await page.setViewport({ width: 1280, height: 900 });
    await shows(page, '#role', 'primary');
    for (const fact of ['In syncyes', 'Peerb, backup', 'Lag0 entries']) {
      await shows(page, '#pair', fact);
    }
    await shows(page, '.chart h3', 'Replication lag');
    await useToken(page);
    await screenshot(page, 'console-pair');
    await page.click('#switch-button');
    await shows(page, '.question', 'hands over to its peer');
    await page.click('.question [type=submit]');
    await shows(page, '#notes', 'The switch began');
    await pair.serves('b');
    await shows(page, '#role', 'backup');
    expect(problems).toEqual([]);
  });

  async function useToken(page: Page): Promise<void> {
    await page.click('#token-button');
    await answer(page, ADMIN_TOKEN);
    await shows(page, '#rights', 'as an admin');
  }
});
