import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'puppeteer-core';
import { PATIENCE_MS } from '../support/patience.js';
import { launchChromium } from './chromium.js';
import { PageServer, pageWith } from './page-server.js';
import type { PageFile } from './page-server.js';

/** Where screenshots are kept; git ignores it. */
const ARTEFACTS =
  process.env['GATESVR_TEST_ARTEFACTS'] ??
  fileURLToPath(new URL('../../test-artefacts/', import.meta.url));

/** A page in a tab, and what went wrong in it. */
export interface OpenPage {
  readonly page: Page;
  /** Exceptions that nobody caught and errors on the console, as text. */
  readonly problems: readonly string[];
}

/** Chromium, and a server of pages on loopback; `close` ends both. */
export class BrowserHarness {
  private constructor(
    readonly browser: Browser,
    readonly pages: PageServer,
  ) {}

  /**
   * @param files by path; an empty page at `/` unless they have one.
   * @param flags of Chromium beside the usual ones.
   */
  static async start(
    files: ReadonlyMap<string, PageFile> = new Map(),
    flags: readonly string[] = [],
  ): Promise<BrowserHarness> {
    const pages = await PageServer.start(new Map([['/', pageWith()], ...files]));
    try {
      return new BrowserHarness(await launchChromium(flags), pages);
    } catch (error) {
      await pages.close();
      throw error;
    }
  }

  /**
   * Opens a page in a tab of its own; returns when its scripts have run.
   * @param origin another name of the same server: `pages.otherOrigin`.
   */
  async open(path = '/', origin = this.pages.origin): Promise<OpenPage> {
    const page = await this.browser.newPage();
    const problems: string[] = [];
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await page.goto(new URL(path, origin).href, { waitUntil: 'load' });
    return { page, problems };
  }

  /** Closes Chromium with all its tabs, and the page server. */
  async close(): Promise<void> {
    await this.browser.close();
    await this.pages.close();
  }
}

/**
 * Keeps what a page looks like as test-artefacts/NAME.png; returns that file.
 * @param fullPage all of it; false: what the window shows, for what stands fixed in it.
 */
export async function screenshot(page: Page, name: string, fullPage = true): Promise<string> {
  const path: `${string}.png` = `${join(ARTEFACTS, name)}.png`;
  mkdirSync(ARTEFACTS, { recursive: true });
  await page.screenshot({ path, fullPage });
  return path;
}
