import { afterEach, beforeAll, afterAll, expect, test } from '@jest/globals';
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
  const options = settings.flatMap((setting) => ['--set', setting]);
  const run = new CliRun(['healthcheck', ...options], registerHealthcheckCommand);
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
