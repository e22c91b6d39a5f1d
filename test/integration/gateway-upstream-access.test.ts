import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { silentLogger } from '../../src/telemetry/log.js';
import { writeCertificates } from '../../src/config/certificates.js';
import { CertificateSource } from '../../src/grpc/certificate-source.js';
import { callersOf } from '../../src/grpc/caller-kinds.js';
import type { CallerTls } from '../../src/grpc/caller-tls.js';
import { grpcServer } from '../../src/grpc/server-kinds.js';
import type { CallFailure, UnaryCaller } from '../../src/grpc/unary-caller.js';
import { FakeClock } from '../support/fake-clock.js';
import { GatewayApi } from '../support/gateway-api.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { PATIENCE_MS } from '../support/patience.js';

let harness: GatewayHarness;
const open: { close(): void }[] = [];

beforeEach(() => {
  harness = new GatewayHarness();
});
afterEach(async () => {
  for (const each of open.splice(0)) each.close();
  await harness.close();
});

const tracked = <T extends { close(): void }>(one: T): T => (open.push(one), one);
const register = { address: '127.0.0.1:9', zone_id: '001', service_name: 's' };

/** A CA of its own with a certificate for this machine. */
async function certificates(name: string) {
  const folder = join(harness.folder, name);
  const { caFile, certFile, keyFile } = await writeCertificates(folder, {
    hosts: ['localhost', '127.0.0.1'],
  });
  return {
    caFile,
    certFile,
    keyFile,
    ca: readFileSync(caFile),
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
  };
}

describe('the gateway’s gRPC port', () => {
  test('with a secret: registrations and pushes need it, health does not', async () => {
    const gateway = await harness.gateway({ 'grpc.secret': 'correct-horse' });
    const address = `127.0.0.1:${gateway.grpcPort}`;
    const push = { target_type: 'openid', target_id: 'a' };
    for (const secret of [undefined, 'wrong', 'correct-hors', '']) {
      const api = tracked(new GatewayApi(address, null, secret));
      await expect(api.call('RegisterUpstream', register)).rejects.toMatchObject({ code: 16 });
      await expect(api.call('PushToClient', push)).rejects.toMatchObject({ code: 16 });
      await expect(api.call('KickClient', push)).rejects.toMatchObject({ code: 16 });
      expect(await api.check()).toMatchObject({ status: 1 });
    }
    const api = tracked(new GatewayApi(address, null, 'correct-horse'));
    expect(await api.call('RegisterUpstream', register)).toMatchObject({ success: true });
    expect(await api.call('PushToClient', push)).toMatchObject({ error_code: 'OPENID_OFFLINE' });
  });

  test('with register_allow: caller and address must be inside', async () => {
    const inside = await harness.gateway({ 'grpc.register_allow': '127.0.0.0/8,10.0.0.0/8' });
    const api = tracked(new GatewayApi(`127.0.0.1:${inside.grpcPort}`));
    expect(await api.call('RegisterUpstream', register)).toMatchObject({ success: true });
    for (const address of ['192.168.0.1:9', 'upstream.example:9', '[::1]:9']) {
      expect(await api.call('RegisterUpstream', { ...register, address })).toMatchObject({
        success: false,
        error_code: 'NOT_ALLOWED',
      });
    }
    const outside = await harness.gateway({
      'grpc.register_allow': '10.0.0.0/8',
      'server.state_file': 'off',
      'routing.registry_file': 'off',
    });
    const other = tracked(new GatewayApi(`127.0.0.1:${outside.grpcPort}`));
    expect(
      await other.call('RegisterUpstream', { ...register, address: '10.0.0.1:9' }),
    ).toMatchObject({
      error_code: 'NOT_ALLOWED',
    });
    expect(await other.call('DeregisterUpstream', register)).toMatchObject({
      error_code: 'NOT_ALLOWED',
    });
  });

  test('with TLS: plaintext and strangers are turned away', async () => {
    const own = await certificates('own');
    const stranger = await certificates('stranger');
    const gateway = await harness.gateway({
      'grpc.allow_insecure': 'false',
      'grpc.tls.cert_file': own.certFile,
      'grpc.tls.key_file': own.keyFile,
    });
    const address = `localhost:${gateway.grpcPort}`;
    const good = tracked(new GatewayApi(address, credentials.createSsl(own.ca)));
    expect(await good.call('RegisterUpstream', register)).toMatchObject({ success: true });
    const plain = tracked(new GatewayApi(address));
    await expect(plain.check()).rejects.toMatchObject({ code: 14 });
    const wary = tracked(new GatewayApi(address, credentials.createSsl(stranger.ca)));
    await expect(wary.check()).rejects.toMatchObject({ code: 14 });
  });

  test('with mutual TLS: a certificate of the right CA is asked for', async () => {
    const own = await certificates('own');
    const clients = await certificates('clients');
    const gateway = await harness.gateway({
      'grpc.tls.cert_file': own.certFile,
      'grpc.tls.key_file': own.keyFile,
      'grpc.tls.client_ca_file': clients.caFile,
    });
    const address = `localhost:${gateway.grpcPort}`;
    const connect = (key: Buffer | null, cert: Buffer | null) =>
      tracked(new GatewayApi(address, credentials.createSsl(own.ca, key, cert)));
    expect(await connect(clients.key, clients.cert).check()).toMatchObject({ status: 1 });
    await expect(connect(null, null).check()).rejects.toMatchObject({ code: 14 });
    await expect(connect(own.key, own.cert).check()).rejects.toMatchObject({ code: 14 });
  });

  test('a bad certificate stops the start with one line', async () => {
    const own = await certificates('own');
    const other = await certificates('other');
    const settings = { 'grpc.tls.cert_file': own.certFile, 'grpc.tls.key_file': other.keyFile };
    await expect(harness.gateway(settings)).rejects.toMatchObject({ code: 'TLS_KEY_MISMATCH' });
  });
});

