const MAX_MSG_ID = 2 ** 32 - 1;

/** Unique msg_ids: 1 to 2^32 - 1, then around again past those still in use; 0 marks pushes. */
export class MsgIds {
  private last = 0;

  constructor(private readonly inUse: (id: number) => boolean) {}

  next(): number {
    do {
      this.last = this.last === MAX_MSG_ID ? 1 : this.last + 1;
    } while (this.inUse(this.last));
    return this.last;
  }
}
