import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { GrpcJsCaller } from '../../src/grpc/grpc-js-caller.js';
import { ReplyError, UpstreamServer } from '../../src/sdk/upstream/index.js';
import type { RegistrationReport, UpstreamServerOptions } from '../../src/sdk/upstream/index.js';
import { UpstreamClient } from '../../src/upstream/upstream-client.js';
import type { UpstreamResponse } from '../../src/wire/messages.js';
import { decodeResponse, encodeRequest } from '../../src/upstream/request-codec.js';
import { FakeGatewayService } from '../support/fake-gateway-service.js';
import { PATIENCE_MS } from '../support/patience.js';
import { allIsRead, until } from '../support/until.js';

let gateway: FakeGatewayService;
let server: UpstreamServer;
let client: UpstreamClient | null;

beforeEach(async () => {
  gateway = await FakeGatewayService.start();
  client = null;
});

afterEach(async () => {
  client?.close();
  await server.stop();
  await gateway.stop();
});

function make(options: Partial<UpstreamServerOptions> = {}): UpstreamServer {
  const base = { zone: '003', serviceName: 'demo', listen: '127.0.0.1:0' };
  server = new UpstreamServer({ ...base, gateways: [gateway.address], ...options });
  return server;
}

/** Calls the upstream as the gateway does. */
function ask(action: string, data = '', clientSeqId = 7): Promise<UpstreamResponse> {
  client ??= new UpstreamClient(new GrpcJsCaller(`127.0.0.1:${server.port}`), 'demo');
  const request = {
    sessionId: 's-1',
    openid: 'alice',
    clientSeqId,
    action,
    params: { p: '1' },
    data: Buffer.from(data),
    headers: { h: '2' },
  };
  return new Promise((resolve, reject) => {
    client?.processRequest(encodeRequest(request), PATIENCE_MS, {
      sessionId: request.sessionId,
      clientSeqId: request.clientSeqId,
      onResponse: (bytes) => resolve(decodeResponse(bytes, clientSeqId)),
      onFailure: ({ message }) => reject(new Error(message)),
    });
  });
}