describe.each([
  ['framed', 'framed'],
  ['framed', 'grpc-js'],
  ['http2', 'framed'],
  ['grpc-js', 'framed'],
  ['grpc-js', 'grpc-js'],
] as const)('calls over TLS by %s to a server of %s', (kind, serverKind) => {
  const PATH = '/test.Service/Method';
  const echo = {
    path: PATH,
    handle: (request: Uint8Array, _: string, respond: (bytes: Uint8Array) => void) =>
      respond(request),
  };

  const serve = async (source: CertificateSource) => {
    const options = { kind: serverKind, address: '127.0.0.1:0', graceMs: 0, tls: source };
    const server = grpcServer(options, [echo]);
    await server.start();
    tracked({ close: () => void server.stop() });
    return server;
  };
  const sourceOf = (material: { ca: Buffer | null; cert: Buffer; key: Buffer }) =>
    new CertificateSource(() => material, [], new FakeClock(), silentLogger());
  const callers = (address: string, tls: CallerTls | null): UnaryCaller =>
    tracked(callersOf(kind, {}, () => tls)(address));
  const call = (caller: UnaryCaller): Promise<string | CallFailure> =>
    new Promise((resolve) => {
      caller.call(PATH, Buffer.from('hello'), PATIENCE_MS, {
        onResponse: (bytes) => resolve(Buffer.from(bytes).toString()),
        onFailure: resolve,
      });
    });

  test('the certificate must be trusted and have the name', async () => {
    const own = await certificates('own');
    const stranger = await certificates('stranger');
    const { port } = await serve(sourceOf({ ...own, ca: null }));
    const base = { ca: own.ca, cert: null, key: null, serverName: null };
    expect(await call(callers(`127.0.0.1:${port}`, base))).toBe('hello');
    expect(await call(callers(`localhost:${port}`, base))).toBe('hello');
    expect(await call(callers(`127.0.0.1:${port}`, { ...base, serverName: 'localhost' }))).toBe(
      'hello',
    );
    for (const bad of [
      { ...base, serverName: 'other.example' },
      { ...base, ca: stranger.ca },
      null,
    ]) {
      expect(await call(callers(`127.0.0.1:${port}`, bad))).toMatchObject({
        status: 14,
        neverSent: true,
      });
    }
  });

  test('a connection that begins anew uses the certificates of that time', async () => {
    const [own, renewed] = [await certificates('own'), await certificates('renewed')];
    const files = (name: typeof own) => ({ ca: name.ca, cert: name.cert, key: name.key });
    let current: CallerTls = { ...files(own), serverName: null };
    const first = await serve(sourceOf(files(own)));
    const tuning = { initialReconnectMs: 10, maxReconnectMs: 20 };
    const address = `127.0.0.1:${first.port}`;
    const caller = tracked(callersOf(kind, tuning, () => current)(address));
    expect(await call(caller)).toBe('hello');
    await first.stop();
    const options = { kind: serverKind, address, graceMs: 0, tls: sourceOf(files(renewed)) };
    const second = grpcServer(options, [echo]);
    await second.start();
    tracked({ close: () => void second.stop() });
    expect(await call(caller)).toMatchObject({ status: 14 });
    current = { ...files(renewed), serverName: null };
    const answered = async () => (await call(caller)) === 'hello';
    const until = Date.now() + PATIENCE_MS;
    while (!(await answered()) && Date.now() < until);
    expect(await answered()).toBe(true);
  });

  test('the gateway shows its certificate where it is asked for', async () => {
    const own = await certificates('own');
    const gateways = await certificates('gateways');
    const { port } = await serve(sourceOf({ ...own, ca: gateways.ca }));
    const anonymous = { ca: own.ca, cert: null, key: null, serverName: null };
    const known = { ...anonymous, cert: gateways.cert, key: gateways.key };
    expect(await call(callers(`localhost:${port}`, known))).toBe('hello');
    expect(await call(callers(`localhost:${port}`, anonymous))).toMatchObject({ status: 14 });
  });
});

