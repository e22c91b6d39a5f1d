import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GATESVR, playDemo, survivors } from '../support/played-demo.js';

const folder = mkdtempSync(join(tmpdir(), 'gatesvr-failover-test-'));

beforeAll(() => {
  if (!existsSync(GATESVR)) throw new Error('dist/ is missing: run make build first');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('gatesvr demo --failover', () => {
  it('verifies every claim of a kill, a return and a planned switch, and leaves nothing behind', async () => {
    const played = await playDemo(folder, ['--failover']);
    expect([played.code, played.err, played.out]).toEqual([0, '', played.out]);
    const titles = [...played.out.matchAll(/^\d+\. (.*)$/gm)].map((match) => match[1]);
    expect(titles).toEqual([
      'Two gateways and six upstreams start',
      '12 clients connect, ask and are pushed to',
      expect.stringMatching(/^\w+, which serves, is killed under load \(kill -9\)$/),
      expect.stringMatching(/^\w+ is started again$/),
      expect.stringMatching(/^Planned switch, as before an upgrade: POST \/backup\/switch at \w+$/),
      'The account',
    ]);
    expect(played.out).toMatch(/takes over in a higher epoch: epoch \d+/);
    expect(played.out.match(/p50 \d+ ms, p99 \d+ ms over 12 clients/g)).toHaveLength(3);
    expect(played.out).toMatch(/^\d+ passed, 0 failed$/m);
    expect(survivors(played)).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('fails, and says so, when no standby is left to take over', async () => {
    let killed = false;
    const played = await playDemo(folder, ['--failover'], (out) => {
      const [, one, two] = /both gateways run: processes (\d+), (\d+)/.exec(out) ?? [];
      if (killed || one === undefined || two === undefined) return;
      killed = true;
      for (const pid of [one, two]) process.kill(Number(pid), 'SIGKILL');
    });
    expect(played.out).toContain('✗');
    expect(played.err).toContain('the last lines of the gateway:');
    expect(played.code).toBe(1);
    expect(survivors(played)).toEqual([]);
  });

  it('is not to be had with --stay', async () => {
    const { code, err } = await playDemo(folder, ['--failover', '--stay']);
    expect([code, err.trim().split('\n').length]).toEqual([2, 1]);
    expect(err).toContain('--stay and --failover do not go together');
  });
});
