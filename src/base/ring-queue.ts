const FIRST_CAPACITY = 8;

/**
 * A first-in-first-out queue on a ring that grows by doubling: push, shift and peek are O(1) and
 * allocate nothing once the ring is large enough. An empty queue holds no array at all, for most
 * sessions never queue anything.
 */
export class RingQueue<T> {
  private items: (T | undefined)[] = [];
  private head = 0;
  private count = 0;

  get length(): number {
    return this.count;
  }

  push(item: T): void {
    if (this.count === this.items.length) this.grow();
    this.items[(this.head + this.count) & (this.items.length - 1)] = item;
    this.count++;
  }

  /** Takes the oldest item, or returns undefined when the queue is empty. */
  shift(): T | undefined {
    if (this.count === 0) return undefined;
    const item = this.items[this.head];
    this.items[this.head] = undefined;
    this.head = (this.head + 1) & (this.items.length - 1);
    this.count--;
    return item;
  }

  /** The item `index` places behind the oldest, or undefined when there is none. */
  at(index: number): T | undefined {
    if (index < 0 || index >= this.count) return undefined;
    return this.items[(this.head + index) & (this.items.length - 1)];
  }

  clear(): void {
    this.items = [];
    this.head = 0;
    this.count = 0;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let index = 0; index < this.count; index++) yield this.at(index) as T;
  }

  private grow(): void {
    const larger = new Array<T | undefined>(Math.max(FIRST_CAPACITY, this.items.length * 2));
    for (let index = 0; index < this.count; index++) larger[index] = this.at(index);
    this.items = larger;
    this.head = 0;
  }
}
