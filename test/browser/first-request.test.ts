import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'puppeteer-core';
import { describeInChromium } from './chromium.js';
import { SdkWorld } from './sdk-world.js';

/** Clients of each transport, one after the other; a measurement takes hundreds (docs/BROWSER-SDK.md). */
const ROUNDS = Number(process.env['BROWSER_ROUNDS'] ?? 3);

/** The first clients of a page pay for code that is compiled and caches that are filled. */
const WARM_UP = 3;

describeInChromium('from new to the first answer', () => {
  let world: SdkWorld;
  let page: Page;

  beforeAll(async () => {
    world = await SdkWorld.start();
    ({ page } = await world.open());
  });

  afterAll(async () => {
    await world.close();
  });

  test.each(['webtransport', 'websocket'])('over %s', async (transport) => {
    const address = `127.0.0.1:${world.gateway.quicPort}`;
    const options = world.options({ transport, address, keepSession: false });
    const [openid = ''] = world.openids(1);
    const times: number[] = [];
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      const took = Number(await page.evaluate(`app.first("${openid}", ${options})`));
      if (round >= 0) times.push(took);
    }
    expect(times.every((took) => took > 0)).toBe(true);
    if (ROUNDS < 20) return;
    times.sort((a, b) => a - b);
    const [p50, p95] = [0.5, 0.95].map((share) => times[Math.floor(share * times.length)] ?? 0);
    process.stdout.write(
      `${transport}: ${ROUNDS} clients, p50 ${p50?.toFixed(1)} ms, p95 ${p95?.toFixed(1)} ms\n`,
    );
  });
});
