import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  ProcessBatchWriter,
  ProcessResultsWriter,
  readProcessResults,
} from '../../src/wire/process-batch.js';
import {
  ProcessBatch,
  ProcessResults,
  UpstreamRequest,
  UpstreamResponse,
  decodeMessage,
  encodeMessage,
} from '../../src/wire/messages.js';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const keys = fc.record({ sessionId: text, clientSeqId: fc.maxSafeNat() });

function results(bytes: Uint8Array) {
  const told: { sessionId: string; clientSeqId: number; response: Uint8Array }[] = [];
  let unreadable = 0;
  const draining = readProcessResults(bytes, {
    onResult: (sessionId, clientSeqId, response) =>
      void told.push({ sessionId, clientSeqId, response }),
    onUnreadable: () => void unreadable++,
  });
  return { told, unreadable, draining };
}

describe('the messages of ProcessStream', () => {
  test('a batch of encoded requests is the ProcessBatch that any protobuf library reads', () => {
    const request = fc.record({
      sessionId: text,
      clientSeqId: fc.maxSafeNat(),
      data: fc.uint8Array({ maxLength: 300 }),
    });
    const sent = fc.tuple(request, fc.integer({ min: 1, max: 2 ** 32 - 1 }));
    fc.assert(
      fc.property(fc.array(sent), fc.array(keys), (requests, cancelled) => {
        const writer = new ProcessBatchWriter();
        for (const [each, timeout] of requests) {
          writer.add(encodeMessage(UpstreamRequest, each), timeout);
        }
        for (const key of cancelled) writer.cancel(key);
        const batch = decodeMessage(ProcessBatch, writer.take());
        expect(batch.requests).toHaveLength(requests.length);
        batch.requests.forEach((each, index) => {
          const [wanted, timeoutMs] = requests[index] ?? [];
          expect(each).toMatchObject({
            ...wanted,
            data: Buffer.from(wanted?.data ?? []),
            timeoutMs,
          });
        });
        expect(batch.cancelled).toMatchObject(cancelled);
        expect([writer.empty, writer.bytes]).toEqual([true, 0]);
      }),
    );
  });

  test('results are read with their keys, whoever wrote them', () => {
    const response = fc.record({
      code: fc.nat(),
      message: text,
      data: fc.uint8Array({ maxLength: 300 }),
      clientSeqId: fc.maxSafeNat(),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(response, text)), fc.boolean(), (answers, draining) => {
        const writer = new ProcessResultsWriter();
        for (const [each, sessionId] of answers) {
          writer.add(encodeMessage(UpstreamResponse, each), sessionId);
        }
        const ours = results(writer.take());
        const responses = answers.map(([each, sessionId]) => ({ ...each, sessionId }));
        const theirs = results(encodeMessage(ProcessResults, { responses, draining }));
        expect(theirs.draining).toBe(draining);
        for (const { told, unreadable } of [ours, theirs]) {
          expect(unreadable).toBe(0);
          expect(
            told.map(({ response: bytes }) => decodeMessage(UpstreamResponse, bytes)),
          ).toMatchObject(responses.map((each) => ({ ...each, data: Buffer.from(each.data) })));
          expect(told.map(({ sessionId, clientSeqId }) => ({ sessionId, clientSeqId }))).toEqual(
            responses.map(({ sessionId, clientSeqId }) => ({ sessionId, clientSeqId })),
          );
        }
      }),
    );
  });

  test('any bytes are read or refused, and never told beyond their end', () => {
    const noise = fc.uint8Array({ maxLength: 200 });
    const cut = fc
      .tuple(fc.array(keys, { maxLength: 5 }), fc.nat(200), noise)
      .map(([responses, at, tail]) =>
        Buffer.concat([encodeMessage(ProcessResults, { responses }).subarray(0, at), tail]),
      );
    fc.assert(
      fc.property(fc.oneof(noise, cut), (bytes) => {
        try {
          const { told } = results(bytes);
          const total = told.reduce((sum, { response }) => sum + response.length, 0);
          expect(total).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
