import { afterEach, describe, expect, test } from '@jest/globals';
import { SystemClock } from '../../src/base/clock.js';
import type { GrpcServer } from '../../src/grpc/grpc-server.js';
import { grpcServer } from '../../src/grpc/server-kinds.js';
import type { StreamMethod, UnaryMethod } from '../../src/grpc/server-method.js';
import { UpstreamServer } from '../../src/sdk/upstream/index.js';
import type { RegistrationReport } from '../../src/sdk/upstream/index.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { GatewayService } from '../../src/upstream/gateway-service.js';
import { HealthService } from '../../src/upstream/health-service.js';
import { PushStreams } from '../../src/upstream/push-stream.js';
import type { PushResult, PushSink } from '../../src/upstream/push-sink.js';
import type { RegistrationRequest } from '../../src/upstream/registration-sink.js';
import type { UnicastPushRequest } from '../../src/wire/messages.js';
import { PATIENCE_MS } from '../support/patience.js';
import { until } from '../support/until.js';

const GOOD: PushResult = { success: true, message: 'ok', errorCode: '' };

/** The gRPC side of a gateway whose sessions are the test. */
class TestGateway implements PushSink {
  readonly pushed: string[] = [];
  readonly keys: string[] = [];
  readonly registered: RegistrationRequest[] = [];
  readonly health = new HealthService();
  /** Answers to pushes that wait for the test; null: they are answered at once. */
  waiting: ((result: PushResult) => void)[] | null = null;
  unaryCalls = 0;
  private server: GrpcServer | null = null;
  private streams: PushStreams | null = null;

  constructor(
    private readonly modern: boolean,
    private readonly secret?: string,
  ) {}

  async start(port = 0): Promise<number> {
    const log = silentLogger();
    const register = (request: RegistrationRequest, done: (result: never) => void): void => {
      this.registered.push(request);
      done({ success: true, message: 'welcome', errorCode: '' } as never);
    };
    const methods = new GatewayService(this, { register, knowsZone: () => true }, log)
      .methods()
      .map((method): UnaryMethod => ({
        ...method,
        handle: (...args) => {
          if (method.path.endsWith('PushToClient')) this.unaryCalls++;
          method.handle(...args);
        },
      }));
    this.streams = new PushStreams(this, log);
    const streams: StreamMethod[] = this.modern
      ? [this.streams.method(), ...this.health.streams()]
      : [];
    const secret = this.secret === undefined ? {} : { secret: this.secret };
    const options = { address: `127.0.0.1:${port}`, graceMs: 0, ...secret };
    this.server = grpcServer(options, methods, new SystemClock(), streams);
    await this.server.start();
    this.health.set(true);
    return this.server.port;
  }

  async stop(): Promise<void> {
    this.health.close();
    this.streams?.close();
    await this.server?.stop();
  }

  push(
    { targetId, content, idempotencyKey }: UnicastPushRequest,
    done: (result: PushResult) => void,
  ): void {
    this.keys.push(idempotencyKey);
    this.pushed.push(`${targetId} ${content}`);
    if (targetId === 'nobody') {
      done({ success: false, message: 'no such session', errorCode: 'SESSION_NOT_FOUND' });
    } else if (this.waiting !== null) this.waiting.push(done);
    else done(GOOD);
  }

  refused(): void {
    // Nobody reads the count.
  }

  broadcast(_: unknown, done: (sentCount: number, message: string) => void): void {
    done(0, '');
  }
}

const running: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.stop();
});

async function pair(
  modern: boolean,
  secret?: string,
  callTimeoutMs = PATIENCE_MS,
): Promise<{
  gateway: TestGateway;
  port: number;
  upstream: UpstreamServer;
  reports: RegistrationReport[];
}> {
  const gateway = new TestGateway(modern, secret);
  running.push(gateway);
  const port = await gateway.start();
  const reports: RegistrationReport[] = [];
  const upstream = new UpstreamServer({
    zone: '001',
    serviceName: 'test',
    listen: '127.0.0.1:0',
    gateways: [`127.0.0.1:${port}`],
    callTimeoutMs,
    onRegistration: (report) => void reports.push(report),
    ...(secret === undefined ? {} : { access: { secret } }),
  });
  running.push(upstream);
  await upstream.start();
  return { gateway, port, upstream, reports };
}

