import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpsServer } from '../../src/ops/ops-server.js';
import { OpsBench } from '../support/ops-double.js';

const TOKENS = {
  readToken: 'a-token-of-sixteen-and-more',
  adminToken: 'another-of-sixteen-and-more',
};

describe('the console of the operators’ listener', () => {
  let bench: OpsBench;
  let ops: OpsServer;
  let folder: string;

  beforeEach(() => {
    bench = new OpsBench();
    folder = mkdtempSync(join(tmpdir(), 'gatesvr-console-'));
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>');
    writeFileSync(join(folder, 'main-ABCD2345.js'), 'export {};');
    writeFileSync(join(folder, 'icon.svg'), '<svg/>');
    writeFileSync(join(folder, 'notes.txt'), 'not for browsers');
  });

  afterEach(async () => {
    await ops.stop();
    await bench.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function serve(consoleFolder: string | null = folder): Promise<void> {
    ops = bench.build({ metricsAddr: null, consoleFolder, ...TOKENS });
    await ops.start();
  }

  const get = (path: string, headers: Record<string, string> = {}) =>
    bench.ask(path, { headers }, ops.httpPort);

  it('is served to everybody, with a policy that lets nothing foreign in', async () => {
    await serve();
    const { status, headers, text } = await get('/console');
    expect([status, text]).toEqual([200, '<!doctype html><title>page</title>']);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
    const policy = String(headers['content-security-policy']).split('; ');
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
      ]),
    );
    expect(policy.join()).not.toMatch(/unsafe|\*|https?:/);
  });

  it('shows no data without the reader’s token', async () => {
    await serve();
    expect((await get('/stats')).status).toBe(401);
    expect((await get('/stats/stream')).status).toBe(401);
  });

  it('may be kept: for ever where the name tells the content, else asked for again', async () => {
    await serve();
    const script = await get('/console/main-ABCD2345.js');
    expect(script.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
    });
    expect((await get('/console/icon.svg')).headers).toMatchObject({
      'content-type': 'image/svg+xml',
      'cache-control': 'no-cache',
    });
    const page = await get('/console');
    const etag = String(page.headers.etag);
    const again = await get('/console', { 'if-none-match': `"other", W/${etag}` });
    expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag]);
    expect((await get('/console', { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('has its page at one address only', async () => {
    await serve();
    const slash = await get('/console/');
    expect([slash.status, slash.headers.location]).toEqual([308, '../console']);
    for (const path of ['index.html', 'notes.txt', 'none.js', '..%2f..%2fpackage.json', '%00']) {
      expect([path, (await get(`/console/${path}`)).status]).toEqual([path, 404]);
    }
    const posted = await bench.ask('/console', { method: 'POST' }, ops.httpPort);
    expect([posted.status, posted.headers.allow]).toEqual([405, 'GET']);
  });

  it('is not there where it is switched off, or was not built', async () => {
    await serve(null);
    expect((await get('/console')).status).toBe(404);
    await ops.stop();
    await serve(join(folder, 'nothing'));
    expect((await get('/console')).status).toBe(404);
  });
});
