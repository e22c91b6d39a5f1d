import { afterAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the built program to its end, in a folder of its own. */
function gatesvr(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  if (!existsSync(main)) throw new Error('dist/ is missing: run make build first');
  const env = { ...process.env, GATESVR_DEBUG: '' };
  return spawnSync(process.execPath, [main, ...argv], {
    cwd: folder,
    env,
    encoding: 'utf8',
    timeout: 20_000,
  });
}

describe('the gatesvr program', () => {
  it('makes certificates, and does not overwrite them unasked', () => {
    const first = gatesvr('certs', '-hosts=gate.test,10.0.0.1', '--days', '13');
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(first.stdout).toContain('valid 13 days for gate.test, 10.0.0.1');
    expect(statSync(join(folder, 'certs', 'server.key')).mode & 0o777).toBe(0o600);
    const second = gatesvr('certs');
    expect(second).toMatchObject({ status: 1, stdout: '' });
    expect(second.stderr).toBe(
      'gatesvr: certs/server.crt exists already: use --force to replace it, or --dir for another folder\n',
    );
    expect(gatesvr('certs', '--force').status).toBe(0);
  });

  it('refuses a bad configuration in lines and with exit code 1', () => {
    const { status, stdout, stderr } = gatesvr('serve', '--quic-addr=zz', '--set=quic.migration=x');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^gatesvr: --quic-addr: server\.quic_addr must be an address/),
      expect.stringMatching(/^gatesvr: --set quic\.migration: quic\.migration must be follow or/),
    ]);
  });

  it('refuses a bad command line with exit code 2', () => {
    expect(gatesvr('--no-such-flag')).toMatchObject({ status: 2, stdout: '' });
  });
});
