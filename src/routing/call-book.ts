/** A call that a book has an entry for. */
export interface BookedCall {
  /** Owned by the book: where it is entered, -1 where it is not. */
  place: number;
  cancel(): void;
}

/** The calls under way to one instance, so that stop can end them; in no order, and nothing is allocated for one. */
export class CallBook {
  private readonly calls: BookedCall[] = [];

  get size(): number {
    return this.calls.length;
  }

  /** A call that is entered already stays where it is. */
  add(call: BookedCall): void {
    if (call.place !== -1) return;
    call.place = this.calls.length;
    this.calls.push(call);
  }

  /** A call of another book, or of none, is left alone. */
  remove(call: BookedCall): void {
    const { calls } = this;
    const { place } = call;
    if (calls[place] !== call) return;
    const last = calls.pop() as BookedCall;
    if (last !== call) {
      calls[place] = last;
      last.place = place;
    }
    call.place = -1;
  }

  /** Ends all of them; each leaves the book when it is told. */
  cancelAll(): void {
    for (const call of [...this.calls]) call.cancel();
  }
}
