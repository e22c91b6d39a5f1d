import { describe, expect, it } from '@jest/globals';
import { CallBook } from '../../../src/routing/call-book.js';
import type { BookedCall } from '../../../src/routing/call-book.js';

/** A call that leaves its book when it is cancelled, as real ones do. */
class Call implements BookedCall {
  place = -1;
  cancelled = 0;

  constructor(private readonly book: CallBook) {}

  cancel(): void {
    this.cancelled++;
    this.book.remove(this);
  }
}

describe('CallBook', () => {
  it('knows who is in it, whoever leaves first', () => {
    const book = new CallBook();
    const calls = Array.from({ length: 5 }, () => new Call(book));
    for (const call of calls) book.add(call);
    const [first, second, third, fourth, last] = calls as [Call, Call, Call, Call, Call];

    for (const call of [second, last, first]) book.remove(call);

    expect(book.size).toBe(2);
    book.cancelAll();
    expect(calls.map(({ cancelled }) => cancelled)).toEqual([0, 0, 1, 1, 0]);
    expect([third.place, fourth.place, book.size]).toEqual([-1, -1, 0]);
  });

  it('enters a call once, and forgets it once', () => {
    const book = new CallBook();
    const call = new Call(book);
    book.add(call);
    book.add(call);
    expect(book.size).toBe(1);
    book.remove(call);
    book.remove(call);
    expect(book.size).toBe(0);
  });

  it('leaves the calls of another book alone', () => {
    const [mine, theirs] = [new CallBook(), new CallBook()];
    const [call, other] = [new Call(mine), new Call(theirs)];
    mine.add(call);
    theirs.add(other);

    mine.remove(other);

    expect([mine.size, theirs.size]).toEqual([1, 1]);
  });
});
