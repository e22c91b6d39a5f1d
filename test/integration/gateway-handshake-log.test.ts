import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { writeCertificates } from '../../src/config/certificates.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { HandshakeLog } from '../../src/grpc/handshake-log.js';
import { createLogger } from '../../src/telemetry/log.js';
import { FakeClock } from '../support/fake-clock.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { eventually } from '../support/quic-harness.js';

const harness = new GatewayHarness();
const at = (...names: string[]) => join(harness.folder, ...names);
const identity = (name: string) => ({
  cert: readFileSync(at(name, 'server.crt')),
  key: readFileSync(at(name, 'server.key')),
});
let gateway: Gateway;

beforeAll(async () => {
  for (const name of ['ours', 'foreign']) await writeCertificates(at(name));
  gateway = await harness.gateway({
    'log.file': at('gateway.log'),
    'log.level': 'warn',
    'grpc.tls.cert_file': at('ours', 'server.crt'),
    'grpc.tls.key_file': at('ours', 'server.key'),
    'grpc.tls.client_ca_file': at('ours', 'ca.crt'),
  });
});

afterAll(() => harness.close());

/** What the log says of handshakes. */
const told = (): Record<string, unknown>[] =>
  readFileSync(at('gateway.log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('TLS handshake failed'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Until the gateway has closed this connection. */
function closed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined);
  socket.resume();
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

const secure = (shown: object) =>
  connectTls({
    port: gateway.grpcPort,
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
    ...shown,
  });

test('says why handshakes at the gRPC port fail, and of whom; a probe is no failure', async () => {
  const probe = connectTcp(gateway.grpcPort, '127.0.0.1');
  probe.on('connect', () => probe.end());
  await closed(probe);
  await closed(secure({}));
  await closed(secure(identity('foreign')));
  const plain = connectTcp(gateway.grpcPort, '127.0.0.1');
  plain.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  await closed(plain);
  await eventually(() => told().length >= 3, 'three lines');
  const remote = expect.stringMatching(/127\.0\.0\.1$|^::1$/);
  const line = { level: 40, listener: 'server.grpc_addr', remote, suppressed: 0 };
  expect(told()).toEqual(
    [
      'peer did not return a certificate',
      'the certificate of the caller: UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'wrong version number',
    ].map((reason) => expect.objectContaining({ ...line, reason })),
  );
});

test('the same reason is told of again after ten seconds, with how often it was not', () => {
  const lines: string[] = [];
  const clock = new FakeClock();
  const log = createLogger(
    { level: 'info', format: 'json' },
    { write: (line: string) => void lines.push(line) },
  );
  const faults = new HandshakeLog('server.grpc_addr', clock, log);
  for (let times = 0; times < 4; times++) faults.note('no certificate', '10.0.0.1');
  faults.note('another', '10.0.0.2');
  clock.advance(10_000);
  faults.note('no certificate', '10.0.0.3');
  const shown = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(shown.map(({ remote, suppressed }) => [remote, suppressed])).toEqual([
    ['10.0.0.1', 0],
    ['10.0.0.2', 0],
    ['10.0.0.3', 3],
  ]);
});
