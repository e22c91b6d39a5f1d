import { InvalidArgumentError } from 'commander';
import { parseAddress } from '../base/address.js';
import { parseDuration } from '../config/duration.js';

const MS_PER_SECOND = 1_000;
/** As in wire/limits, which commands do not load before they need it. */
const MAX_OPENID_BYTES = 128;

/** Readers of option values; each throws what commander prints as one line. */

/** `key=value`, repeatable. */
export function keyValue(
  text: string,
  before: Record<string, string> = {},
): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('write it as key=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** `host:port`, several by commas. */
export function hostPorts(text: string): readonly string[] {
  const addresses = text.split(',').map((address) => address.trim());
  if (addresses.every((address) => (parseAddress(address)?.host ?? '') !== '')) return addresses;
  throw new InvalidArgumentError('write each as host:port, separated by commas.');
}

/** One `host:port`. */
export function hostPort(text: string): string {
  const { host = '', port = 0 } = parseAddress(text) ?? {};
  if (host !== '' && port !== 0) return text;
  throw new InvalidArgumentError('write it as host:port.');
}

/** Who a client is, as START takes it. */
export function openid(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes >= 1 && bytes <= MAX_OPENID_BYTES) return text;
  throw new InvalidArgumentError(`give 1 to ${MAX_OPENID_BYTES} bytes of UTF-8.`);
}

/** A number of seconds, fractions allowed. */
export function seconds(text: string): number {
  const value = Number(text);
  if (text !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('give a number of seconds.');
}

/** Seconds, or a duration with its unit (`300ms`, `2m`), as ms. */
export function duration(text: string): number {
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * MS_PER_SECOND : parseDuration(text);
  if (ms !== null) return ms;
  throw new InvalidArgumentError('give seconds, or a duration such as 300ms or 2m.');
}

/** A reader of whole numbers in a range. */
export function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`give a whole number from ${min} to ${max}.`);
  };
}

/** The HTTP address of a gateway; http where it says nothing. */
export function httpUrl(text: string): URL {
  const whole = text.includes('://') ? text : `http://${text}`;
  if (/^https?:/.test(whole) && URL.canParse(whole)) return new URL(whole);
  throw new InvalidArgumentError('write it as http://host:port.');
}
