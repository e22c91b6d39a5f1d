import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GATESVR, playDemo, survivors } from '../support/played-demo.js';
import type { Played } from '../support/played-demo.js';

/** The demo's temporary folder is made in here, so that a test sees whether it goes away. */
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-demo-test-'));

beforeAll(() => {
  if (!existsSync(GATESVR)) throw new Error('dist/ is missing: run make build first');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('gatesvr demo', () => {
  let whole: Played;
  beforeAll(async () => {
    whole = await playDemo(folder, []);
  });

  it('verifies every claim and exits with 0', () => {
    expect(whole.out).not.toContain('✗');
    expect(whole.out).toMatch(/^\d+ passed, 0 failed$/m);
    expect([whole.code, whole.err]).toEqual([0, '']);
  });

  it('tells the whole story, chapter by chapter', () => {
    const titles = [...whole.out.matchAll(/^\d+\. (.*)$/gm)].map((match) => match[1]);
    expect(titles).toEqual([
      'A gateway and six upstreams start',
      'Six clients connect and log in',
      'Requests reach the upstream of their zone',
      'Services push, to one client and to all',
      'Pushes keep their place around an answer',
      "bob's network breaks while pushes arrive",
      'The upstream of zone 003 is killed and replaced',
      'The gateway is restarted',
      'Everybody leaves',
    ]);
    for (const zone of ['001', '002', '003', '004', '005', '006']) {
      expect(whole.out).toMatch(new RegExp(`✓ \\w+ asks and zone ${zone} answers`));
    }
    expect(whole.out).toMatch(/✓ all 200 pushes arrive, each once and in order/);
    expect(whole.out).toMatch(/✓ the 3 pushes reach bob, each once/);
  });

  it('counts as many claims as it shows check marks', () => {
    const [, passed] = /^(\d+) passed/m.exec(whole.out) ?? [];
    expect(Number(passed)).toBe(whole.out.split('✓').length - 1);
  });

  it('writes no colours where nobody sees them', () => {
    expect(whole.out).not.toContain('\u001b');
  });

  it('leaves neither processes nor files', () => {
    expect(survivors(whole)).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('fails, and says so, when a claim does not hold', async () => {
    let killed = false;
    const played = await playDemo(folder, [], (out) => {
      const [, pid] = /for each of the six zones: processes (\d+),/.exec(out) ?? [];
      if (killed || pid === undefined) return;
      killed = true;
      process.kill(Number(pid), 'SIGKILL');
    });
    expect(played.out).toContain('✗');
    expect(played.out).toMatch(/^\d+ passed, [1-9]\d* failed$/m);
    expect(played.err).toContain('the last lines of the gateway:');
    expect(played.err).toMatch(/gatesvr: \d+ of the demo's claims did not hold\n$/);
    expect(played.code).toBe(1);
    expect(survivors(played)).toEqual([]);
  });

  it('ends everything when it is interrupted in the middle', async () => {
    let told = false;
    const played = await playDemo(folder, [], (out, signal) => {
      if (told || !out.includes('2. Six clients')) return;
      told = true;
      signal('SIGINT');
    });
    expect(played.err).toBe('gatesvr: the demo was interrupted\n');
    expect(played.code).not.toBe(0);
    expect(survivors(played)).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });
});
