const MAX_MSG_ID = 2 ** 32 - 1;

/** Unique msg_ids: 1 to 2^32 - 1, then around again past those still in use; 0 marks pushes. */
export class MsgIds {
  private last = 0;

  constructor(private readonly inUse: (id: number) => boolean) {}

  /** The id that was given last, 0 before the first. */
  get latest(): number {
    return this.last;
  }

  /** The next id is this one, or 1 where that is not a valid one. */
  goOnFrom(id: number): void {
    this.last = id >= 1 && id <= MAX_MSG_ID ? id - 1 : 0;
  }

  next(): number {
    do {
      this.last = this.last === MAX_MSG_ID ? 1 : this.last + 1;
    } while (this.inUse(this.last));
    return this.last;
  }
}
