import { z } from 'zod';
import { parseAddress } from '../base/address.js';
import { Networks } from '../base/networks.js';
import { formatDuration, parseDuration } from './duration.js';
import { formatSize, parseSize } from './size.js';

/** Where something listens or is called; host '' means every interface. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * One key of the configuration. Every source (YAML, environment, flag) gives it as text, so that a
 * value means the same wherever it stands.
 */
export class Leaf<T> {
  /** A reload takes over its changes; those of other keys wait for a restart. */
  isReloaded = false;

  constructor(
    readonly schema: z.ZodType<T>,
    /** What may be written, for the reference: `duration`, `address`, `refuse or close`. */
    readonly kind: string,
    /** The text that holds when no source names the key; null when it follows from other keys. */
    readonly fallback: string | null,
    readonly description: string,
    /** How a default that follows from other keys is described. */
    readonly follows: string = '',
    /** Never printed. */
    readonly secret = false,
  ) {}

  /** The same key, with a default that follows from other keys (src/config/derive.ts). */
  following(rule: string): Leaf<T | undefined> {
    return new Leaf(this.schema.optional(), this.kind, null, this.description, rule, this.secret);
  }

  /** Marks the key as one whose changes a reload takes over. */
  reloaded(): this {
    this.isReloaded = true;
    return this;
  }
}

/** A key whose value is a list of maps in YAML; its text is the same as JSON. */
export class StructuredLeaf<T> extends Leaf<T> {}

interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** Milliseconds in a Config; at most what a timer of the platform can wait. */
export function duration(fallback: string, description: string, range: Range = {}): Leaf<number> {
  const schema = quantity(
    parseDuration,
    formatDuration,
    'a duration such as 5m, 200ms or 1h30m',
    range.min ?? 0,
    range.max ?? 2 ** 31 - 1,
  );
  return new Leaf(schema, 'duration', fallback, description);
}

/** Bytes in a Config. */
export function size(fallback: string, description: string, range: Range = {}): Leaf<number> {
  const most = range.max ?? 2 ** 40;
  const schema = quantity(parseSize, formatSize, 'a size such as 64KiB', range.min ?? 0, most);
  return new Leaf(schema, 'size', fallback, description);
}

export function count(fallback: string, description: string, range: Range = {}): Leaf<number> {
  const most = range.max ?? 1_000_000_000;
  const schema = quantity(parseCount, String, 'a whole number', range.min ?? 0, most);
  return new Leaf(schema, 'number', fallback, description);
}

/** A count, or up to 1 a share of one: `800`, `0.8`. */
export function threshold(description: string): Leaf<number> {
  const parse = (text: string) =>
    /^(?:0?\.\d{1,6}|1\.0{0,6})$/.test(text) ? Number(text) : parseCount(text);
  const schema = quantity(parse, String, 'a number such as 800, or a share such as 0.8', 0, 1e9);
  return new Leaf(schema, 'number or share', '0.8', description);
}

export function flag(fallback: 'true' | 'false', description: string): Leaf<boolean> {
  const meaning = new Map(
    ['true', 'yes', 'on', '1', 'false', 'no', 'off', '0'].map((word, at) => [word, at < 4]),
  );
  const schema = fromText((text) => meaning.get(text.toLowerCase()) ?? null, 'true or false');
  return new Leaf(schema, 'true or false', fallback, description);
}

/** One of some words, in capitals or not: YAML's `True` is `true`. */
export function choice<const T extends string>(
  fallback: T,
  options: readonly T[],
  description: string,
): Leaf<T> {
  const kind = options.join(', ').replace(/, ([^,]*)$/, ' or $1');
  const meaning = new Map(options.map((option) => [option.toLowerCase(), option]));
  const schema = fromText((text) => meaning.get(text.toLowerCase()) ?? null, kind);
  return new Leaf(schema, kind, fallback, description);
}

/** An address to listen on. */
export function listenAddress(fallback: string, description: string): Leaf<Address> {
  const schema = fromText(parseAddress, 'an address such as :8453 or 127.0.0.1:8453');
  return new Leaf(schema, 'address', fallback, description);
}

