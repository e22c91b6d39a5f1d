/** Numbers that name sessions in the journal; none is given twice, also over a restart. */
export class SessionHandles {
  private last = 0;

  next(): number {
    return ++this.last;
  }

  /** A restored session has this one; 0, in states of former versions, is none. */
  taken(handle: number): void {
    if (handle > this.last) this.last = handle;
  }
}
