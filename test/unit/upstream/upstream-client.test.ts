import { describe, expect, test } from '@jest/globals';
import { GrpcStatus } from '../../../src/grpc/unary-caller.js';
import type { CallObserver, UnaryCaller } from '../../../src/grpc/unary-caller.js';
import { ProcessCall } from '../../../src/upstream/process-call.js';
import { Method } from '../../../src/wire/grpc-methods.js';
import { UpstreamClient } from '../../../src/upstream/upstream-client.js';
import type { ProbeResult } from '../../../src/upstream/upstream-client.js';
import { HealthCheckResponse, StatusResponse, encodeMessage } from '../../../src/wire/messages.js';

type Reply = Uint8Array | { status: number; neverSent?: boolean; message?: string };

/** Answers each method with what the test prepared. */
class ScriptedCaller implements UnaryCaller {
  readonly methods: string[] = [];

  constructor(public replies: Record<string, Reply>) {}

  call(method: string, _request: Uint8Array, _deadline: number, observer: CallObserver) {
    this.methods.push(method);
    queueMicrotask(() => {
      const reply = this.replies[method] ?? { status: GrpcStatus.UNIMPLEMENTED };
      if (reply instanceof Uint8Array) observer.onResponse(reply);
      else observer.onFailure({ neverSent: false, message: 'scripted', ...reply });
    });
    return { cancel: () => undefined };
  }

  close(): void {
    this.methods.push('close');
  }
}

const probe = (client: UpstreamClient): Promise<ProbeResult> =>
  new Promise((resolve) => client.probe(1_000, resolve));

const health = (status: number): Uint8Array => encodeMessage(HealthCheckResponse, { status });
const STATUS = encodeMessage(StatusResponse, { status: 'healthy', uptime: 5 });
const GARBAGE = Buffer.from([0xff]);

describe('a probe', () => {
  test.each<[string, Record<string, Reply>, boolean]>([
    ['health says SERVING', { [Method.HealthCheck]: health(1) }, true],
    ['health says NOT_SERVING', { [Method.HealthCheck]: health(2) }, false],
    ['health says nothing known', { [Method.HealthCheck]: health(0) }, true],
    ['health answers garbage', { [Method.HealthCheck]: GARBAGE }, false],
    ['health is silent', { [Method.HealthCheck]: { status: GrpcStatus.DEADLINE_EXCEEDED } }, false],
    [
      'nobody listens',
      { [Method.HealthCheck]: { status: GrpcStatus.UNAVAILABLE, neverSent: true } },
      false,
    ],
    ['GetStatus answers', { [Method.GetStatus]: STATUS }, true],
    ['GetStatus answers garbage', { [Method.GetStatus]: GARBAGE }, false],
    [
      'GetStatus is silent',
      { [Method.GetStatus]: { status: GrpcStatus.DEADLINE_EXCEEDED } },
      false,
    ],
    ['GetStatus refuses on its own', { [Method.GetStatus]: { status: GrpcStatus.UNKNOWN } }, true],
    ['GetStatus fails by itself', { [Method.GetStatus]: { status: GrpcStatus.INTERNAL } }, true],
    [
      'health fails by itself',
      { [Method.HealthCheck]: { status: GrpcStatus.INTERNAL }, [Method.GetStatus]: STATUS },
      true,
    ],
    ['neither is served', {}, true],
  ])('%s', async (_, replies, alive) => {
    expect((await probe(new UpstreamClient(new ScriptedCaller(replies), 'service'))).alive).toBe(
      alive,
    );
  });

  test('remembers which of the two is served, until told to forget', async () => {
    const caller = new ScriptedCaller({ [Method.GetStatus]: STATUS });
    const client = new UpstreamClient(caller, 'service');
    await probe(client);
    await probe(client);
    expect(caller.methods).toEqual([Method.HealthCheck, Method.GetStatus, Method.GetStatus]);
    client.forget();
    caller.replies = { [Method.HealthCheck]: health(1) };
    await probe(client);
    await probe(client);
    expect(caller.methods.slice(3)).toEqual([Method.HealthCheck, Method.HealthCheck]);
  });
});

test('GetStatus brings the upstream’s own account', async () => {
  const client = new UpstreamClient(new ScriptedCaller({ [Method.GetStatus]: STATUS }), 'service');
  const status = await new Promise<StatusResponse | null>((resolve) =>
    client.getStatus(1_000, (answer) => resolve(answer)),
  );
  expect(status).toMatchObject({ status: 'healthy', uptime: 5 });
});

test('a request that fails with a status alone has a reason all the same', async () => {
  const caller = new ScriptedCaller({
    [Method.ProcessRequest]: { status: GrpcStatus.UNKNOWN, message: '' },
  });
  const outcome = await new Promise<string>((resolve) => {
    class Asked extends ProcessCall {
      begin = (): void => this.send(new UpstreamClient(caller, 'service'), 1_000);
      protected answered = (): void => resolve('answered');
      protected failed = (kind: string, reason: string): void => resolve(`${kind}: ${reason}`);
    }
    new Asked(Buffer.alloc(0), 's', 1).begin();
  });
  expect(outcome).toBe('failed: gRPC status 2 without a text');
});
