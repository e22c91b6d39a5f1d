import { afterAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from '../support/patience.js';
import { certificateHash } from '../../src/config/certificate-hash.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Free ports everywhere, so that tests can run beside anything. */
const FREE_PORTS = ['quic', 'grpc', 'http', 'metrics'].map((name) => `--${name}-addr=127.0.0.1:0`);

/** Runs the built program to its end, in a folder of its own. */
function gatesvr(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  if (!existsSync(main)) throw new Error('dist/ is missing: run make build first');
  const env = { ...process.env, GATESVR_DEBUG: '' };
  return spawnSync(process.execPath, [main, ...argv], {
    cwd: folder,
    env,
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
}

describe('the gatesvr program', () => {
  it('makes certificates, and does not overwrite them unasked', () => {
    const first = gatesvr('certs', '-hosts=gate.test,10.0.0.1', '--days', '13');
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(first.stdout).toContain('valid 13 days for gate.test, 10.0.0.1');
    const hash = certificateHash(readFileSync(join(folder, 'certs', 'server.crt')));
    expect(first.stdout).toContain(`(WebTransport, serverCertificateHashes): ${hash}\n`);
    expect(statSync(join(folder, 'certs', 'server.key')).mode & 0o777).toBe(0o600);
    const second = gatesvr('certs');
    expect(second).toMatchObject({ status: 1, stdout: '' });
    expect(second.stderr).toBe(
      'gatesvr: certs/server.crt exists already: use --force to replace it, or --dir for another folder\n',
    );
    expect(gatesvr('certs', '--force')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('valid 14 days at most: --days 14\n'),
    });
  });

  it('refuses a bad configuration in lines and with exit code 1', () => {
    const { status, stdout, stderr } = gatesvr('serve', '--quic-addr=zz', '--set=quic.migration=x');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^gatesvr: --quic-addr: server\.quic_addr must be an address/),
      expect.stringMatching(/^gatesvr: --set quic\.migration: quic\.migration must be follow or/),
    ]);
  });

  it('serves until SIGTERM, then stops gracefully', async () => {
    const child = spawn(process.execPath, [main, 'serve', ...FREE_PORTS], { cwd: folder });
    let [out, err] = ['', ''];
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
    const serving = new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString();
        if (out.includes('gateway is serving')) resolve();
      });
    });
    try {
      await Promise.race([serving, exited]);
      child.kill('SIGTERM');
      expect([await exited, err]).toEqual([0, '']);
      expect(out).toContain('gateway stopped');
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('says in one line why it cannot serve, with exit code 1', async () => {
    const taken = createSocket('udp4');
    await new Promise<void>((resolve) => taken.bind(0, '127.0.0.1', resolve));
    const { port } = taken.address();
    const inUse = gatesvr('serve', ...FREE_PORTS, `--quic-addr=127.0.0.1:${port}`);
    await new Promise<void>((resolve) => taken.close(() => resolve()));
    expect(inUse.stderr).toMatch(new RegExp(`^gatesvr: [^\\n]*127\\.0\\.0\\.1:${port}[^\\n]*\\n$`));
    expect(inUse.status).toBe(1);

    expect(gatesvr('certs', '--dir', 'other').status).toBe(0);
    const mixed = ['--cert-file=certs/server.crt', '--key-file=other/server.key'];
    expect(gatesvr('serve', ...FREE_PORTS, ...mixed)).toMatchObject({
      status: 1,
      stderr:
        'gatesvr: private key other/server.key does not belong to certificate certs/server.crt: give the two that were made together\n',
    });
    const missing = ['--cert-file=none.crt', '--key-file=other/server.key'];
    expect(gatesvr('serve', ...FREE_PORTS, ...missing)).toMatchObject({
      status: 1,
      stderr: 'gatesvr: cannot read certificate none.crt: no such file\n',
    });
    writeFileSync(join(folder, 'bad.yaml'), 'server: [\n');
    const bad = gatesvr('-config=bad.yaml');
    expect(bad.status).toBe(1);
    expect(bad.stderr).toMatch(/^gatesvr: bad\.yaml:\d+: [^\n]+\n$/);
  });

  it('refuses a bad command line with exit code 2', () => {
    expect(gatesvr('--no-such-flag')).toMatchObject({ status: 2, stdout: '' });
  });
});
