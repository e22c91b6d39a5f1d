import { randomFillSync } from 'node:crypto';

/** One call to the system costs some 10 us however few bytes it is asked for, so it serves this many draws. */
const DRAWS_PER_CALL = 512;

/** Unpredictable bytes for ids, so many at a time. */
export class RandomDraws {
  private readonly pool: Buffer;
  private used: number;

  /** @param bytes of each draw. */
  constructor(private readonly bytes: number) {
    this.pool = Buffer.allocUnsafeSlow(bytes * DRAWS_PER_CALL);
    this.used = this.pool.length;
  }

  /** The next bytes, given out once; the buffer is the caller's. */
  next(): Buffer {
    if (this.used === this.pool.length) {
      randomFillSync(this.pool);
      this.used = 0;
    }
    const drawn = Buffer.from(this.pool.subarray(this.used, this.used + this.bytes));
    this.used += this.bytes;
    return drawn;
  }
}
