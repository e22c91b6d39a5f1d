import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { until } from '../support/until.js';
import { BrowserHarness, screenshot } from './browser-harness.js';
import { describeInChromium } from './chromium.js';
import { pageWith, script } from './page-server.js';

describeInChromium('Chromium', () => {
  let harness: BrowserHarness;

  beforeAll(async () => {
    harness = await BrowserHarness.start(
      new Map([
        ['/broken', pageWith('/broken.js')],
        ['/broken.js', script('console.error("a complaint"); throw new Error("a mistake");')],
      ]),
    );
  });

  afterAll(async () => {
    await harness.close();
  });

  test('counts on a page from loopback, where WebTransport may be used', async () => {
    const { page, problems } = await harness.open();
    expect(page.url()).toBe(`${harness.pages.origin}/`);
    expect(await page.evaluate('1 + 1')).toBe(2);
    expect(await page.evaluate('isSecureContext && typeof WebTransport')).toBe('function');
    expect(problems).toEqual([]);
    expect(readFileSync(await screenshot(page, 'empty-page')).toString('latin1', 1, 4)).toBe('PNG');
  });

  test('tells what went wrong on a page', async () => {
    const { problems } = await harness.open('/broken');
    await until(() => problems.length >= 2);
    expect(problems.join('\n')).toContain('a complaint');
    expect(problems.join('\n')).toContain('a mistake');
  });
});