/** An address to listen on, or `off`, which is null. */
export function optionalListenAddress(fallback: string, description: string): Leaf<Address | null> {
  const wanted = 'an address such as :8080 or 127.0.0.1:8080, or off';
  const schema = offOr(listenAddress('', '').schema, wanted);
  return new Leaf(schema, 'address or off', fallback, description);
}

/** An address that others are told, so with its host; empty is null. */
export function publicAddress(description: string): Leaf<Address | null> {
  const parse = (text: string) => {
    const address = parseDialled(text);
    return address === null || address.host === '' ? null : address;
  };
  const schema = emptyOr(fromText(parse, 'an address with host and port such as 10.0.0.2:8453'));
  return new Leaf(schema, 'host:port', '', description);
}

/** Whom an address without host is, as a Go program would dial it. */
const THIS_MACHINE = '127.0.0.1';

/** An address to call, without host one of this machine; empty is null. */
export function dialAddress(description: string): Leaf<Address | null> {
  const parse = (text: string) => {
    const address = parseDialled(text);
    return address?.host === '' ? { host: THIS_MACHINE, port: address.port } : address;
  };
  const wanted = 'an address such as 10.0.0.2:8093, or :8093 for this machine';
  return new Leaf(emptyOr(fromText(parse, wanted)), 'host:port or :port', '', description);
}

function parseDialled(text: string): Address | null {
  const address = parseAddress(text);
  return address?.port === 0 ? null : address;
}

/** A text of at most 1024 characters; empty is null. */
export function text(description: string, secret = false): Leaf<string | null> {
  return new Leaf(emptyOr(z.string().max(1024)), 'text', '', description, '', secret);
}

/** The path of a file, relative to the working directory; empty is null. */
export function file(description: string): Leaf<string | null> {
  return new Leaf(emptyOr(z.string().max(4096)), 'file', '', description);
}

/** The path of a file, or `off`, which is null. */
export function optionalFile(description: string): Leaf<string | null> {
  return new Leaf(
    offOr(z.string().min(1).max(4096), 'a file, or off'),
    'file or off',
    '',
    description,
  );
}

/** Entries separated by commas, or a YAML list (which the loader joins). */
export function list(description: string, entry: RegExp, wanted: string): Leaf<readonly string[]> {
  const parse = (joined: string) => {
    const entries = joined.split(',').map((part) => part.trim());
    const named = entries.filter((part) => part !== '');
    return named.every((part) => entry.test(part)) ? (named as readonly string[]) : null;
  };
  return new Leaf(fromText(parse, wanted), 'list', '', description);
}

/** IP networks or addresses, separated by commas, or a YAML list. */
export function networks(description: string): Leaf<readonly string[]> {
  const wanted = 'networks such as 10.0.0.0/8, separated by commas';
  const { schema } = list('', /^[0-9a-fA-F.:]+(?:\/\d{1,3})?$/, wanted);
  const known = schema.refine(areNetworks, { message: `must be ${wanted}` });
  return new Leaf(known, 'list', '', description);
}

function areNetworks(entries: readonly string[]): boolean {
  try {
    return new Networks('', entries) instanceof Networks;
  } catch {
    return false;
  }
}

function parseCount(text: string): number | null {
  const plain = /^\d[\d_]{0,14}$/.test(text) ? Number(text.replaceAll('_', '')) : null;
  return plain;
}

function fromText<T>(parse: (text: string) => T | null, wanted: string): z.ZodType<T> {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue({ code: 'custom', message: `must be ${wanted}` });
    return z.NEVER;
  }) as unknown as z.ZodType<T>;
}

function quantity(
  parse: (text: string) => number | null,
  format: (value: number) => string,
  wanted: string,
  min: number,
  max: number,
): z.ZodType<number> {
  return fromText(parse, wanted).refine((value) => value >= min && value <= max, {
    message: `must be between ${format(min)} and ${format(max)}`,
  });
}

function emptyOr<T>(schema: z.ZodType<T>): z.ZodType<T | null> {
  return z.union([z.literal('').transform(() => null), schema]);
}

function offOr<T>(schema: z.ZodType<T>, wanted: string): z.ZodType<T | null> {
  return fromText((text) => {
    if (text.toLowerCase() === 'off') return { value: null };
    const parsed = schema.safeParse(text);
    return parsed.success ? { value: parsed.data } : null;
  }, wanted).transform(({ value }) => value) as unknown as z.ZodType<T | null>;
}
