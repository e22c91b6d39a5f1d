import type { Page } from 'puppeteer-core';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { ask } from '../support/ops-double.js';
import { PATIENCE_MS, PATIENT_CLIENT } from '../support/patience.js';
import { until } from '../support/until.js';
import { BrowserHarness } from './browser-harness.js';
import type { OpenPage } from './browser-harness.js';

export const ADMIN_TOKEN = 'the-admin-token-of-this-test';

/** What the table of one session, or of none, shows. */
export const ROWS = '#sessions-table tbody tr';

/** A gateway with upstreams in two zones and clients, and a Chromium that looks at its console. */
export class ConsoleWorld {
  private readonly clients: GatewayClient[] = [];
  private readonly pages: Page[] = [];

  private constructor(
    private readonly harness: GatewayHarness,
    readonly browser: BrowserHarness,
    readonly gateway: Gateway,
  ) {}

  static async build(settings: Record<string, string> = {}): Promise<ConsoleWorld> {
    const harness = new GatewayHarness();
    try {
      const gateway = await harness.gateway({
        'server.http_addr': '127.0.0.1:0',
        'ops.admin_token': ADMIN_TOKEN,
        ...settings,
      });
      for (const zone of ['001', '002', '003', '004', '005']) {
        await harness.upstream(gateway, zone, (server) =>
          server.handle('echo', ({ data }) => ({ data })),
        );
      }
      return new ConsoleWorld(harness, await BrowserHarness.start(), gateway);
    } catch (error) {
      await harness.close();
      throw error;
    }
  }

  /** Connects a client; one of zone 006 has no upstream. */
  async client(openid: string): Promise<GatewayClient> {
    const address = `127.0.0.1:${this.gateway.quicPort}`;
    const made = new GatewayClient({ ...PATIENT_CLIENT, address, openid, insecure: true });
    this.clients.push(made);
    await made.connect();
    return made;
  }

  /** Opens the console in a tab of its own, in light colours and this wide. */
  async open(width = 1280, path = '/console'): Promise<OpenPage> {
    const opened = await this.browser.open('/');
    this.pages.push(opened.page);
    await opened.page.setViewport({ width, height: 900 });
    await opened.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
    await opened.page.goto(`http://127.0.0.1:${this.gateway.httpPort}${path}`);
    return opened;
  }

  /** What the API answers an admin. */
  async get(path: string): Promise<Record<string, unknown>> {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const { text } = await ask({ port: this.gateway.httpPort, path, headers });
    return JSON.parse(text) as Record<string, unknown>;
  }

  async closePages(): Promise<void> {
    for (const page of this.pages.splice(0)) await page.close();
  }

  async close(): Promise<void> {
    for (const client of this.clients.splice(0)) client.close();
    await this.browser.close();
    await this.harness.close();
  }
}

/** The text of the first element that matches; empty where there is none. */
export async function textOf(page: Page, selector: string): Promise<string> {
  return (await textsOf(page, selector))[0] ?? '';
}

export function textsOf(page: Page, selector: string): Promise<string[]> {
  return page.$$eval(selector, (found) => found.map(({ textContent }) => textContent ?? ''));
}

/** Waits until a text stands somewhere. */
export async function shows(page: Page, selector: string, text: string): Promise<void> {
  await until(async () => (await textsOf(page, selector)).some((shown) => shown.includes(text)));
}

/** Waits until expectations hold: a page shows each thing in its own time. @throws what failed last. */
export async function comesTo(expectations: () => Promise<void>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    try {
      return await expectations();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until nothing matches any more. */
export async function vanishes(page: Page, selector: string): Promise<void> {
  await until(async () => (await page.$(selector)) === null);
}

/** Answers the dialog that asks something; another one may follow. */
export async function answer(page: Page, text: string): Promise<void> {
  const dialog = await page.waitForSelector('.question', { visible: true });
  await page.$eval('.question input', (input) => input.select());
  await page.type('.question input', text);
  await page.keyboard.press('Enter');
  await until(async () => (await dialog?.evaluate((shown) => shown.isConnected)) === false);
}
