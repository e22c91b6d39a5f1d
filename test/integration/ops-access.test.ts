import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import type { RequestOptions } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCertificates } from '../../src/config/certificates.js';
import { openApiDocument } from '../../src/ops/openapi/document.js';
import type { OpsServer, OpsServerParts } from '../../src/ops/ops-server.js';
import { OpsBench, ask } from '../support/ops-double.js';
import { PATIENCE_MS } from '../support/patience.js';
import { until } from '../support/until.js';

const READ = 'read-token-0123456789';
const ADMIN = 'admin-token-0123456789';
const bench = new OpsBench();
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-ops-'));
let server: OpsServer | null = null;

async function start(changes: Partial<OpsServerParts>): Promise<OpsServer> {
  server = bench.build(changes);
  await server.start();
  return server;
}

afterEach(async () => {
  await server?.stop();
  server = null;
  rmSync(join(folder, 'tls'), { recursive: true, force: true });
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('ops.read_token', () => {
  it('protects everything that tells something, on both listeners', async () => {
    const { httpPort, metricsPort } = await start({ readToken: READ, adminToken: ADMIN });
    const open: string[] = [];
    for (const [path, methods] of Object.entries(openApiDocument('1').paths)) {
      for (const method of Object.keys(methods)) {
        const target = {
          port: httpPort,
          path: path.replace('{id}', 's1'),
          method: method.toUpperCase(),
        };
        const { status, headers } = await ask(target);
        if (status === 401) expect(headers['www-authenticate']).toBe('Bearer');
        else open.push(path);
      }
    }
    expect(open).toEqual(['/live', '/ready', '/ping']);
    for (const path of ['/metrics', '/health']) {
      expect((await ask({ port: metricsPort, path })).status).toBe(401);
      const headers = bearer(READ);
      expect((await ask({ port: metricsPort, path, headers })).status).toBe(200);
    }
    expect(bench.metrics.ops.readsRefused.value).toBeGreaterThan(5);
  });

  it('is right or wrong as a whole; admins may read, readers change nothing', async () => {
    const { httpPort: port } = await start({ readToken: READ, adminToken: ADMIN });
    const status = async (token: string, path = '/stats', method = 'GET') =>
      (await ask({ port, path, method, headers: bearer(token) })).status;
    expect(await status(READ)).toBe(200);
    expect(await status(ADMIN)).toBe(200);
    for (const wrong of [READ.slice(1), `${READ}x`, READ.toUpperCase(), 'x']) {
      expect(await status(wrong)).toBe(401);
    }
    expect(await status(READ, '/drain', 'POST')).toBe(401);
    expect((await ask({ port, path: `/stats?token=${READ}` })).status).toBe(401);
    expect(bench.double.done).toEqual([]);
  });
});

interface Files {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

async function certificates(name: string): Promise<Files> {
  const path = join(folder, 'tls', name);
  await writeCertificates(path);
  const read = (file: string) => readFileSync(join(path, file));
  return { ca: read('ca.crt'), cert: read('server.crt'), key: read('server.key') };
}

/** The status of one call over TLS. */
function call(port: number, path: string, options: RequestOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const target = {
      host: '127.0.0.1',
      servername: 'localhost',
      port,
      path,
      agent: false,
      ...options,
    };
    const sent = request(target as RequestOptions, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** What a client says of a certificate that its CA did not sign. */
const UNTRUSTED = { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' };
/** What a client sees whose own certificate is not taken: an alert, or the end of the connection alone. */
const REFUSED = {
  code: expect.stringMatching(/^(?:ECONNRESET|EPIPE|ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED)$/),
};

describe('ops.tls', () => {
  it('speaks TLS on both listeners, and nothing else', async () => {
    const { ca, cert, key } = await certificates('one');
    const { httpPort, metricsPort } = await start({ tls: { cert, key, ca: null } });
    expect(await call(httpPort, '/stats', { ca })).toBe(200);
    expect(await call(metricsPort, '/metrics', { ca })).toBe(200);
    const plain = ask({ port: httpPort, path: '/live' });
    await expect(plain).rejects.toMatchObject({ code: 'ECONNRESET' });
    const other = await certificates('two');
    await expect(call(httpPort, '/live', { ca: other.ca })).rejects.toMatchObject(UNTRUSTED);
  });

  it('asks for a certificate of its CA where it has one', async () => {
    const { ca, cert, key } = await certificates('one');
    const other = await certificates('two');
    const { httpPort: port } = await start({ tls: { cert, key, ca } });
    expect(await call(port, '/stats', { ca, cert, key })).toBe(200);
    await expect(call(port, '/stats', { ca })).rejects.toMatchObject(REFUSED);
    const foreign = { ca, cert: other.cert, key: other.key };
    await expect(call(port, '/stats', foreign)).rejects.toMatchObject(REFUSED);
  });

  it('shows a renewed certificate to the next connection', async () => {
    const old = await certificates('one');
    const renewed = await certificates('two');
    const { httpPort: port } = await start({ tls: { ...old, ca: null } });
    server?.useTls({ ...renewed, ca: null });
    expect(await call(port, '/live', { ca: renewed.ca })).toBe(200);
    await expect(call(port, '/live', { ca: old.ca })).rejects.toMatchObject(UNTRUSTED);
  });

  it('gives a handshake no more time than a request, and holds up no stop', async () => {
    const { cert, key } = await certificates('one');
    const { httpPort: port } = await start({ tls: { cert, key, ca: null }, requestTimeout: 300 });
    const silent = connect(port, '127.0.0.1');
    silent.on('error', () => undefined).resume();
    const began = performance.now();
    await new Promise((resolve) => silent.once('close', resolve));
    // Node alone would wait 120 s.
    expect(performance.now() - began).toBeLessThan(PATIENCE_MS);
    const waiting = connect(port, '127.0.0.1');
    waiting.on('error', () => undefined).resume();
    await new Promise((resolve) => waiting.once('connect', resolve));
    const closed = new Promise((resolve) => waiting.once('close', resolve));
    await server?.stop();
    await closed;
  });
});

describe('bad input', () => {
  it('no path leads out of the API', async () => {
    const { httpPort: port } = await start({});
    for (const path of [
      '/../../etc/passwd',
      '/..%2f..%2fetc%2fpasswd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/sessions/..%2f..%2fetc%2fpasswd',
      '/sessions/../stats/../../etc/passwd',
      '/debug/pprof/../../../etc/passwd',
      '/debug/pprof/..%5c..%5cwindows',
      '/sessions/%00',
      '/%',
      '/sessions/%E0%A4%A',
      '//etc/passwd',
    ]) {
      const { status, text } = await ask({ port, path });
      expect([path, status]).toEqual([path, status === 400 ? 400 : 404]);
      expect(typeof JSON.parse(text).error).toBe('string');
    }
  });

  it('a huge query is refused before it is looked at', async () => {
    const { httpPort: port } = await start({});
    const { status } = await ask({ port, path: `/stats?openid=${'x'.repeat(3_000)}` });
    expect(status).toBe(414);
    const many = await ask({ port, path: `/stats?${'a&'.repeat(1_000)}` });
    expect([200, 400]).toContain(many.status);
    expect((await ask({ port, path: `/stats?${'limit=1&'.repeat(200)}` })).status).toBe(400);
  });

  it('slow callers are cut off while others are served', async () => {
    const { httpPort: port } = await start({ requestTimeout: 1_500 });
    const heads = ['GET /stats HTTP/1.1\r\nHost: x', 'POST /drain HTTP/1.1\r\nHost: localhost\r\n'];
    const body = 'content-type: application/json\r\ncontent-length: 100\r\n\r\n{';
    let open = 0;
    const ended: Promise<unknown>[] = [];
    const dribbles: NodeJS.Timeout[] = [];
    for (let index = 0; index < 40; index++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      open++;
      ended.push(new Promise((resolve) => socket.once('close', resolve)).then(() => open--));
      socket.write(index % 2 === 0 ? (heads[0] ?? '') : `${heads[1] ?? ''}${body}`);
      dribbles.push(setInterval(() => void (socket.writable && socket.write('x')), 50));
    }
    try {
      for (let round = 0; round < 10; round++) {
        // The limit holds for them, too, where the machine stands still.
        await until(() =>
          ask({ port, path: '/stats?limit=1' }).then(
            ({ status }) => status === 200,
            () => false,
          ),
        );
      }
      await Promise.all(ended);
    } finally {
      dribbles.forEach(clearInterval);
    }
    expect(open).toBe(0);
  });
});
