/** Slots of the first table; a power of two. */
const FIRST_CAPACITY = 8;

/** A table above this is let go of when it is empty: a burst must not cost memory for good. */
const KEPT_CAPACITY = 16;

/** 2^32 divided by the golden ratio: multiplying by it spreads numbers that follow each other. */
const GOLDEN = 0x9e3779b1;

/**
 * Values by whole number, for what comes and goes with every request. Like Map, but for the order. V8 gives a
 * Map from which something was deleted a new table every few steps, and the old one refers to the new one: once
 * one of them is in old space, all that was in any later one stays until a full collection, and every
 * collection of young objects copies it. This one keeps its table (linear probing, at most half full).
 */
export class NumberMap<V extends object | symbol> {
  private keys: number[] = [];
  private items: (V | undefined)[] = [];
  private shift = 32;
  private count = 0;

  get size(): number {
    return this.count;
  }

  get(key: number): V | undefined {
    const { items, keys } = this;
    const mask = items.length - 1;
    if (mask < 0) return undefined;
    for (let slot = this.home(key); ; slot = (slot + 1) & mask) {
      const item = items[slot];
      if (item === undefined || keys[slot] === key) return item;
    }
  }

  has(key: number): boolean {
    return this.get(key) !== undefined;
  }

  set(key: number, value: V): void {
    if (this.count * 2 >= this.items.length) this.grow();
    const { items, keys } = this;
    const mask = items.length - 1;
    let slot = this.home(key);
    while (items[slot] !== undefined && keys[slot] !== key) slot = (slot + 1) & mask;
    if (items[slot] === undefined) this.count++;
    keys[slot] = key;
    items[slot] = value;
  }

  /** Whether it was there. */
  delete(key: number): boolean {
    const { items, keys } = this;
    const mask = items.length - 1;
    if (mask < 0) return false;
    let hole = this.home(key);
    for (; keys[hole] !== key || items[hole] === undefined; hole = (hole + 1) & mask) {
      if (items[hole] === undefined) return false;
    }
    this.fill(hole);
    if (--this.count === 0 && mask >= KEPT_CAPACITY) this.letGo();
    return true;
  }

  /** All values, in no order. What is put in or taken out meanwhile may be among them or not. */
  *values(): IterableIterator<V> {
    for (const item of this.items) if (item !== undefined) yield item;
  }

  private home(key: number): number {
    return Math.imul(key ^ (key / 0x1_0000_0000), GOLDEN) >>> this.shift;
  }

  /** Moves up those behind the hole that probing would not find any more. */
  private fill(hole: number): void {
    const { items, keys } = this;
    const mask = items.length - 1;
    for (let next = (hole + 1) & mask; items[next] !== undefined; next = (next + 1) & mask) {
      const key = keys[next] as number;
      const stays = ((next - this.home(key)) & mask) < ((next - hole) & mask);
      if (stays) continue;
      keys[hole] = key;
      items[hole] = items[next];
      hole = next;
    }
    items[hole] = undefined;
  }

  private grow(): void {
    const { items, keys } = this;
    const capacity = Math.max(FIRST_CAPACITY, items.length * 2);
    this.keys = new Array<number>(capacity).fill(0);
    this.items = new Array<V | undefined>(capacity).fill(undefined);
    this.shift = Math.clz32(capacity) + 1;
    this.count = 0;
    for (let slot = 0; slot < items.length; slot++) {
      const item = items[slot];
      if (item !== undefined) this.set(keys[slot] as number, item);
    }
  }

  private letGo(): void {
    this.keys = [];
    this.items = [];
    this.shift = 32;
  }
}
