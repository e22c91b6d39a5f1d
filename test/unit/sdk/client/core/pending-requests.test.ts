import { describe, expect, test } from '@jest/globals';
import type { SendResult } from '../../../../../src/link/link.js';
import type { Frame } from '../../../../../src/wire/frame-encoder.js';
import { ClientRequest, decodeMessage } from '../../../../../src/wire/messages.js';
import { MAX_FRAME_BYTES } from '../../../../../src/wire/limits.js';
import { PendingRequest } from '../../../../../src/sdk/client/core/pending-request.js';
import { PendingRequests } from '../../../../../src/sdk/client/core/pending-requests.js';

const limits = { maxInFlight: 3, maxQueued: 4, maxQueuedBytes: 2_000 };

function fixture() {
  const table = new PendingRequests(limits);
  const failures: string[] = [];
  const written: string[] = [];
  let result: SendResult = 'ok';
  const send = (frame: Frame): SendResult => {
    if (result === 'ok') {
      const { seqId, msgId } = decodeMessage(ClientRequest, frame.subarray(4));
      written.push(`${seqId}:${msgId}`);
    }
    return result;
  };
  const add = (msgId: number, payload = new Uint8Array(1)): PendingRequest => {
    const reject = (error: Error) => failures.push(`${msgId}:${(error as { code?: string }).code}`);
    const request = new PendingRequest(
      msgId,
      'a',
      payload,
      {},
      { resolve: () => undefined, reject },
    );
    table.add(request);
    return request;
  };
  return {
    table,
    failures,
    add,
    pump: () => {
      written.length = 0;
      table.pump(send);
      return [...written];
    },
    setResult: (next: SendResult) => (result = next),
  };
}

describe('PendingRequests', () => {
  test('numbers requests in order when they are written, up to the limit in flight', () => {
    const { table, add, pump } = fixture();
    for (const id of [11, 12, 13, 14]) add(id);
    expect(pump()).toEqual(['1:11', '2:12', '3:13']);
    expect([table.inFlight, table.queued]).toEqual([3, 1]);
    table.remove(table.find(12) as PendingRequest);
    expect(pump()).toEqual(['4:14']);
  });

  test('refuses beyond its bounds and counts back what leaves', () => {
    const { table, add, pump } = fixture();
    expect(() => add(1, new Uint8Array(MAX_FRAME_BYTES + 1))).toThrow(/largest frame/);
    const first = add(1, new Uint8Array(1_500));
    expect(() => add(2, new Uint8Array(600))).toThrow(/bytes of requests/);
    table.abandon(first);
    add(3, new Uint8Array(1_990));
    pump();
    for (const id of [4, 5, 6, 7, 8, 9]) {
      if (id < 8) add(id);
      else expect(() => add(id)).toThrow(/4 requests wait/);
    }
    expect(table.queued).toBe(4);
  });

  test('a full link keeps the request unnumbered until there is room', () => {
    const { table, add, pump, setResult } = fixture();
    setResult('full');
    add(1);
    expect(pump()).toEqual([]);
    expect([table.inFlight, table.queued]).toEqual([0, 1]);
    setResult('ok');
    expect(pump()).toEqual(['1:1']);
  });

  test('after a resume writes again from the expected number, the same seq_id and msg_id', () => {
    const { table, add, pump } = fixture();
    for (const id of [1, 2, 3]) add(id);
    pump();
    expect(table.resume(2)).toEqual([]);
    add(4);
    expect(pump()).toEqual(['2:2', '3:3']);
    table.remove(table.find(1) as PendingRequest);
    expect(pump()).toEqual(['4:4']);
  });

  test('a gateway that has seen no request gets all of them again', () => {
    const { table, add, pump } = fixture();
    add(1);
    add(2);
    pump();
    expect(table.resume(0)).toEqual([]);
    expect(pump()).toEqual(['1:1', '2:2']);
  });

  test('a request given up keeps its number while the gateway may have to be sent it', () => {
    const { table, add, pump } = fixture();
    const first = add(1);
    const second = add(2);
    add(3);
    pump();
    first.reject(new Error('timeout'));
    table.abandon(first);
    second.reject(new Error('timeout'));
    table.abandon(second);
    expect(table.inFlight).toBe(3);
    table.resume(2);
    // The gateway has seen 1, so nobody needs it; 2 must be written or 3 would be a gap.
    expect(table.find(1)).toBeUndefined();
    expect(pump()).toEqual(['2:2', '3:3']);
  });

  test('numbers that the gateway has forgotten are failed and the count goes on where it stands', () => {
    const { table, add, pump } = fixture();
    for (const id of [1, 2, 3]) add(id);
    pump();
    table.remove(table.find(1) as PendingRequest);
    table.remove(table.find(2) as PendingRequest);
    expect(table.resume(1).map(({ msgId }) => msgId)).toEqual([3]);
    add(4);
    expect(pump()).toEqual(['1:4']);
  });

  test('a gateway ahead of the client is believed', () => {
    const { table, add, pump } = fixture();
    table.resume(9);
    add(1);
    expect(pump()).toEqual(['9:1']);
  });

  test('a new incarnation starts over and gives back what was in flight, not what waits', () => {
    const { table, add, pump } = fixture();
    for (const id of [1, 2, 3, 4]) add(id);
    pump();
    expect(table.restart().map(({ msgId }) => msgId)).toEqual([1, 2, 3]);
    expect(pump()).toEqual(['1:4']);
  });

  test('a frame over the limit by its headers alone is rejected and consumes no number', () => {
    const { table, failures, pump, add } = fixture();
    const reject = (error: Error) => failures.push((error as unknown as { code: string }).code);
    const headers = { h: 'x'.repeat(MAX_FRAME_BYTES) };
    const outcome = { resolve: () => undefined, reject };
    table.add(new PendingRequest(1, 'a', new Uint8Array(1), headers, outcome));
    add(2);
    expect(pump()).toEqual(['1:2']);
    expect(failures).toEqual(['REQUEST_TOO_LARGE']);
  });

  test('a link that fills up while requests are written again goes on where it stopped', () => {
    const { table, add, pump, setResult } = fixture();
    for (const id of [1, 2, 3]) add(id);
    pump();
    table.resume(1);
    setResult('full');
    add(4);
    expect(pump()).toEqual([]);
    // Answered all the same: the former connection had carried it.
    table.remove(table.find(1) as PendingRequest);
    setResult('ok');
    expect(pump()).toEqual(['2:2', '3:3', '4:4']);
  });

  test('a request given up after the gateway has seen it makes room at once', () => {
    const { table, add, pump } = fixture();
    const [first, second] = [add(1), add(2)];
    pump();
    table.resume(2);
    for (const request of [first, second]) table.abandon(request);
    expect([table.find(1), table.find(2)]).toEqual([undefined, second]);
    expect(pump()).toEqual(['2:2']);
  });

  test('a request put off has no number until its new one', () => {
    const { table, add, pump } = fixture();
    const request = add(1);
    pump();
    table.remove(request);
    table.putOff(request, () => undefined);
    expect([request.sent, request.frame]).toEqual([false, null]);
    table.requeue(request);
    expect(pump()).toEqual(['2:1']);
  });

  test('what the gateway has forgotten is no longer in flight, also where it has seen a part', () => {
    const { table, add, pump } = fixture();
    for (const id of [1, 2, 3]) add(id);
    pump();
    table.remove(table.find(2) as PendingRequest);
    // 1 is seen and unanswered, 2 is answered but forgotten: 3 leads on from nothing.
    expect(table.resume(2).map(({ msgId }) => msgId)).toEqual([3]);
    expect([table.inFlight, table.uses(1), table.uses(3)]).toEqual([1, true, false]);
    add(4);
    expect(pump()).toEqual(['2:4']);
  });
});

