import { beforeEach, describe, expect, test } from '@jest/globals';
import { GrpcStatus } from '../../../src/grpc/unary-caller.js';
import type { CallFailure } from '../../../src/grpc/unary-caller.js';
import { ProcessStream } from '../../../src/upstream/process-stream.js';
import type { StreamedRequest } from '../../../src/upstream/streamed-request.js';
import {
  ProcessBatch,
  ProcessResults,
  UpstreamRequest,
  decodeMessage,
  encodeMessage,
} from '../../../src/wire/messages.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeOpener } from '../../support/fake-streams.js';
import type { FakeStream } from '../../support/fake-streams.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let opener: FakeOpener;
let clock: FakeClock;
let stream: ProcessStream;
let refused: StreamedRequest[];
let strays: number;

/** One request; keeps what became of it. */
class Asked {
  readonly answers: Uint8Array[] = [];
  readonly failures: CallFailure[] = [];
  readonly handle;

  constructor(
    readonly clientSeqId: number,
    readonly sessionId = 's',
    timeout = 1_000,
    bytes = encodeMessage(UpstreamRequest, { sessionId, clientSeqId, action: 'echo' }),
  ) {
    this.handle = stream.send(bytes, timeout, this);
  }

  onResponse(bytes: Uint8Array): void {
    this.answers.push(bytes);
  }

  onFailure(failure: CallFailure): void {
    this.failures.push(failure);
  }

  get outcomes(): number {
    return this.answers.length + this.failures.length;
  }
}

const batches = (from: FakeStream) =>
  from.written.map((bytes) => decodeMessage(ProcessBatch, bytes));
const numbers = (from: FakeStream): (number | null | undefined)[] =>
  batches(from).flatMap(({ requests }) => requests.map(({ clientSeqId }) => clientSeqId));
const answer = (
  to: FakeStream,
  responses: { sessionId?: string; clientSeqId?: number; code?: number }[],
  draining = false,
): void => to.say(encodeMessage(ProcessResults, { responses, draining }));

beforeEach(() => {
  opener = new FakeOpener();
  clock = new FakeClock();
  refused = [];
  strays = 0;
  stream = new ProcessStream(opener, clock, {
    onRefused: (requests) => void refused.push(...requests),
    onStray: () => void strays++,
  });
});

