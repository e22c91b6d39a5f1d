import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'puppeteer-core';
import type { OpenPage } from './browser-harness.js';
import { screenshot } from './browser-harness.js';
import { describeInChromium } from './chromium.js';
import {
  ADMIN_TOKEN,
  ConsoleWorld,
  ROWS,
  answer,
  comesTo,
  shows,
  textOf,
  textsOf,
  vanishes,
} from './console-world.js';

const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '"><script>alert(2)</script>',
  'javascript:alert(3)//{{4*4}}',
];

describeInChromium('the console', () => {
  let world: ConsoleWorld;

  beforeAll(async () => {
    world = await ConsoleWorld.build();
    for (const name of ['ann', 'bob', 'player-1', 'player-2', ...HOSTILE]) await world.client(name);
    const asking = await world.client('asking');
    await asking.request('echo', { data: Buffer.from('x') });
  });

  // A browser has six connections to one server for all its tabs, and each stream takes one.
  afterEach(() => world.closePages());
  afterAll(() => world.close());

  /** A console that shows what there is. */
  async function console(width?: number, path?: string): Promise<OpenPage> {
    const opened = await world.open(width, path);
    await shows(opened.page, '#feed', 'live');
    await opened.page.waitForSelector(ROWS);
    return opened;
  }

  async function search(page: Page, text: string): Promise<void> {
    await page.keyboard.press('/');
    await page.keyboard.type(text);
    // Typed slowly, a part of it is searched for first.
    await comesTo(async () => {
      const found = await textsOf(page, `${ROWS} button`);
      expect(found).not.toEqual([]);
      expect(found.filter((openid) => !openid.includes(text))).toEqual([]);
    });
    await shows(page, '#page', 'match');
  }

  test('shows what /stats tells, without a complaint of the browser', async () => {
    const { page, problems } = await console();
    const stats = await world.get('/stats');
    await comesTo(async () =>
      expect(await textOf(page, '.tile:first-child dd span')).toBe(String(stats['total_sessions'])),
    );
    const zones = stats['zones'] as { zone: string; sessions: number; upstreams: object[] }[];
    await comesTo(async () => {
      const shown = await textsOf(page, '#zones-table tbody tr');
      expect(shown).toHaveLength(zones.length);
      for (const [index, { zone, sessions, upstreams }] of zones.entries()) {
        const state = upstreams.length === 0 ? 'none' : 'ok';
        expect(shown[index]).toMatch(new RegExp(`^${zone}${sessions}.*${state}`));
      }
    });
    const listed = (stats['sessions'] as { openid: string }[]).map(({ openid }) => openid);
    expect(await textsOf(page, `${ROWS} button`)).toEqual(listed);
    const stages = Object.keys((await world.get('/performance'))['latency_ms'] as object);
    await comesTo(async () => {
      const shown = await textsOf(page, '#stages-table td:first-child');
      expect(shown).toEqual([...stages, 'loop delay', 'gc pause']);
      expect(await textsOf(page, '.chart h3')).toHaveLength(8);
    });
    expect(await page.title()).toBe(`${new URL(page.url()).host} – GateSvr`);
    expect(problems).toEqual([]);
  });

  test('shows hostile openids as the text they are', async () => {
    const { page, problems } = await console();
    expect(await textsOf(page, `${ROWS} button`)).toEqual(expect.arrayContaining(HOSTILE));
    const stats = await world.get(`/stats?openid=${encodeURIComponent('<img')}`);
    const [session] = stats['sessions'] as { session_id: string }[];
    await page.evaluate(`location.hash = 'session=${session?.session_id}'`);
    await shows(page, '.drawer h2', HOSTILE[0] ?? '');
    await page.click('.drawer .danger');
    await shows(page, '.question', HOSTILE[0] ?? '');
    const foreign = 'document.querySelectorAll("main img, dialog img, body script").length';
    expect(await page.evaluate(foreign)).toBe(0);
    expect(problems).toEqual([]);
  });

  test('finds, opens and closes a session by keys alone, and the focus goes back', async () => {
    const { page, problems } = await console();
    await search(page, 'player-');
    expect(await textsOf(page, `${ROWS} button`)).toEqual(['player-1', 'player-2']);
    const focused = () => page.evaluate('document.activeElement.textContent') as Promise<string>;
    await page.focus(`${ROWS} button`);
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toBe('player-2');
    await page.keyboard.press('Enter');
    await shows(page, '.drawer .facts', '127.0.0.1');
    const stats = await world.get('/stats?openid=player-2');
    const [session] = stats['sessions'] as { session_id: string }[];
    const detail = await world.get(`/sessions/${session?.session_id}`);
    const facts = (await textsOf(page, '.drawer .facts')).join(' ');
    for (const field of ['session_id', 'zone', 'transport', 'remote_addr', 'next_push_seq']) {
      expect(facts).toContain(String(detail[field]));
    }
    expect(page.url()).toContain(`#session=${session?.session_id}`);
    await page.keyboard.press('Escape');
    await vanishes(page, '.drawer');
    await comesTo(async () => {
      expect(await focused()).toBe('player-2');
      expect(page.url()).not.toContain('#session');
    });
    expect(problems).toEqual([]);
  });

  test('ends a session for an admin, and for nobody else', async () => {
    await world.client('troll');
    const { page } = await console();
    await search(page, 'troll');
    await page.click(`${ROWS} button`);
    await page.waitForSelector('.drawer .danger');
    await page.click('.drawer .danger');
    await answer(page, 'spam');
    await shows(page, '.question', 'ops.admin_token');
    await page.keyboard.press('Escape');
    await shows(page, '#notes', 'ops.admin_token');
    expect((await world.get('/stats?openid=troll'))['sessions']).toHaveLength(1);
    await page.click('.drawer .danger');
    await answer(page, 'spam');
    await answer(page, ADMIN_TOKEN);
    await shows(page, '#notes', 'was ended');
    await shows(page, '.drawer header', 'ended');
    expect((await world.get('/stats?openid=troll'))['sessions']).toHaveLength(0);
    const stores = 'JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])';
    const [local, session, ...others] = JSON.parse(
      (await page.evaluate(stores)) as string,
    ) as object[];
    expect(JSON.stringify(session)).toContain(ADMIN_TOKEN);
    expect(JSON.stringify([local, others])).not.toContain(ADMIN_TOKEN);
  });

  test('follows one client for an admin', async () => {
    const client = await world.client('traced');
    const { page, problems } = await console();
    await page.click('#token-button');
    await answer(page, ADMIN_TOKEN);
    await search(page, 'traced');
    await page.click(`${ROWS} button`);
    const start = await page.waitForSelector('.drawer .head button');
    await start?.click();
    await shows(page, '.trace', 'trace begins');
    await client.request('echo', { data: Buffer.from('x') });
    await shows(page, '.trace', 'BUSINESS_DATA');
    const lines = await textsOf(page, '.trace li');
    const [asked] = lines.filter((line) => line.includes('action echo'));
    expect(asked).toMatch(/^\d\d:\d\d:\d\d\.\d{3}→BUSINESSseq 1, action echo/);
    await start?.click();
    await shows(page, '.drawer .head', 'stopped');
    expect(problems).toEqual([]);
  });

  test('sets the log level, and drains only whoever means it', async () => {
    const { page } = await console();
    await page.click('#token-button');
    await answer(page, ADMIN_TOKEN);
    await shows(page, '#rights', 'as an admin');
    await page.select('#log-level', 'fatal');
    await page.click('#log-form button');
    await shows(page, '#notes', 'Log level fatal');
    expect(await world.get('/log/level')).toEqual({ level: 'fatal' });
    await page.click('#drain-button');
    await page.waitForSelector('.question input');
    const disabled = '.question button[type=submit]:disabled';
    expect(await page.$(disabled)).not.toBeNull();
    await page.type('.question input', 'drai');
    await page.keyboard.press('Enter');
    expect(await page.$(disabled)).not.toBeNull();
    await page.type('.question input', 'n');
    expect(await page.$(disabled)).toBeNull();
    await page.keyboard.press('Escape');
    await vanishes(page, '.question');
    expect(await world.get('/ready')).toEqual({ ready: true, state: 'serving' });
  });

  test('can be walked through by Tab, every stop named and seen, and left again', async () => {
    const { page } = await console();
    const stop = `(() => {
      const at = document.activeElement;
      if (at === document.body) return null;
      const name = at.getAttribute('aria-label') || at.labels?.[0]?.textContent || at.textContent;
      return { id: at.id || at.className, name: name.trim(), outline: getComputedStyle(at).outlineStyle };
    })()`;
    const stops: { id: string; name: string; outline: string }[] = [];
    for (let key = 0; key < 80; key++) {
      await page.keyboard.press('Tab');
      const found = (await page.evaluate(stop)) as (typeof stops)[number] | null;
      if (found === null) break;
      stops.push(found);
    }
    expect(stops.length).toBeLessThan(80);
    expect(stops[0]?.id).toBe('skip');
    const ids = stops.map(({ id }) => id);
    const order = ['token-button', 'theme-button', 'log-level', 'drain-button', 'search'];
    const places = order.map((id) => ids.indexOf(id));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
    for (const { id, name, outline } of stops) {
      expect([id, name === '', outline]).toEqual([id, false, 'solid']);
    }
  });

  test.each([
    [1280, 'light'],
    [1280, 'dark'],
    [400, 'light'],
    [400, 'dark'],
  ])('fits a window %d wide, in %s colours', async (width, colours) => {
    const { page, problems } = await console(width);
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: colours }]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    const lightness = `getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0] > 128`;
    expect(await page.evaluate(lightness)).toBe(colours === 'light');
    await screenshot(page, `console-${width}-${colours}`);
    await page.click(`${ROWS} button`);
    await shows(page, '.drawer .facts', '127.0.0.1');
    expect(await page.evaluate('document.querySelector(".drawer").scrollWidth <= innerWidth')).toBe(
      true,
    );
    await screenshot(page, `console-session-${width}-${colours}`, false);
    expect(problems).toEqual([]);
  });

  test('keeps the colours that somebody chose over the system’s', async () => {
    const { page } = await console();
    const scheme = 'getComputedStyle(document.documentElement).colorScheme';
    expect(await page.evaluate(scheme)).toBe('light dark');
    await page.click('#theme-button');
    await page.click('#theme-button');
    expect(await page.evaluate(scheme)).toBe('dark');
    await page.reload();
    await shows(page, '#theme-button', 'Dark');
    expect(await page.evaluate(scheme)).toBe('dark');
    await page.click('#theme-button');
    expect(await page.evaluate('localStorage.getItem("gatesvr-console-theme")')).toBe('system');
  });
});

describeInChromium('the console of a gateway with ops.read_token', () => {
  const READ_TOKEN = 'the-read-token-of-this-test';

  test('asks for it, takes the right one, and says so when the gateway is gone', async () => {
    const world = await ConsoleWorld.build({ 'ops.read_token': READ_TOKEN });
    try {
      await world.client('ann');
      const { page } = await world.open();
      await answer(page, 'a-wrong-token-of-sixteen');
      await shows(page, '.question', 'ops.read_token');
      // As a word processor quotes it: no header can have that.
      await answer(page, `\u201c${READ_TOKEN}\u201d`);
      await shows(page, '.question', 'characters that no token has');
      expect(await page.$(ROWS)).toBeNull();
      await answer(page, READ_TOKEN);
      await page.waitForSelector(ROWS);
      await shows(page, '#rights', 'needs the admin token');
      await world.gateway.stop();
      await shows(page, '#feed', 'the gateway');
      await page.waitForSelector('body.stale');
    } finally {
      await world.close();
    }
  });
});