describe.each(['framed', 'grpc-js'] as const)('certificate files of a server of %s', (kind) => {
  test('are read again when they change; bad ones leave the old in use', async () => {
    const [first, second] = [await certificates('first'), await certificates('second')];
    const folder = join(harness.folder, 'live');
    mkdirSync(folder);
    const live = { cert: join(folder, 'live.crt'), key: join(folder, 'live.key') };
    const install = (from: typeof first): void => {
      copyFileSync(from.certFile, live.cert);
      copyFileSync(from.keyFile, live.key);
    };
    install(first);
    const clock = new FakeClock();
    const load = () => {
      const cert = readFileSync(live.cert);
      if (!cert.includes('BEGIN CERTIFICATE')) throw new Error('not a certificate');
      return { ca: null, cert, key: readFileSync(live.key) };
    };
    const source = new CertificateSource(load, Object.values(live), clock, silentLogger());
    source.start();
    const server = grpcServer({ kind, address: '127.0.0.1:0', graceMs: 0, tls: source }, []);
    await server.start();
    /** UNIMPLEMENTED means that TLS went well. */
    const trusts = async (ca: Buffer): Promise<boolean> => {
      const tls = { ca, cert: null, key: null, serverName: null };
      const caller = tracked(callersOf('http2', {}, () => tls)(`127.0.0.1:${server.port}`));
      const failure = await new Promise<CallFailure>((resolve) => {
        caller.call('/x.Y/Z', Buffer.alloc(0), PATIENCE_MS, {
          onResponse: () => undefined,
          onFailure: resolve,
        });
      });
      return failure.status === 12;
    };
    try {
      expect([await trusts(first.ca), await trusts(second.ca)]).toEqual([true, false]);
      install(second);
      expect(await trusts(first.ca)).toBe(true);
      clock.advance(10_000);
      expect([await trusts(first.ca), await trusts(second.ca)]).toEqual([false, true]);
      writeFileSync(live.cert, 'nonsense');
      clock.advance(10_000);
      expect(await trusts(second.ca)).toBe(true);
      expect(source.fault).toBe('not a certificate');
      expect(source.reload()).toBe(false);
      install(first);
      expect(source.reload()).toBe(true);
      expect(source.fault).toBe('');
      expect(await trusts(first.ca)).toBe(true);
    } finally {
      source.stop();
      await server.stop();
    }
  });
});