describe('requests on a ProcessStream', () => {
  test('of one turn travel in one message, with the time that is left', async () => {
    const asked = [1, 2, 3].map((seq) => new Asked(seq, 's', 1_000 * seq));
    expect(opener.streams).toHaveLength(0);
    clock.advance(10);
    await turn();
    expect(opener.last().written).toHaveLength(1);
    expect(batches(opener.last())[0]?.requests).toMatchObject([
      { sessionId: 's', clientSeqId: 1, action: 'echo', timeoutMs: 990 },
      { clientSeqId: 2, timeoutMs: 1_990 },
      { clientSeqId: 3, timeoutMs: 2_990 },
    ]);
    answer(opener.last(), [
      { sessionId: 's', clientSeqId: 3, code: 203 },
      { sessionId: 's', clientSeqId: 1, code: 201 },
    ]);
    expect(asked.map(({ outcomes }) => outcomes)).toEqual([1, 0, 1]);
    new Asked(4);
    await turn();
    expect(opener.streams).toHaveLength(1);
    expect(numbers(opener.last())).toEqual([1, 2, 3, 4]);
  });

  test('are cut into messages that any server takes', async () => {
    const large = (seq: number): Uint8Array =>
      encodeMessage(UpstreamRequest, { clientSeqId: seq, data: Buffer.alloc(100_000) });
    for (let seq = 1; seq <= 7; seq++) new Asked(seq, 's', 1_000, large(seq));
    await turn();
    const sizes = opener.last().written.map(({ length }) => length);
    expect(sizes).toHaveLength(4);
    expect(Math.max(...sizes)).toBeLessThan(256 * 1_024);
    expect(numbers(opener.last())).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('answers of strangers, second answers and late ones are strays', async () => {
    const first = new Asked(1);
    const late = new Asked(2, 's', 50);
    await turn();
    const peer = opener.last();
    answer(peer, [{ sessionId: 'other', clientSeqId: 1 }, { clientSeqId: 1 }, {}]);
    expect([strays, first.outcomes]).toEqual([3, 0]);
    answer(peer, [
      { sessionId: 's', clientSeqId: 1 },
      { sessionId: 's', clientSeqId: 1 },
    ]);
    expect([strays, first.outcomes]).toEqual([4, 1]);
    clock.advance(60);
    expect(late.failures).toMatchObject([
      { status: GrpcStatus.DEADLINE_EXCEEDED, neverSent: false },
    ]);
    answer(peer, [{ sessionId: 's', clientSeqId: 2 }]);
    expect([strays, late.outcomes]).toEqual([5, 1]);
    expect(peer.cancelled).toBe(false);
  });

  test('one answer that cannot be read costs no other', async () => {
    const asked = new Asked(1);
    await turn();
    const good = encodeMessage(ProcessResults, { responses: [{ sessionId: 's', clientSeqId: 1 }] });
    // A response whose session_id runs past its end.
    opener.last().say(Buffer.concat([Buffer.from([0x0a, 4, 0x82, 0x01, 120, 1]), good]));
    expect([strays, asked.outcomes]).toEqual([1, 1]);
  });

  test('an upstream that talks garbage loses the stream, and what is under way fails once', async () => {
    const asked = [new Asked(1), new Asked(2)];
    await turn();
    const peer = opener.last();
    peer.say(Buffer.from([0x0a, 200, 1, 2]));
    await turn();
    expect(peer.cancelled).toBe(true);
    for (const { failures } of asked) {
      expect(failures).toMatchObject([{ status: GrpcStatus.INTERNAL, neverSent: false }]);
    }
    new Asked(3);
    await turn();
    expect(opener.streams).toHaveLength(2);
    expect(numbers(opener.last())).toEqual([3]);
  });

  test('whose time is up or that are cancelled are told to the upstream, where it has them', async () => {
    const asked = [new Asked(1, 's', 50), new Asked(2), new Asked(3)];
    await turn();
    const unsent = new Asked(4);
    asked[1]?.handle.cancel();
    asked[1]?.handle.cancel();
    unsent.handle.cancel();
    clock.advance(60);
    await turn();
    expect(asked[1]?.failures).toMatchObject([{ status: GrpcStatus.CANCELLED, neverSent: false }]);
    expect(unsent.failures).toMatchObject([{ status: GrpcStatus.CANCELLED, neverSent: true }]);
    const { cancelled } = batches(opener.last()).at(-1) ?? {};
    expect(cancelled).toMatchObject([{ clientSeqId: 2 }, { sessionId: 's', clientSeqId: 1 }]);
    expect(numbers(opener.last())).toEqual([1, 2, 3]);
  });

  test('that were given to the upstream are not taken back: another one must not get them too', async () => {
    const asked = new Asked(1);
    await turn();
    expect(asked.handle.withdraw?.()).toBe(false);
    answer(opener.last(), [{ sessionId: 's', clientSeqId: 1 }]);
    expect(asked.answers).toHaveLength(1);
  });

  test('a number that is under way already is not sent twice', async () => {
    const [one, two] = [new Asked(1), new Asked(1)];
    await turn();
    expect(numbers(opener.last())).toEqual([1]);
    expect([one.outcomes, two.failures.length]).toEqual([0, 1]);
  });
});

describe('a ProcessStream that ends', () => {
  test.each([
    [GrpcStatus.UNAVAILABLE, false, GrpcStatus.UNAVAILABLE, false],
    [GrpcStatus.OK, false, GrpcStatus.UNAVAILABLE, false],
    // What the upstream says of the stream says nothing of the requests on it.
    [GrpcStatus.CANCELLED, false, GrpcStatus.CANCELLED, false],
    [GrpcStatus.INTERNAL, false, GrpcStatus.CANCELLED, false],
    [GrpcStatus.UNKNOWN, false, GrpcStatus.CANCELLED, false],
    [GrpcStatus.RESOURCE_EXHAUSTED, false, GrpcStatus.CANCELLED, false],
    [GrpcStatus.DEADLINE_EXCEEDED, false, GrpcStatus.CANCELLED, false],
  ])('with status %d, never sent %p', async (status, neverSent, told, toldNeverSent) => {
    const asked = [new Asked(1), new Asked(2)];
    await turn();
    opener.last().close({ status, neverSent });
    for (const { failures } of asked) {
      expect(failures).toMatchObject([{ status: told, neverSent: toldNeverSent }]);
    }
    expect(refused).toHaveLength(0);
  });

  const UNSEEN = { status: GrpcStatus.UNAVAILABLE, neverSent: true };

  test('unseen: what was given to it goes on the next one once, ahead of what waits', async () => {
    const answered = new Asked(1);
    opener.goesOn = false;
    const given = new Asked(2);
    await turn();
    const waits = new Asked(3);
    await turn();
    expect(numbers(opener.last())).toEqual([1, 2]);
    opener.goesOn = true;
    opener.last().close(UNSEEN);
    await turn();
    expect(numbers(opener.last())).toEqual([1, 2, 3]);
    answer(opener.last(), [{ sessionId: 's', clientSeqId: 1 }]);
    expect([answered, given, waits].map(({ outcomes }) => outcomes)).toEqual([1, 0, 0]);
    opener.last().close(UNSEEN);
    // One was refused twice: those behind it fail with it, for they must not stay where it leaves.
    for (const { failures } of [given, waits]) expect(failures).toMatchObject([UNSEEN]);
    await turn();
    expect([opener.streams.length, answered.outcomes]).toEqual([2, 1]);
  });

  test('unseen: what waits for the next one keeps its deadline, and can be taken back', async () => {
    const late = new Asked(1, 's', 50);
    const withdrawn = new Asked(2);
    await turn();
    opener.connected = false;
    opener.last().close(UNSEEN);
    await turn();
    expect(opener.last().written).toHaveLength(0);
    clock.advance(60);
    expect(late.failures).toMatchObject([
      { status: GrpcStatus.DEADLINE_EXCEEDED, neverSent: true },
    ]);
    expect(withdrawn.handle.withdraw?.()).toBe(true);
    opener.last().connected = true;
    opener.last().observer.onConnected?.();
    await turn();
    expect([opener.last().written.length, withdrawn.outcomes]).toEqual([0, 0]);
  });

  test('unseen because it was closed by this side: it fails, and nothing is opened', async () => {
    const asked = new Asked(1);
    await turn();
    stream.close();
    opener.last().close(UNSEEN);
    expect(asked.failures).toMatchObject([UNSEEN]);
    await turn();
    expect(opener.streams).toHaveLength(1);
  });

  test('what waits for the upstream to read goes on the next one, what was sent is lost', async () => {
    const sent = new Asked(1);
    await turn();
    const peer = opener.last();
    answer(peer, []);
    peer.goesOn = false;
    const full = new Asked(2);
    await turn();
    const waits = new Asked(3);
    await turn();
    expect(numbers(peer)).toEqual([1, 2]);
    peer.close({ status: GrpcStatus.UNAVAILABLE });
    expect([sent, full].map(({ failures }) => failures[0]?.neverSent)).toEqual([false, false]);
    await turn();
    expect(waits.outcomes).toBe(0);
    expect(numbers(opener.last())).toEqual([3]);
  });

  test('unanswered and by itself, again and again: it is not opened anew at once', async () => {
    new Asked(1);
    await turn();
    opener.last().close({ status: GrpcStatus.INTERNAL });
    const meanwhile = new Asked(2);
    await turn();
    expect(opener.streams).toHaveLength(1);
    expect(meanwhile.failures).toMatchObject([{ neverSent: true }]);
    clock.advance(300);
    new Asked(3);
    await turn();
    expect(opener.streams).toHaveLength(2);
  });

  test('unanswered, in good order and without a word: what is not sent then says why', async () => {
    const sent = new Asked(1);
    await turn();
    opener.last().close({ status: GrpcStatus.OK, message: '' });
    const meanwhile = new Asked(2);
    await turn();
    const message = 'the upstream ended the stream without an answer';
    expect([sent.failures, meanwhile.failures]).toMatchObject([[{ message }], [{ message }]]);
  });

  test('with UNIMPLEMENTED before any answer: nothing was executed, all goes another way, in order', async () => {
    const asked = [new Asked(1), new Asked(2)];
    await turn();
    opener.last().goesOn = false;
    const waits = new Asked(3);
    await turn();
    const later = new Asked(4);
    opener.last().close({ status: GrpcStatus.UNIMPLEMENTED, message: 'unknown method' });
    expect(refused.map(({ observer }) => observer)).toEqual([...asked, waits, later]);
    expect(refused.every(({ settled }) => !settled)).toBe(true);
  });

  test('with UNIMPLEMENTED after an answer: who knows what was executed', async () => {
    new Asked(1);
    const asked = new Asked(2);
    await turn();
    answer(opener.last(), [{ sessionId: 's', clientSeqId: 1 }]);
    opener.last().close({ status: GrpcStatus.UNIMPLEMENTED });
    expect(refused).toHaveLength(0);
    expect(asked.failures).toMatchObject([{ neverSent: false }]);
  });
});

describe('an upstream that goes away', () => {
  test('answers what it has and gets no more; then its stream is ended', async () => {
    const asked = new Asked(1);
    await turn();
    const peer = opener.last();
    answer(peer, [], true);
    expect(peer.ended).toBe(false);
    const elsewhere = new Asked(2);
    await turn();
    expect(elsewhere.failures).toMatchObject([{ neverSent: true }]);
    answer(peer, [{ sessionId: 's', clientSeqId: 1 }]);
    expect([asked.answers.length, peer.ended]).toEqual([1, true]);
    peer.close();
    expect(stream.open).toBe(0);
    clock.advance(300);
    new Asked(3);
    await turn();
    expect(numbers(opener.last())).toEqual([3]);
  });

  test('is told what nobody waits for any more; with the last of it the stream is ended', async () => {
    new Asked(1, 's', 50);
    await turn();
    answer(opener.last(), [], true);
    expect(opener.last().ended).toBe(false);
    clock.advance(60);
    await turn();
    expect(batches(opener.last()).at(-1)).toMatchObject({
      cancelled: [{ sessionId: 's', clientSeqId: 1 }],
    });
    expect(opener.last().ended).toBe(true);
  });

  test('by GOAWAY: the next request opens a new stream at once', async () => {
    const asked = new Asked(1);
    await turn();
    const peer = opener.last();
    peer.observer.onLeaving?.();
    new Asked(2);
    await turn();
    expect(numbers(opener.last())).toEqual([2]);
    expect(stream.open).toBe(2);
    answer(peer, [{ sessionId: 's', clientSeqId: 1 }]);
    expect([asked.answers.length, peer.ended]).toEqual([1, true]);
  });

  /** A peer that has the first request and reads no further; the second waits for it. */
  const halted = async (): Promise<{ peer: FakeStream; waits: Asked }> => {
    opener.goesOn = false;
    new Asked(1);
    await turn();
    const waits = new Asked(2);
    await turn();
    expect(numbers(opener.last())).toEqual([1]);
    opener.goesOn = true;
    return { peer: opener.last(), waits };
  };

  test('by GOAWAY while it does not read: what waits goes on a new stream, without another request', async () => {
    const { peer, waits } = await halted();
    peer.observer.onLeaving?.();
    await turn();
    expect(opener.streams).toHaveLength(2);
    expect(numbers(opener.last())).toEqual([2]);
    answer(opener.last(), [{ sessionId: 's', clientSeqId: 2 }]);
    expect(waits.answers).toHaveLength(1);
  });

  test('for good while it does not read: what waits is told at once that it was never sent', async () => {
    const { peer, waits } = await halted();
    answer(peer, [], true);
    await turn();
    expect(waits.failures).toMatchObject([{ neverSent: true }]);
  });
});

describe('an upstream that is not connected yet', () => {
  beforeEach(() => {
    opener.connected = false;
  });

  test('gets nothing whose time is up meanwhile: that was never sent, and may go to another', async () => {
    const impatient = new Asked(1, 's', 50);
    const patient = new Asked(2);
    await turn();
    clock.advance(60);
    expect(impatient.failures).toMatchObject([
      { status: GrpcStatus.DEADLINE_EXCEEDED, neverSent: true, busy: false },
    ]);
    expect(opener.last().written).toHaveLength(0);
    opener.last().observer.onConnected?.();
    expect(numbers(opener.last())).toEqual([2]);
    answer(opener.last(), [{ sessionId: 's', clientSeqId: 2 }]);
    expect(patient.answers).toHaveLength(1);
  });

  test('and never will be: what waits was never sent, and is told at once', async () => {
    const asked = [new Asked(1), new Asked(2)];
    await turn();
    opener.last().close({ status: GrpcStatus.UNAVAILABLE, neverSent: true });
    await turn();
    for (const { failures } of asked) {
      expect(failures).toMatchObject([{ status: GrpcStatus.UNAVAILABLE, neverSent: true }]);
    }
    expect(opener.streams).toHaveLength(1);
  });

  test('keeps no place for what met its deadline', async () => {
    for (let seq = 1; seq <= 10_000; seq++) new Asked(seq, 's', 50);
    clock.advance(60);
    const next = new Asked(20_000);
    await turn();
    opener.last().observer.onConnected?.();
    expect(numbers(opener.last())).toEqual([20_000]);
    expect(next.outcomes).toBe(0);
  });
});

describe('an upstream that does not read', () => {
  test('is busy, not gone, for what met its deadline meanwhile', async () => {
    opener.goesOn = false;
    new Asked(1);
    await turn();
    const waits = new Asked(2, 's', 50);
    await turn();
    clock.advance(60);
    expect(waits.failures).toMatchObject([
      { status: GrpcStatus.DEADLINE_EXCEEDED, neverSent: true, busy: true },
    ]);
  });

  test('halts the writer, who goes on in order when told', async () => {
    new Asked(1);
    await turn();
    const peer = opener.last();
    peer.goesOn = false;
    for (let seq = 2; seq <= 4; seq++) {
      new Asked(seq);
      await turn();
    }
    expect(numbers(peer)).toEqual([1, 2]);
    peer.goesOn = true;
    peer.observer.onDrain?.();
    expect(numbers(peer)).toEqual([1, 2, 3, 4]);
    expect(peer.written).toHaveLength(3);
  });

  test('lets so many wait and so many bytes; further ones are full', async () => {
    new Asked(1);
    await turn();
    const peer = opener.last();
    peer.goesOn = false;
    new Asked(2);
    await turn();
    for (let seq = 3; seq < 10_003; seq++) new Asked(seq);
    const many = new Asked(20_000);
    await turn();
    expect(many.failures).toMatchObject([{ full: true, neverSent: true }]);
    peer.goesOn = true;
    peer.observer.onDrain?.();
    peer.goesOn = false;
    new Asked(20_001);
    await turn();
    for (let seq = 0; seq < 64; seq++) new Asked(30_000 + seq, 's', 1_000, Buffer.alloc(1_048_576));
    const large = new Asked(40_000, 's', 1_000, Buffer.alloc(1_048_576));
    await turn();
    expect(large.failures).toMatchObject([{ full: true, neverSent: true }]);
  });
});

test('a closed ProcessStream ends its streams and takes nothing', async () => {
  const asked = new Asked(1);
  await turn();
  const waits = new Asked(2);
  stream.close();
  stream.close();
  await turn();
  expect(opener.last().cancelled).toBe(true);
  expect([asked.outcomes, waits.failures[0]?.neverSent]).toEqual([1, true]);
  const late = new Asked(3);
  expect(late.outcomes).toBe(0);
  await turn();
  expect(late.failures).toMatchObject([{ neverSent: true }]);
  expect(opener.streams).toHaveLength(1);
});
