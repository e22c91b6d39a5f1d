import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RequestBook } from '../../../src/upstream/request-book.js';
import type { BookedRequest } from '../../../src/upstream/request-book.js';

function requestOf(sessionId: string, clientSeqId: number): BookedRequest {
  return { observer: { sessionId, clientSeqId }, entered: 0, nextAlike: null };
}

describe('a book of requests', () => {
  test('gives each back once, by session and number', () => {
    const book = new RequestBook<BookedRequest>();
    const [one, other] = [requestOf('a', 1), requestOf('b', 1)];
    expect([book.add(one), book.add(other), book.add(requestOf('a', 1))]).toEqual([
      true,
      true,
      false,
    ]);
    expect(book.size).toBe(2);
    expect([book.take('a', 2), book.take('c', 1)]).toEqual([null, null]);
    expect([book.take('a', 1), book.take('a', 1)]).toEqual([one, null]);
    expect([book.size, book.take('b', 1), book.size]).toEqual([1, other, 0]);
  });

  test('gives all back in the order in which they were entered', () => {
    const book = new RequestBook<BookedRequest>();
    const requests = Array.from({ length: 100 }, (_, index) => requestOf(`s${index % 7}`, index));
    for (const request of requests) book.add(request);
    expect(book.takeAll()).toEqual(requests);
    expect([book.size, book.takeAll()]).toEqual([0, []]);
    expect(book.add(requests[0] as BookedRequest)).toBe(true);
  });

  test('does what a Map of texts does, whatever hashes are alike', () => {
    // 32 bits of hash: some of these many keys share theirs.
    const book = new RequestBook<BookedRequest>();
    const keys = Array.from(
      { length: 200_000 },
      (_, index) => [`session ${index >> 4}`, index] as const,
    );
    for (const [sessionId, number] of keys) book.add(requestOf(sessionId, number));
    expect(book.size).toBe(keys.length);
    const wrong = keys.filter(
      ([sessionId, number]) => book.take(sessionId, number)?.observer.clientSeqId !== number,
    );
    expect([wrong, book.size]).toEqual([[], 0]);
  });

  test('any adding and taking is as in a Map of texts', () => {
    const key = fc.tuple(fc.constantFrom('a', 'b', 'ab', ''), fc.integer({ min: 0, max: 5 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), key)), (steps) => {
        const book = new RequestBook<BookedRequest>();
        const model = new Map<string, BookedRequest>();
        for (const [adds, [sessionId, number]] of steps) {
          const name = `${sessionId}/${number}`;
          if (adds) {
            const request = requestOf(sessionId, number);
            expect(book.add(request)).toBe(!model.has(name));
            if (!model.has(name)) model.set(name, request);
          } else {
            expect(book.take(sessionId, number)).toBe(model.get(name) ?? null);
            model.delete(name);
          }
          expect(book.size).toBe(model.size);
        }
        expect(book.takeAll()).toEqual([...model.values()]);
      }),
    );
  });
});
