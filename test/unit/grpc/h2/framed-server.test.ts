import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeCertificates } from '../../../../src/config/certificates.js';
import { CertificateSource } from '../../../../src/grpc/certificate-source.js';
import type { TlsMaterial } from '../../../../src/grpc/certificate-source.js';
import type { GrpcServer } from '../../../../src/grpc/grpc-server.js';
import { grpcServer } from '../../../../src/grpc/server-kinds.js';
import { silentLogger } from '../../../../src/telemetry/log.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { until } from '../../../support/until.js';

let folder: string;
let material: TlsMaterial;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'framed-server-'));
  const { certFile, keyFile } = await writeCertificates(folder, { hosts: ['127.0.0.1'] });
  material = { ca: null, cert: readFileSync(certFile), key: readFileSync(keyFile) };
});

afterAll(() => rmSync(folder, { recursive: true }));

async function serve(): Promise<GrpcServer> {
  const tls = new CertificateSource(() => material, [], new FakeClock(), silentLogger());
  const server = grpcServer({ kind: 'framed', address: '127.0.0.1:0', graceMs: 60_000, tls }, []);
  await server.start();
  return server;
}

async function closed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined);
  socket.resume();
  await until(() => socket.closed);
}

describe('a framed server with TLS', () => {
  test('does not speak with who does not ask for HTTP/2', async () => {
    const server = await serve();
    const { port } = server;
    const silent = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
    await closed(silent);
    const ALPNProtocols = ['http/1.1'];
    await closed(connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols }));
    const heard: Buffer[] = [];
    const speaks = connectTls({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    });
    speaks.on('data', (chunk: Buffer) => heard.push(chunk));
    await until(() => heard.length > 0);
    speaks.destroy();
    await server.stop();
  });

  test('does not wait at its stop for who never finishes the handshake', async () => {
    const server = await serve();
    const socket = connectTcp(server.port, '127.0.0.1');
    await until(() => !socket.connecting);
    // Heard, for another one that came later was served.
    const later = connectTls({
      host: '127.0.0.1',
      port: server.port,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    });
    await until(() => later.alpnProtocol === 'h2');
    later.destroy();
    await server.stop();
    await closed(socket);
    expect(server.port).toBeGreaterThan(0);
  });
});
