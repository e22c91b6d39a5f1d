import { StateRecord } from '../wire/messages.js';

/** A gateway that was away for more promotions than this is not told where its history ended. */
const MAX_PROMOTIONS = 32;

/** Where in a journal its last epochs began. */
export class Promotions {
  private readonly positions = new Map<number, number>();

  /** @param position of its first entry; of two that are told the lower counts. */
  note(epoch: number, position: number): void {
    this.positions.set(epoch, Math.min(position, this.positions.get(epoch) ?? position));
    for (const oldest of this.positions.keys()) {
      if (this.positions.size <= MAX_PROMOTIONS) return;
      this.positions.delete(oldest);
    }
  }

  /**
   * Where a history that ended in `epoch` is another one than this: from the first entry of the next
   * epoch on. Null where it was not left, or that is not known any more.
   */
  leftAfter(epoch: number): number | null {
    let first: number | null = null;
    for (const [later, position] of this.positions) {
      if (later > epoch && (first === null || position < first)) first = position;
    }
    return first;
  }

  clear(): void {
    this.positions.clear();
  }

  /** For a snapshot. */
  *records(): IterableIterator<StateRecord> {
    for (const [epoch, position] of this.positions) {
      yield new StateRecord({ promotion: { epoch, position } });
    }
  }

  /** Knows from now on what another one knows. */
  add(other: Promotions): void {
    for (const [epoch, position] of other.positions) this.note(epoch, position);
  }
}