describe('a request that the gateway will not take', () => {
  /** 1 is answered, 2 freed; 3 and 4 were written behind it, 5 waits. */
  function freed() {
    const all = fixture();
    for (const id of [1, 2, 3]) all.add(id);
    all.pump();
    all.table.remove(all.table.find(1) as PendingRequest);
    const fourth = all.add(4, new Uint8Array(1_000));
    all.pump();
    all.add(5);
    all.table.free(all.table.find(2) as PendingRequest);
    return { ...all, fourth };
  }

  test('leaves its number to the next; those behind it go first, in their order', () => {
    const { table, pump } = freed();
    expect(table.resume(2)).toEqual([]);
    expect([table.inFlight, table.queued]).toEqual([0, 3]);
    expect(pump()).toEqual(['2:3', '3:4', '4:5']);
    expect(table.uses(2)).toBe(false);
  });

  test('lets those behind it count as waiting again, in bytes too', () => {
    const { table, add, pump } = freed();
    table.resume(2);
    expect(() => add(6, new Uint8Array(1_000))).toThrow(/1002 bytes of requests/);
    pump();
    add(6, new Uint8Array(1_000));
  });

  test('and those behind it that were given up go nowhere', () => {
    const { table, fourth, pump } = freed();
    fourth.reject(new Error('timeout'));
    table.abandon(fourth);
    table.resume(2);
    expect(pump()).toEqual(['2:3', '3:5']);
  });

  test('is remembered for one resume: what the gateway forgets after that is failed', () => {
    const { table, pump } = freed();
    table.resume(2);
    pump();
    table.remove(table.find(3) as PendingRequest);
    expect(table.resume(2).map(({ msgId }) => msgId)).toEqual([4, 5]);
  });

  test('is forgotten with its session', () => {
    const { table, add, pump } = freed();
    table.restart();
    for (const id of [6, 7]) add(id);
    expect(pump()).toEqual(['1:5', '2:6', '3:7']);
    table.remove(table.find(6) as PendingRequest);
    expect(table.resume(2).map(({ msgId }) => msgId)).toEqual([7]);
  });
});

describe('the request by which a connection broke off', () => {
  /** 1 to 3 were written, the connection broke, and this much of them went again. */
  function brokenOff(nextClientSeq: number, again: number) {
    const all = fixture();
    for (const id of [1, 2, 3]) all.add(id);
    all.pump();
    all.table.resume(nextClientSeq);
    if (again > 0) all.pump();
    return all;
  }

  test('is the one that the gateway still expects after it went again', () => {
    const { table, pump } = brokenOff(2, 2);
    expect(table.freeUnreadable(2)?.msgId).toBe(2);
    expect(table.resume(2)).toEqual([]);
    expect(pump()).toEqual(['2:3']);
  });

  test('is the first where the gateway has seen none', () => {
    const { table } = brokenOff(0, 3);
    expect(table.freeUnreadable(0)?.msgId).toBe(1);
  });

  test.each([
    ['the gateway has taken it meanwhile', 2, 2, 3],
    ['it had not gone again', 2, 0, 2],
  ])('is none where %s', (_, expected, again, next) => {
    const { table } = brokenOff(expected, again);
    expect(table.freeUnreadable(next)).toBeNull();
    expect(table.inFlight).toBe(3);
  });
});