describe('registration', () => {
  test('comes after listening and names where it listens', async () => {
    await make().start();
    expect(gateway.registrations).toMatchObject([
      { address: `127.0.0.1:${server.port}`, zoneId: '003', serviceName: 'demo' },
    ]);
    await server.start();
    expect(gateway.registrations).toHaveLength(1);
  });

  test('leaves the host to the gateway when it listens everywhere, or tells the given one', async () => {
    await make({ listen: ':0' }).start();
    expect(gateway.registrations[0]?.address).toBe(`:${server.port}`);
    await server.stop();
    await make({ advertise: 'upstream.example:9' }).start();
    expect(gateway.registrations[1]?.address).toBe('upstream.example:9');
  });

  test('goes on until the gateway is there', async () => {
    const { address } = gateway;
    await gateway.stop();
    const reports: RegistrationReport[] = [];
    const started = make({
      gateways: [address],
      onRegistration: (report) => {
        reports.push(report);
        throw new Error('a listener that fails');
      },
    }).start();
    await until(() => reports.length > 0);
    gateway = await FakeGatewayService.start(Number(address.split(':')[1]));
    await started;
    expect(reports[0]).toMatchObject({ gateway: address, outcome: 'retrying', retryInMs: 200 });
    expect(reports.at(-1)).toMatchObject({ outcome: 'registered', retryInMs: 0 });
  });

  test('ends when it is refused for good', async () => {
    gateway.onRegister = () => ({
      success: false,
      message: 'zone 009 does not exist',
      errorCode: 'INVALID_ZONE_ID',
    });
    const failure = await make({ zone: '009' })
      .start()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'INVALID_ZONE_ID' });
    expect((failure as Error).message).toMatch(/refused to register .*zone 009 does not exist/);
    expect(gateway.registrations).toHaveLength(1);
  });

  test('a gateway that refuses for good does not end the registration at the others; a full zone is asked again', async () => {
    const refusing = await FakeGatewayService.start();
    const { address } = refusing;
    const notAllowed = { success: false, message: 'not you', errorCode: 'NOT_ALLOWED' } as const;
    refusing.onRegister = () => notAllowed;
    const reports: RegistrationReport[] = [];
    let held = true;
    gateway.onRegister = () =>
      held
        ? { success: false, message: 'full', errorCode: 'ZONE_FULL' }
        : { success: true, message: '', errorCode: '' };
    const gateways = [address, gateway.address];
    const onRegistration = (report: RegistrationReport) => void reports.push(report);
    const started = make({ gateways, onRegistration }).start();
    await until(() => reports.some(({ outcome }) => outcome === 'refused'));
    await until(() => gateway.registrations.length > 1);
    held = false;
    await started;
    expect(refusing.registrations).toHaveLength(1);
    const told = reports.filter((report) => report.gateway === gateway.address);
    expect(told[0]).toMatchObject({ outcome: 'retrying', message: 'ZONE_FULL: full' });
    expect(told.at(-1)).toMatchObject({ outcome: 'registered' });
    await refusing.stop();
  });

  test('does not wait where it holds, but is not safe yet; it is asked again until it is', async () => {
    const reports: RegistrationReport[] = [];
    let safe = false;
    gateway.onRegister = () =>
      safe
        ? { success: true, message: '', errorCode: '' }
        : { success: false, message: 'no standby', errorCode: 'REPLICATION_LAG' };
    await make({ onRegistration: (report) => void reports.push(report) }).start();
    expect(reports[0]).toMatchObject({ outcome: 'retrying' });
    safe = true;
    await until(() => reports.at(-1)?.outcome === 'registered');
  });

  test('rejects where every gateway refuses for good', async () => {
    const other = await FakeGatewayService.start();
    gateway.onRegister = () => ({ success: false, message: 'no', errorCode: 'NOT_ALLOWED' });
    other.onRegister = () => ({ success: false, message: 'no', errorCode: 'INVALID_ADDRESS' });
    const started = make({ gateways: [gateway.address, other.address] }).start();
    await expect(started).rejects.toMatchObject({
      name: 'RegistrationError',
      code: 'NOT_ALLOWED',
    });
    await other.stop();
  });

  test.each(['http://gate:8092', 'gate', ':8092', 'gate:0', 'gate:70000', '::1:8092'])(
    'a gateway at %s cannot be, and is not tried for ever',
    (address) => {
      const options = { zone: '001', serviceName: 'x', listen: ':0', gateways: [address] };
      const made = () => new UpstreamServer(options);
      expect(made).toThrow(RangeError);
      expect(made).toThrow(`gateways: ${address} is no address`);
    },
  );

  test('a stop that comes before it, or in the middle, leaves no port open', async () => {
    const before = make();
    await before.stop();
    await before.start();
    expect(before.port).toBe(0);
    const during = make();
    const started = during.start();
    await during.stop();
    await started;
    const again = {
      zone: '001',
      serviceName: 'x',
      listen: `127.0.0.1:${during.port}`,
      gateways: [],
    };
    const next = new UpstreamServer(again);
    await next.start();
    await next.stop();
    expect(gateway.registrations).toEqual([]);
  });

  test('a port in use is one line', async () => {
    await make().start();
    const second = new UpstreamServer({
      zone: '001',
      serviceName: 'x',
      listen: `127.0.0.1:${server.port}`,
      gateways: [],
    });
    await expect(second.start()).rejects.toThrow(/upstream address .* is in use/);
    await second.stop();
  });
});

describe('requests', () => {
  test('reach the handler of their action whole, and its reply goes back', async () => {
    make().handle('echo', (request) => ({
      code: 201,
      message: `${request.openid} ${request.sessionId} ${request.clientSeqId}`,
      data: request.text.toUpperCase(),
      headers: { ...request.headers, p: request.params['p'] ?? '' },
    }));
    await server.start();
    const response = await ask('echo', 'hi', 12);
    expect(response).toMatchObject({ code: 201, message: 'alice s-1 12', clientSeqId: 12 });
    expect(Buffer.from(response.data).toString()).toBe('HI');
    expect(response.headers).toEqual({ h: '2', p: '1' });
  });

  test('a handler may return text, bytes, nothing, now or later', async () => {
    make()
      .handle('text', () => 'text')
      .handle('bytes', () => Buffer.from([1, 2]))
      .handle('nothing', async () => {
        await Promise.resolve();
      });
    await server.start();
    expect(Buffer.from((await ask('text')).data).toString()).toBe('text');
    expect([...(await ask('bytes')).data]).toEqual([1, 2]);
    expect(await ask('nothing')).toMatchObject({ code: 200, message: 'ok' });
  });

  test('errors become answers, and only a ReplyError shows its words', async () => {
    const errors: unknown[] = [];
    make({ onError: (error) => errors.push(error) })
      .handle('mine', () => {
        throw new ReplyError(409, 'twice');
      })
      .handle('bug', () => {
        throw new Error('password 1234');
      });
    await server.start();
    expect(await ask('mine')).toMatchObject({ code: 409, message: 'twice' });
    expect(await ask('bug')).toMatchObject({ code: 500, message: 'internal error' });
    expect(await ask('unknown')).toMatchObject({ code: 404, message: 'no such action: unknown' });
    expect(errors).toHaveLength(1);
    server.fallback(({ action }) => `any ${action}`);
    expect(Buffer.from((await ask('unknown')).data).toString()).toBe('any unknown');
  });

  test('GetStatus and grpc.health.v1 are served', async () => {
    await make().start();
    await ask('x');
    const status = await new Promise((resolve) =>
      client?.getStatus(PATIENCE_MS, (answer) => resolve(answer)),
    );
    expect(status).toMatchObject({ status: 'healthy', metadata: { zone: '003', service: 'demo' } });
    const probe = await new Promise((resolve) => client?.probe(PATIENCE_MS, resolve));
    expect(probe).toEqual({ alive: true });
  });
});

