import { beforeEach, describe, expect, test } from '@jest/globals';
import type { StreamCall } from '../../../../src/grpc/server-method.js';
import { Gateways } from '../../../../src/sdk/upstream/gateways.js';
import { Handlers } from '../../../../src/sdk/upstream/handlers.js';
import type { RequestContext } from '../../../../src/sdk/upstream/request-context.js';
import { StreamService } from '../../../../src/sdk/upstream/stream-service.js';
import {
  ProcessBatch,
  ProcessResults,
  UpstreamRequest,
  decodeMessage,
  encodeMessage,
} from '../../../../src/wire/messages.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeResponses } from '../../../support/fake-streams.js';

/** So many unanswered requests, and a stream is not read. */
const MOST_UNDER_WAY = 10_000;

const LARGE = new Uint8Array(1_000_000);

let clock: FakeClock;
let responses: FakeResponses;
let call: StreamCall;
let hanging: RequestContext[];
/** What handlers of `later` have to do before they answer. */
let release: () => void;

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** Handlers answer in one turn of the event loop; what was gathered leaves in the next. */
const turn = (): Promise<void> => immediate().then(immediate);

/** A gateway sends requests of this action, numbered from `first`. */
function ask(action: string, first: number, count = 1, timeoutMs = 1_000): void {
  const requests = Array.from({ length: count }, (_, index) =>
    UpstreamRequest.create({ sessionId: 's', clientSeqId: first + index, action, timeoutMs }),
  );
  call.onMessage(encodeMessage(ProcessBatch, { requests }));
}

function cancel(...numbers: number[]): void {
  const cancelled = numbers.map((clientSeqId) => ({ sessionId: 's', clientSeqId }));
  call.onMessage(encodeMessage(ProcessBatch, { cancelled }));
}

/** The answers that the gateway has read. */
const answers = () =>
  responses.read.flatMap((bytes) => decodeMessage(ProcessResults, bytes).responses);
/** The numbers of their requests. */
const answered = (): number[] => answers().map(({ clientSeqId }) => clientSeqId ?? 0);
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

beforeEach(() => {
  clock = new FakeClock();
  hanging = [];
  responses = new FakeResponses();
  const released = new Promise<void>((resolve) => (release = resolve));
  const handlers = new Handlers(new Gateways([], 1_000, {}, clock), () => undefined);
  handlers.set('hang', (request) => {
    hanging.push(request);
    return new Promise<string>(() => undefined);
  });
  handlers.set('echo', () => 'here');
  handlers.set('later', () => released);
  handlers.set('large', async () => {
    await released;
    return LARGE;
  });
  call = new StreamService(handlers, clock).method().open(responses, 'gateway');
  responses.onDrain = () => call.onDrain?.();
});

describe('requests that nobody waits for any more', () => {
  test('10,000 handlers that hang halt the stream until their time is up, and no longer', async () => {
    ask('hang', 1, MOST_UNDER_WAY);
    const [first] = hanging;
    const signal = first?.signal;
    expect(responses.paused).toBe(true);
    clock.advance(999);
    await turn();
    expect([responses.paused, signal?.aborted]).toEqual([true, false]);
    clock.advance(1);
    await turn();
    expect([responses.paused, signal?.aborted]).toEqual([false, true]);
    ask('echo', 20_000);
    await turn();
    expect(answered()).toEqual([20_000]);
  });

  test('a cancelled request gives its place back at once, whatever its handler does', async () => {
    ask('hang', 1, MOST_UNDER_WAY - 1);
    expect(responses.paused).toBe(false);
    const signals = hanging.slice(0, 2).map(({ signal }) => signal);
    cancel(1);
    ask('hang', 20_000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(responses.paused).toBe(false);
    ask('hang', 20_001);
    expect(responses.paused).toBe(true);
  });

  test('an answer after the time or the cancel is not sent', async () => {
    ask('later', 1, 1, 50);
    ask('later', 2);
    ask('later', 3);
    cancel(2);
    clock.advance(60);
    release();
    await turn();
    expect(answered()).toEqual([3]);
    call.onHalfClose();
    expect(responses.ended).toBe(0);
  });

  test('a gateway that ended its side is not kept waiting by a handler that hangs', async () => {
    ask('hang', 1);
    ask('hang', 2, 1, 50);
    call.onHalfClose();
    cancel(1);
    await turn();
    expect(responses.ended).toBeNull();
    clock.advance(60);
    await turn();
    expect(responses.ended).toBe(0);
  });

  test('a request of the same number takes the place of the former one', async () => {
    ask('later', 1);
    ask('later', 1);
    release();
    await turn();
    expect(answered()).toEqual([1]);
  });
});

describe('a gateway that does not read', () => {
  beforeEach(() => responses.setReading(false));

  test('gets 100 MB of answers when it reads on, in order, and the end behind them', async () => {
    ask('large', 1, 100);
    call.onHalfClose();
    release();
    await turn();
    expect(responses.queuedBytes).toBeLessThan(4_000_000);
    expect([responses.paused, responses.ended]).toEqual([true, null]);
    responses.setReading(true);
    expect(answered()).toEqual(numbers(100));
    expect(answers().every(({ data }) => data?.length === LARGE.length)).toBe(true);
    await turn();
    expect([responses.paused, responses.ended]).toEqual([false, 0]);
  });

  test('gets none whose time is up by then', async () => {
    ask('large', 1, 20, 50);
    ask('large', 21);
    release();
    await turn();
    clock.advance(60);
    responses.setReading(true);
    const late = answered().filter((number) => number <= 20);
    expect(late.length).toBeLessThan(5);
    expect(answered().at(-1)).toBe(21);
  });

  test('hears 504 instead of what is above 128 MiB', async () => {
    ask('large', 1, 200);
    release();
    await turn();
    responses.setReading(true);
    expect(answered()).toEqual(numbers(200));
    const codes = answers().map(({ code }) => code);
    expect(codes.filter((code) => code === 200).length).toBeGreaterThanOrEqual(134);
    expect(codes.slice(140).every((code) => code === 504)).toBe(true);
  });
});
