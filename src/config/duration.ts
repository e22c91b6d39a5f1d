const MS_PER_UNIT: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  // The Greek letter, which looks the same and which Go takes too.
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Longest text of units that is looked at; nothing sensible is longer. */
const MAX_TEXT = 64;

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|[µμ]s|ms|s|m|h)/g;
const WHOLE = new RegExp(`^\\+?(?:${PART.source})+$`);

/**
 * Reads a duration as Go's time.ParseDuration writes it: `5m`, `200ms`, `1h30m`, `1.5s`, `.5s`, `+5s`, `0`.
 * @returns whole milliseconds, rounded; null where it is no duration or is negative.
 */
export function parseDuration(text: string): number | null {
  if (text === '0' || text === '+0') return 0;
  if (text.length > MAX_TEXT || !WHOLE.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(PART)) {
    total += Number(amount) * (MS_PER_UNIT[unit ?? ''] ?? NaN);
  }
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : null;
}

/** Writes milliseconds as Go would read them, in the largest units: 90_000 is `1m30s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  let rest = ms;
  let text = '';
  for (const unit of ['h', 'm', 's', 'ms']) {
    const size = MS_PER_UNIT[unit] ?? 1;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}
