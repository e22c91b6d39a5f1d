import { describe, expect, test } from '@jest/globals';
import { GrpcStatus } from '../../../src/grpc/unary-caller.js';
import type { CallFailure, CallObserver, UnaryCaller } from '../../../src/grpc/unary-caller.js';
import { ProcessCall } from '../../../src/upstream/process-call.js';
import { Method } from '../../../src/wire/grpc-methods.js';
import { UpstreamClient } from '../../../src/upstream/upstream-client.js';
import type { ProbeResult } from '../../../src/upstream/upstream-client.js';
import {
  HealthCheckResponse,
  ProcessResults,
  StatusResponse,
  UpstreamRequest,
  encodeMessage,
} from '../../../src/wire/messages.js';
import { FakeOpener } from '../../support/fake-streams.js';

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

describe('an upstream that takes one call at a time, with a ProcessStream open', () => {
  const opener = new FakeOpener();
  /** Answers probes only while no stream holds the one place. */
  const caller: UnaryCaller & FakeOpener = Object.assign(opener, {
    call: (_method: string, _request: Uint8Array, _deadline: number, observer: CallObserver) => {
      const held = opener.streams.some(({ ended, cancelled }) => !ended && !cancelled);
      queueMicrotask(() => {
        if (!held) observer.onResponse(health(1));
        else {
          const message = 'no answer within the deadline';
          const status = GrpcStatus.DEADLINE_EXCEEDED;
          observer.onFailure({ status, message, neverSent: true, busy: true });
        }
      });
      return { cancel: () => undefined };
    },
    close: () => undefined,
  });
  const client = new UpstreamClient(caller, 'service');
  client.useStream(true);
  const answers: Uint8Array[] = [];
  const send = async (clientSeqId: number): Promise<void> => {
    const request = encodeMessage(UpstreamRequest, { sessionId: 's', clientSeqId });
    const onResponse = (bytes: Uint8Array): unknown => answers.push(bytes);
    const onFailure = (failure: CallFailure): never => {
      throw new Error(failure.message);
    };
    client.processRequest(request, 60_000, { sessionId: 's', clientSeqId, onResponse, onFailure });
    await new Promise((resolve) => setImmediate(resolve));
  };
  const answer = (clientSeqId: number): void =>
    opener
      .last()
      .say(encodeMessage(ProcessResults, { responses: [{ sessionId: 's', clientSeqId }] }));

  test('is silent to a probe while a request is under way, which is left alone', async () => {
    await send(1);
    expect((await probe(client)).alive).toBe(false);
    expect(opener.last().ended).toBe(false);
    answer(1);
    expect(answers).toHaveLength(1);
  });

  test('is given its place back by a probe that finds nothing under way, and lives', async () => {
    expect((await probe(client)).alive).toBe(true);
    expect(opener.last()).toMatchObject({ ended: true, cancelled: false });
  });

  test('gets the next request on another stream', async () => {
    await send(2);
    expect(opener.streams).toHaveLength(2);
    answer(2);
    expect(answers).toHaveLength(2);
    client.close();
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
