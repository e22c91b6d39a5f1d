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
});
