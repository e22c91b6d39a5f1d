import { beforeEach, describe, expect, test } from '@jest/globals';
import type { CallFailure } from '../../../src/grpc/unary-caller.js';
import { GrpcStatus } from '../../../src/grpc/unary-caller.js';
import { PushStream } from '../../../src/sdk/upstream/push-stream.js';
import { PushStreamRequest, decodeMessage } from '../../../src/wire/messages.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeOpener } from '../../support/fake-streams.js';
import type { FakeStream } from '../../support/fake-streams.js';

const TIMEOUT_MS = 1_000;
const REFUSED = { status: GrpcStatus.RESOURCE_EXHAUSTED, neverSent: true };

let clock: FakeClock;
let opener: FakeOpener;
let pushes: PushStream;
let failures: CallFailure[];

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Pushes; what fails is kept. @param bytes that it is said to take. */
function push(content: string, bytes = 100): void {
  pushes.push({ targetId: 's', content }, bytes, {
    onResult: () => undefined,
    onFailure: (failure) => void failures.push(failure),
    onRefused: () => undefined,
  });
}

/** A gateway that took the call and reads nothing from now on. */
async function deafGateway(): Promise<FakeStream> {
  push('first');
  await turn();
  const stream = opener.last();
  stream.observer.onOpen?.();
  stream.goesOn = false;
  push('second');
  await turn();
  return stream;
}

/** What the gateway was sent. */
const contents = (stream: FakeStream): (string | null | undefined)[] =>
  stream.written.flatMap((bytes) =>
    decodeMessage(PushStreamRequest, bytes).pushes.map((each) => each.push?.content),
  );

beforeEach(() => {
  clock = new FakeClock();
  opener = new FakeOpener();
  failures = [];
  pushes = new PushStream(opener, clock, TIMEOUT_MS);
});

describe('pushes to a gateway that does not read', () => {
  test('are forgotten with their deadline, never sent, so that no more than 10,000 are kept', async () => {
    const stream = await deafGateway();
    clock.advance(TIMEOUT_MS);
    failures = [];
    for (let round = 1; round <= 3; round++) {
      for (let count = 0; count < 10_000; count++) push('waits');
      push('too many');
      await turn();
      expect(failures).toMatchObject([REFUSED]);
      clock.advance(TIMEOUT_MS);
      expect(failures).toHaveLength(10_001);
      expect(failures[1]).toMatchObject({ status: GrpcStatus.DEADLINE_EXCEEDED, neverSent: true });
      failures = [];
    }
    expect(pushes['unsent'].size).toBe(0);
    stream.goesOn = true;
    push('in time');
    stream.observer.onDrain?.();
    expect(contents(stream)).toEqual(['first', 'second', 'in time']);
  });

  test('are refused where they take too many bytes, until there is room', async () => {
    const stream = await deafGateway();
    clock.advance(TIMEOUT_MS);
    failures = [];
    for (let count = 0; count < 64; count++) push('large', 1_048_576);
    push('too large', 1);
    await turn();
    expect(failures).toMatchObject([REFUSED]);
    clock.advance(TIMEOUT_MS);
    failures = [];
    push('fits', 1_048_576);
    stream.goesOn = true;
    stream.observer.onDrain?.();
    expect(failures).toEqual([]);
    expect(contents(stream).at(-1)).toBe('fits');
  });
});
