/** What one batch may hold: of items that are larger by themselves, one. */
export interface BatchLimits {
  readonly bytes: number;
  readonly count?: number;
}

/** Cuts items into batches, in order, each as large as the limits let it be. */
export function* inBatches<Item>(
  items: Iterable<Item>,
  sizeOf: (item: Item) => number,
  { bytes: mostBytes, count: most = Infinity }: BatchLimits,
): IterableIterator<Item[]> {
  let batch: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = sizeOf(item);
    if (batch.length === most || (batch.length > 0 && bytes + size > mostBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
