const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1_000,
  KiB: 1024,
  MB: 1_000_000,
  MiB: 1024 ** 2,
  GB: 1_000_000_000,
  GiB: 1024 ** 3,
};

/**
 * Reads a size: `64KiB`, `4 MiB`, `1GB` or plain bytes.
 * @returns bytes, or null where it is no size.
 */
export function parseSize(text: string): number | null {
  const match = /^(\d{1,15}(?:\.\d{1,6})?) ?(B|KB|KiB|MB|MiB|GB|GiB)?$/.exec(text);
  if (match === null) return null;
  const bytes = Math.round(Number(match[1]) * (BYTES_PER_UNIT[match[2] ?? ''] ?? NaN));
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Writes bytes in the largest binary unit that divides them: 65536 is `64KiB`. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB']) {
    const size = BYTES_PER_UNIT[unit] ?? 1;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}
