import { describe } from '@jest/globals';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import puppeteer from 'puppeteer-core';
import type { Browser } from 'puppeteer-core';
import { PATIENCE_MS } from '../support/patience.js';

/** What distributions call it. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/**
 * Nothing that leaves this machine, nothing that needs a screen. No sandbox: tests run as root in
 * containers, and the pages are our own.
 */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** The Chromium of this machine (GATESVR_CHROMIUM, else on the PATH), null where there is none. */
export function chromiumPath(): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const candidates = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const given = process.env['GATESVR_CHROMIUM'];
  return (given === undefined ? candidates : [given]).find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * `describe` for tests that need Chromium: skipped where it is missing, unless GATESVR_REQUIRE_BROWSER
 * is set, as CI does, for then its absence must not go unnoticed.
 */
export const describeInChromium =
  chromiumPath() === null && process.env['GATESVR_REQUIRE_BROWSER'] === undefined
    ? describe.skip
    : describe;

/**
 * Starts a headless Chromium with a profile of its own that vanishes with it; whoever starts it closes
 * it. Failed QUIC handshakes slow later ones of the same browser: a test of a refusal takes a fresh one.
 */
export async function launchChromium(more: readonly string[] = []): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === null) {
    throw new Error('Chromium is missing: run test/browser/install.sh, or set GATESVR_CHROMIUM');
  }
  return puppeteer.launch({
    executablePath,
    headless: true,
    args: [...ARGUMENTS, ...more],
    // A first start reads a quarter of a gigabyte; one call may do the work of a hundred clients.
    timeout: 3 * PATIENCE_MS,
    protocolTimeout: 3 * PATIENCE_MS,
  });
}