describe('pushes', () => {
  test('of a handler are bound to its request, and the answer waits for those before it', async () => {
    let take: () => void = () => undefined;
    const taken = new Promise<void>((resolve) => (take = resolve));
    gateway.onPush = async ({ syncHint }) => {
      if (syncHint === 1) await taken;
      return { success: true, message: '', errorCode: '' };
    };
    make().handle('go', (request) => {
      void request.pushBefore({ type: 'b', title: 'before', content: 'c' });
      void request.pushAfter({ type: 'a', data: 'after' });
      void request.push({ type: 'i' });
      return 'answer';
    });
    await server.start();
    let answered = false;
    const answer = ask('go', '', 33).then(() => (answered = true));
    await until(() => gateway.pushes.length === 3);
    await ask('another');
    expect(answered).toBe(false);
    take();
    await answer;
    const seen = gateway.pushes.map((push) => ({
      type: push.msgType,
      hint: push.syncHint,
      bound: push.bindClientSeqId,
      to: `${push.targetType} ${push.targetId}`,
    }));
    expect(seen).toEqual([
      { type: 'b', hint: 1, bound: 33, to: 'session s-1' },
      { type: 'a', hint: 2, bound: 33, to: 'session s-1' },
      { type: 'i', hint: 0, bound: 33, to: 'session s-1' },
    ]);
  });

  test('carry everything, by openid or session', async () => {
    await make().start();
    await server.push({
      openid: 'bob',
      type: 'mail',
      title: 't',
      content: 'c',
      data: 'd',
      metadata: { m: '1' },
      idempotencyKey: 'k',
      bestEffort: true,
    });
    const [push] = gateway.pushes;
    expect([push?.targetType, push?.targetId, push?.msgType, push?.title]).toEqual([
      'openid',
      'bob',
      'mail',
      't',
    ]);
    expect([push?.content, Buffer.from(push?.data ?? []).toString()]).toEqual(['c', 'd']);
    expect([push?.metadata, push?.idempotencyKey, push?.bestEffort]).toEqual([
      { m: '1' },
      'k',
      true,
    ]);
    await server.push({ sessionId: 's-9', type: 'x' });
    expect(gateway.pushes[1]?.targetType).toBe('session');
  });

  test('refused ones reject with the code of the gateway', async () => {
    gateway.onPush = () => ({ success: false, message: 'full', errorCode: 'OUTBOX_FULL' });
    await make().start();
    await expect(server.push({ openid: 'bob', type: 'x' })).rejects.toMatchObject({
      code: 'OUTBOX_FULL',
    });
  });

  test('find the gateway that holds the session', async () => {
    const other = await FakeGatewayService.start();
    gateway.onPush = () => ({ success: false, message: 'not here', errorCode: 'OPENID_OFFLINE' });
    await make({ gateways: [gateway.address, other.address] }).start();
    await server.push({ openid: 'bob', type: 'x' });
    expect([gateway.pushes.length, other.pushes.length]).toEqual([1, 1]);
    await other.stop();
    await expect(server.push({ openid: 'bob', type: 'x' })).rejects.toMatchObject({
      code: 'OPENID_OFFLINE',
    });
  });

  test('tell a lost answer from a gateway that was never reached', async () => {
    gateway.onPush = () => null;
    await make({ callTimeoutMs: 500 }).start();
    const codeOf = () =>
      server.push({ openid: 'bob', type: 'x' }).catch(({ code }: { code: unknown }) => code);
    // A machine that stands still may let the time pass before anything was sent.
    await until(async () => (await codeOf()) === 'OUTCOME_UNKNOWN');
    expect(gateway.pushes.length).toBeGreaterThan(0);
    await gateway.stop();
    await allIsRead();
    await expect(server.push({ openid: 'bob', type: 'x' })).rejects.toMatchObject({
      code: 'GATEWAY_UNREACHABLE',
    });
  });

  test('that fail unawaited are reported and end nothing', async () => {
    const errors: string[] = [];
    gateway.onPush = () => ({ success: false, message: 'full', errorCode: 'OUTBOX_FULL' });
    make({ onError: (error) => errors.push((error as { code: string }).code) }).handle(
      'go',
      (r) => {
        void r.pushBefore({ type: 'b' });
        return 'answer';
      },
    );
    await server.start();
    expect(await ask('go')).toMatchObject({ code: 200 });
    expect(errors).toEqual(['OUTBOX_FULL']);
  });

  test('a broadcast goes to every gateway and sums up', async () => {
    const other = await FakeGatewayService.start();
    gateway.sentCount = 3;
    other.sentCount = 4;
    await make({ gateways: [gateway.address, other.address] }).start();
    expect(await server.broadcast({ type: 'news', content: 'all' })).toBe(7);
    await other.stop();
    expect(await server.broadcast({ type: 'news', content: 'all' })).toBe(3);
  });
});

