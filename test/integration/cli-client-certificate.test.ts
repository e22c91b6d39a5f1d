import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerMonitorCommand } from '../../src/cli/monitor.js';
import { registerSwitchCommand } from '../../src/cli/switch.js';
import { registerTraceCommand } from '../../src/cli/trace.js';
import { writeCertificates } from '../../src/config/certificates.js';
import { CliRun } from '../support/cli-run.js';

const folder = mkdtempSync(join(tmpdir(), 'gatesvr-client-certificate-'));
const at = (name: string) => join(folder, name);
/** Answers everyone who shows a certificate of its CA in the same way. */
let server: ReturnType<typeof createServer>;
let url: string;

beforeAll(async () => {
  await writeCertificates(folder);
  const [cert, key, ca] = ['server.crt', 'server.key', 'ca.crt'].map((name) =>
    readFileSync(at(name)),
  );
  const options = { cert, key, ca, requestCert: true, rejectUnauthorized: true };
  server = createServer(options, (_, answer) => void answer.writeHead(404).end('{"error":"met"}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

test.each([
  [['monitor', '--once'], registerMonitorCommand],
  [['trace', '--openid', 'alice'], registerTraceCommand],
  [['switch'], registerSwitchCommand],
] as const)('%j shows --cert to a listener that wants one', async (command, register) => {
  const line = [...command, '--url', url, '--ca', at('ca.crt')];
  const identity = ['--cert', at('server.crt'), '--key', at('server.key')];
  const run = new CliRun([...line, ...identity], register);
  expect({ code: await run.code, err: run.err }).toEqual({ code: 1, err: 'gatesvr: met\n' });
  const half = new CliRun([...line, '--key', at('server.key')], register);
  expect(await half.code).toBe(2);
  expect(half.err).toBe('gatesvr: --cert and --key: give both or neither\n');
});
