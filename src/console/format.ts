/** What stands where nothing is known. */
export const UNKNOWN = '–';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A whole number, in groups of three: `12,345`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** A rate per second: with one decimal below ten, for there it matters. */
export function rate(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  return value > 0 && value < 9.95 ? value.toFixed(1) : count(value);
}

/** Milliseconds without their unit, with three figures: `0.084`, `1.24`, `12.4`, `1,240`. */
export function millis(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  if (value === 0) return '0';
  if (value < 0.9995) return value.toFixed(3);
  if (value < 9.995) return value.toFixed(2);
  return value < 99.95 ? value.toFixed(1) : count(value);
}

/** Bytes with their unit, in powers of 1024: `512 B`, `1.5 KiB`. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  let unit = 0;
  let rest = value;
  while (rest >= 1023.5 && unit < BYTE_UNITS.length - 1) {
    rest /= 1024;
    unit++;
  }
  const text = unit > 0 && rest < 9.95 ? rest.toFixed(1) : count(rest);
  return `${text} ${BYTE_UNITS[unit]}`;
}

/** A span of seconds in its two largest units: `7 s`, `3 min 5 s`, `2 d 4 h`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return two(whole, MINUTE, 'min', 1, 's');
  if (whole < DAY) return two(whole, HOUR, 'h', MINUTE, 'min');
  return two(whole, DAY, 'd', HOUR, 'h');
}

function two(whole: number, large: number, first: string, small: number, second: string): string {
  const rest = Math.floor((whole % large) / small);
  const head = `${Math.floor(whole / large)} ${first}`;
  return rest === 0 ? head : `${head} ${rest} ${second}`;
}

/** A share of one as a percentage: `34 %`. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Cores of CPU: `0.34`. */
export function cores(value: number | null | undefined): string {
  return value === null || value === undefined ? UNKNOWN : value.toFixed(2);
}