const texts = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`);

describe.each([
  ['that serves PushStream', true],
  ['that does not', false],
])('pushes to a gateway %s', (_, modern) => {
  test('arrive in order, once, and are answered each for itself', async () => {
    const { gateway, upstream } = await pair(modern);
    const pushes = texts(50).map((content) =>
      upstream.push({ openid: content === '7' ? 'nobody' : 'alice', type: 'test', content }),
    );
    const settled = await Promise.allSettled(pushes);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(49);
    expect(settled[7]).toMatchObject({ reason: { code: 'SESSION_NOT_FOUND' } });
    expect(gateway.pushed).toEqual(
      texts(50).map((text) => `${text === '7' ? 'nobody' : 'alice'} ${text}`),
    );
    expect(gateway.unaryCalls).toBe(modern ? 0 : 50);
  });

  test('that the gateway does not answer end with their deadline; a refusal of ours comes back', async () => {
    const { gateway, upstream } = await pair(modern, undefined, 2_000);
    gateway.waiting = [];
    const codeOf = (openid: string): Promise<unknown> =>
      upstream.push({ openid, type: 'test' }).then(
        () => 'taken',
        (error: unknown) => (error as { code: unknown }).code,
      );
    expect(await codeOf('alice')).toBe('OUTCOME_UNKNOWN');
    gateway.waiting = null;
    // A machine that stands still may trip the deadline of these, too.
    await until(async () => (await codeOf('alice')) === 'taken');
    await until(async () => (await codeOf('')) === 'INVALID_TARGET_ID');
  });

  test('under way when the gateway goes: outcome unknown; later: unreachable', async () => {
    const { gateway, upstream } = await pair(modern);
    gateway.waiting = [];
    const push = upstream.push({ openid: 'alice', type: 'test' });
    const lost = expect(push).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    await until(() => gateway.pushed.length === 1);
    await gateway.stop();
    await lost;
    const late = upstream.push({ openid: 'alice', type: 'test' });
    await expect(late).rejects.toMatchObject({ code: 'GATEWAY_UNREACHABLE' });
  });
});

test('a push too large for a message takes none of the others along', async () => {
  const { gateway, upstream } = await pair(true);
  const huge = { openid: 'alice', type: 'test', metadata: { m: '界'.repeat(1_500_000) } };
  const pushes = [
    upstream.push({ openid: 'alice', type: 'test', content: 'before' }),
    upstream.push(huge),
    ...texts(6).map((content) =>
      upstream.push({ openid: 'alice', type: 'test', title: 'é'.repeat(400_000), content }),
    ),
  ];
  const settled = await Promise.allSettled(pushes);
  expect(settled[1]).toMatchObject({ reason: { code: 'TOO_LARGE' } });
  expect(gateway.pushed).toEqual(['alice before', ...texts(6).map((text) => `alice ${text}`)]);
  expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
});

test('PushStream is guarded by the secret', async () => {
  const { gateway, upstream } = await pair(true, 'open sesame');
  await upstream.push({ openid: 'alice', type: 'test' });
  expect([gateway.pushed.length, gateway.unaryCalls]).toEqual([1, 0]);
  const [registration] = gateway.registered;
  expect(registration?.capabilities).toEqual(['process_stream']);
  const stranger = new UpstreamServer({
    zone: '001',
    serviceName: 'stranger',
    listen: '127.0.0.1:0',
    gateways: upstream['options'].gateways,
  });
  running.push(stranger);
  const refused = stranger.push({ openid: 'alice', type: 'test' });
  await expect(refused).rejects.toMatchObject({
    message: expect.stringContaining('authorization'),
  });
  expect(gateway.pushed).toHaveLength(1);
});

test('a wrong secret ends the registration, until the gateway comes back with another', async () => {
  const gateway = new TestGateway(true, 'open sesame');
  running.push(gateway);
  const port = await gateway.start();
  const reports: RegistrationReport[] = [];
  const upstream = new UpstreamServer({
    zone: '001',
    serviceName: 'stranger',
    listen: '127.0.0.1:0',
    gateways: [`127.0.0.1:${port}`],
    access: { secret: 'sesame' },
    onRegistration: (report) => void reports.push(report),
  });
  running.push(upstream);
  const error = await upstream.start().catch((cause: unknown) => cause);
  expect(error).toMatchObject({ name: 'RegistrationError', code: 'UNAUTHENTICATED' });
  expect((error as Error).message).toMatch(/refused to register .*authorization/);
  expect(reports).toMatchObject([{ outcome: 'refused', retryInMs: 0 }]);
  await gateway.stop();
  const changed = new TestGateway(true, 'sesame');
  running.push(changed);
  await changed.start(port);
  await until(() => changed.registered.length === 1);
});

test('a push with retryForMs outlives a restart of the gateway, under one key', async () => {
  const { gateway, port, upstream } = await pair(true);
  gateway.waiting = [];
  const push = upstream.push({ openid: 'alice', type: 'test', retryForMs: PATIENCE_MS });
  await until(() => gateway.pushed.length === 1);
  await gateway.stop();
  gateway.waiting = null;
  await new Promise((resolve) => setTimeout(resolve, 50));
  await gateway.start(port);
  await push;
  expect(gateway.keys.length).toBeGreaterThan(1);
  expect(new Set(gateway.keys).size).toBe(1);
  expect(gateway.keys[0]).not.toBe('');
  const nobody = upstream.push({ openid: 'nobody', type: 'test', retryForMs: PATIENCE_MS });
  await expect(nobody).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
});

test('an upstream registers again by itself when its gateway was gone and is back', async () => {
  const { gateway, port, upstream, reports } = await pair(true);
  await upstream.push({ openid: 'alice', type: 'test' });
  expect(gateway.registered).toHaveLength(1);
  await gateway.stop();
  await gateway.start(port);
  await until(() => gateway.registered.length === 2);
  await until(() => reports.filter(({ outcome }) => outcome === 'registered').length === 2);
  await until(() =>
    upstream.push({ openid: 'alice', type: 'test', content: 'again' }).then(
      () => true,
      () => false,
    ),
  );
  expect(gateway.pushed.at(-1)).toBe('alice again');
  // A gateway that only says that it does not serve for a while is told again too.
  gateway.health.set(false);
  gateway.health.set(true);
  await until(() => gateway.registered.length === 3);
});
