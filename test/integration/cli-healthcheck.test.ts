import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONFIG_VARIABLE } from '../../src/cli/config-options.js';
import { registerHealthcheckCommand } from '../../src/cli/healthcheck.js';
import { writeCertificates } from '../../src/config/certificates.js';
import { CliRun } from '../support/cli-run.js';

const folder = mkdtempSync(join(tmpdir(), 'gatesvr-healthcheck-'));
const at = (name: string) => join(folder, name);
const bytes = (name: string) => readFileSync(at(name));
let server: Server | null = null;

beforeAll(() => writeCertificates(folder));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  delete process.env['GATESVR_CONFIG'];
  server?.closeAllConnections();
  server?.close();
  server = null;
});

/** A listener in the gateway's place; the address that it got. */
async function listening(created: Server): Promise<string> {
  server = created;
  created.listen(0, '127.0.0.1');
  await once(created, 'listening');
  return `127.0.0.1:${(created.address() as AddressInfo).port}`;
}

/** /live has this status, and nothing else is there. */
const live =
  (status: number): RequestListener =>
  ({ url }, answer) =>
    void answer.writeHead(url === '/live' ? status : 404).end();

async function check(...settings: string[]) {
  return checkWith([], ...settings);
}

async function checkWith(given: readonly string[], ...settings: string[]) {
  const options = settings.flatMap((setting) => ['--set', setting]);
  const run = new CliRun(['healthcheck', ...given, ...options], registerHealthcheckCommand);
  return { code: await run.code, out: run.out, err: run.err };
}

test('asks /live where the configuration says, whatever host it listens on', async () => {
  const address = await listening(createServer(live(200)));
  const well = { code: 0, out: `${address} answers\n`, err: '' };
  expect(await check(`server.http_addr=${address}`)).toEqual(well);
  expect(await check(`server.http_addr=${address.replace('127.0.0.1', '')}`)).toEqual(well);
  expect(await check(`server.http_addr=${address.replace('127.0.0.1', '0.0.0.0')}`)).toEqual(well);
});

test('takes the file that GATESVR_CONFIG names, as serve does', async () => {
  const address = await listening(createServer(live(200)));
  writeFileSync(at('gatesvr.yaml'), `server: { http_addr: ${address} }\n`);
  process.env[CONFIG_VARIABLE] = at('gatesvr.yaml');
  expect(await check()).toEqual({ code: 0, out: `${address} answers\n`, err: '' });
});

test('a gateway that is not there, or something else in its place, is not well', async () => {
  const address = await listening(createServer(live(500)));
  expect(await check(`server.http_addr=${address}`)).toEqual({
    code: 1,
    out: '',
    err: `gatesvr: ${address}/live answers 500; is it a gateway?\n`,
  });
  // A port that was free a moment ago may be another test's by now; nobody gets this one.
  const gone = await check('server.http_addr=127.0.0.1:1');
  expect(gone).toMatchObject({ code: 1, out: '' });
  expect(gone.err).toContain('gatesvr: 127.0.0.1:1 does not answer: ');
});

test('with server.http_addr off the Prometheus listener has to do, and with both off nothing is asked', async () => {
  const address = await listening(createServer(live(404)));
  expect(await check('server.http_addr=off', `server.metrics_addr=${address}`)).toMatchObject({
    code: 0,
    out: `${address} answers\n`,
  });
  expect(await check('server.http_addr=off', 'server.metrics_addr=off')).toMatchObject({
    code: 0,
    out: 'server.http_addr and server.metrics_addr are off: nothing to ask\n',
  });
});