describe('sizes', () => {
  test('a batch is cut by the bytes that its pushes take, of whichever field', async () => {
    await make().start();
    const wide = '界'.repeat(340_000);
    const metadata = Object.fromEntries([...'abcdef'].map((key) => [key, 'é'.repeat(80_000)]));
    const pushes = [
      ...Array.from({ length: 6 }, () => ({ openid: 'bob', type: 'x', content: wide })),
      ...Array.from({ length: 6 }, () => ({ openid: 'bob', type: 'x', metadata })),
      ...Array.from({ length: 6 }, () => ({ openid: 'bob', type: 'x', title: wide })),
    ];
    const results = await server.pushBatch(pushes);
    expect(results.map(({ code }) => code)).toEqual(pushes.map(() => ''));
    expect(gateway.pushes.map(({ content }) => content.length)).toEqual(
      pushes.map((push) => ('content' in push ? 340_000 : 0)),
    );
    await Promise.all(pushes.map((push) => server.push(push)));
    expect(gateway.pushes).toHaveLength(2 * pushes.length);
  });

  test('what fits in no message was never sent, and says so', async () => {
    await make().start();
    const push = { openid: 'bob', type: 'x', content: '界'.repeat(1_500_000) };
    const never = {
      code: 'TOO_LARGE',
      message: expect.stringMatching(/never sent.*4500\d{3} bytes/),
    };
    await expect(server.push(push)).rejects.toMatchObject(never);
    await expect(server.push({ ...push, retryForMs: 60_000 })).rejects.toMatchObject(never);
    await expect(server.broadcast(push)).rejects.toMatchObject(never);
    const [result, good] = await server.pushBatch([push, { openid: 'bob', type: 'small' }]);
    expect(result).toMatchObject({ success: false, ...never });
    expect(good).toMatchObject({ success: true });
    expect(gateway.pushes.map(({ msgType }) => msgType)).toEqual(['small']);
  });
});

describe('stopping', () => {
  test('drain lets requests finish and says so to probes', async () => {
    let release: (() => void) | null = null;
    make().handle(
      'slow',
      () => new Promise<string>((resolve) => (release = () => resolve('done'))),
    );
    await server.start();
    const answer = ask('slow');
    await until(() => release !== null);
    const drained = server.drain();
    expect(server.drain()).toBe(drained);
    (release as (() => void) | null)?.();
    expect(Buffer.from((await answer).data).toString()).toBe('done');
    client?.close();
    await drained;
    await server.stop();
    await server.stop();
  });

  test('deregisters at every gateway, once, also where drain did not', async () => {
    const other = await FakeGatewayService.start();
    await make({ gateways: [gateway.address, other.address] }).start();
    const address = server.advertised;
    await server.stop();
    await server.stop();
    expect(gateway.deregistrations).toMatchObject([{ address, zoneId: '003' }]);
    expect(other.deregistrations).toHaveLength(1);
    await other.stop();
    await make().start();
    await server.drain();
    await server.stop();
    expect(gateway.deregistrations).toHaveLength(2);
  });

  test('does not wait for a gateway that is gone or says nothing', async () => {
    const held = new Set<Socket>();
    // It takes connections and is silent, as a host that hangs.
    const silent = createServer((socket) => held.add(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const gone = await FakeGatewayService.start();
    const gateways = [`127.0.0.1:${port}`, gone.address, gateway.address];
    const reports: RegistrationReport[] = [];
    const onRegistration = (report: RegistrationReport) => void reports.push(report);
    void make({ gateways, onRegistration, callTimeoutMs: 10 * PATIENCE_MS }).start();
    await until(() => reports.filter(({ outcome }) => outcome === 'registered').length === 2);
    await gone.stop();
    const from = performance.now();
    await server.stop();
    // Far below the time of a call; the machine may be busy.
    expect(performance.now() - from).toBeLessThan(PATIENCE_MS);
    expect(gateway.deregistrations).toHaveLength(1);
    for (const socket of held) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });
});