test('speaks TLS where ops.tls is set, and needs no client certificate for a handshake', async () => {
  const files = [`ops.tls.cert_file=${at('server.crt')}`, `ops.tls.key_file=${at('server.key')}`];
  const identity = { cert: bytes('server.crt'), key: bytes('server.key') };
  const address = await listening(createTlsServer(identity, live(200)));
  const well = { code: 0, out: `${address} answers\n`, err: '' };
  expect(await check(`server.http_addr=${address}`, ...files)).toEqual(well);
  expect(await check(`server.http_addr=${address}`)).toMatchObject({ code: 1 });
  server?.close();
  const ca = bytes('ca.crt');
  const strict = await listening(
    createTlsServer({ ...identity, ca, requestCert: true, rejectUnauthorized: true }, live(200)),
  );
  const mutual = [...files, `ops.tls.client_ca_file=${at('ca.crt')}`];
  expect(await check(`server.http_addr=${strict}`, ...mutual)).toEqual({
    code: 0,
    out: `${strict} answers\n`,
    err: '',
  });
});

test('with a certificate that the listener trusts it asks /live', async () => {
  const [cert, key, ca] = [bytes('server.crt'), bytes('server.key'), bytes('ca.crt')];
  const strict = { cert, key, ca, requestCert: true, rejectUnauthorized: true };
  const address = await listening(createTlsServer(strict, live(500)));
  const settings = [
    `server.http_addr=${address}`,
    `ops.tls.cert_file=${at('server.crt')}`,
    `ops.tls.client_ca_file=${at('ca.crt')}`,
  ];
  const identity = ['--cert', at('server.crt'), '--key', at('server.key')];
  const run = await checkWith(identity, ...settings);
  expect(run).toMatchObject({ code: 1, err: expect.stringContaining('/live answers 500') });
  const half = await checkWith(identity.slice(0, 2), ...settings);
  expect(half).toMatchObject({ code: 2, err: 'gatesvr: --cert and --key: give both or neither\n' });
});

describe('a file that the gateway has not read yet', () => {
  async function checkFile(text: string, ...settings: string[]) {
    writeFileSync(at('gatesvr.yaml'), text);
    process.env[CONFIG_VARIABLE] = at('gatesvr.yaml');
    return check(...settings);
  }

  test('a slip elsewhere in it makes no gateway dead, and is warned of', async () => {
    const address = await listening(createServer(live(200)));
    const server = `server: { http_addr: ${address} }\n`;
    const well = { code: 0, out: `${address} answers\n`, err: '' };
    expect(await checkFile(`${server}auth: { mode: jwt }\nbackup: { enabled: true }\n`)).toEqual(
      well,
    );
    const misspelt = await checkFile(`${server}sesion: { max_sessions: 1 }\n`);
    expect(misspelt).toMatchObject({ code: 0, out: well.out });
    expect(misspelt.err).toMatch(/^gatesvr: warning: .*unknown key sesion.*check-config.*\n$/);
    const broken = await checkFile(`${server}auth: { mode: jwt\nlog: [\n`);
    expect(broken).toMatchObject({ code: 0, out: well.out });
    expect(broken.err).toContain('gatesvr: warning: ');
  });

  test('a file that cannot be read leaves variables, flags and defaults, and both ways to ask', async () => {
    const identity = { cert: bytes('server.crt'), key: bytes('server.key') };
    const plain = await listening(createServer(live(200)));
    process.env[CONFIG_VARIABLE] = at('not-there.yaml');
    expect(await check(`server.http_addr=${plain}`)).toMatchObject({ code: 0 });
    server?.close();
    const secure = await listening(createTlsServer(identity, live(200)));
    const run = await check(`server.http_addr=${secure}`);
    expect(run).toMatchObject({ code: 0, out: `${secure} answers\n` });
    expect(run.err).toContain('not-there.yaml: no such file');
    expect(await check('server.http_addr=127.0.0.1:1')).toMatchObject({ code: 1 });
  });

  test('an address in it that makes no sense leaves the default; one on the command line is refused', async () => {
    const run = await checkFile('server: { http_addr: nonsense, metrics_addr: off }\n');
    expect(run.err).toContain('gatesvr.yaml:1: server.http_addr must be an address');
    expect(run.out + run.err).toContain('127.0.0.1:8080 ');
    const refused = await check('server.http_addr=nonsense');
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toMatch(/^gatesvr: --http-addr: server.http_addr must be /);
    expect((await check('server.nonsense=1')).err).toContain('unknown key server.nonsense');
  });
});
