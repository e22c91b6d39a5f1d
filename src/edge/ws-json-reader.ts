import { ErrorCode } from '../wire/error-catalogue.js';
import { MAX_MAP_ENTRIES } from '../wire/limits.js';
import { WsFault } from '../websocket/ws-fault.js';
import type { EnumNames, Field, Shape } from './ws-json-shapes.js';

/** A message as properties that a generated codec encodes. */
export type Properties = Record<string, unknown>;

type JsonObject = Readonly<Record<string, unknown>>;

const UINT32_MAX = 2 ** 32 - 1;
const INT32_MAX = 2 ** 31 - 1;
/** Highest doubles that 64 bits hold; the highest numbers of all are rounded to 1 above. */
const UINT64_MAX = 2 ** 64 - 2_048;
const INT64_MAX = 2 ** 63 - 1_024;
/** Longer than anybody writes a number of 64 bits, with a point or an exponent too. */
const MAX_NUMBER_CHARS = 64;

/** Longest piece of the peer's own text that a message repeats. */
const QUOTED_CHARS = 40;

/**
 * Reads a message from parsed JSON by the proto3 JSON mapping: both spellings of a name, 64-bit
 * numbers as text or number, base64 of either alphabet, enums as name or number, null as absent.
 * Numbers of 64 bits beyond 2^53 are rounded, as ClientReader does in binary. Unknown fields are refused: a misspelt one would
 * otherwise be silence.
 * @throws {WsFault} 400 that names the field.
 */
export function readMessage(shape: Shape, value: unknown, where: string): Properties {
  const message: Properties = {};
  for (const [name, given] of Object.entries(asObject(value, where))) {
    const field = shape.byName.get(name);
    if (field === undefined) throw refuse(where, `${shape.message} has no field ${quoted(name)}`);
    readField(message, field, given, where === '' ? name : `${where}.${name}`);
  }
  return message;
}

/** Reads one field into `message`; null leaves it absent. */
export function readField(message: Properties, field: Field, value: unknown, where: string): void {
  if (value === null) return;
  if (field.name in message) throw refuse(where, 'is given twice');
  message[field.name] = readValue(field, value, where);
}

/** @throws {WsFault} unless the value is a JSON object. */
export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw refuse(where, 'must be an object');
}

/** The refusal of a value at a place: `businessRequest.data: must be base64`. */
export function refuse(where: string, complaint: string): WsFault {
  return new WsFault(ErrorCode.BadFrame, where === '' ? complaint : `${where}: ${complaint}`);
}

/** The peer's own text, cut short, for a message to it. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > QUOTED_CHARS ? `${text.slice(0, QUOTED_CHARS)}...` : text);
}

function readValue({ type }: Field, value: unknown, where: string): unknown {
  switch (type) {
    case 'string':
      return readText(value, where);
    case 'bytes':
      return readBytes(value, where);
    case 'map':
      return readMap(value, where);
    case 'bool':
      if (typeof value === 'boolean') return value;
      throw refuse(where, 'must be true or false');
    case 'uint32':
      return readInteger(value, 0, UINT32_MAX, where);
    case 'int32':
      return readInteger(value, -INT32_MAX - 1, INT32_MAX, where);
    case 'uint64':
      return Math.min(readInteger(value, 0, 2 ** 64, where), UINT64_MAX);
    case 'int64':
      return Math.min(readInteger(value, -(2 ** 63), 2 ** 63, where), INT64_MAX);
    default:
      if ('names' in type) return readEnum(type.names, value, where);
      return readMessage(type.shape, value, where);
  }
}

function readText(value: unknown, where: string): string {
  if (typeof value !== 'string') throw refuse(where, 'must be a string');
  // Half of a surrogate pair has no UTF-8, and protobuf text is UTF-8.
  if (/\p{Surrogate}/u.test(value)) throw refuse(where, 'has half of a surrogate pair');
  return value;
}

function readBytes(value: unknown, where: string): Buffer {
  const match = typeof value === 'string' ? /^([\w+/-]*)={0,2}$/.exec(value) : null;
  const digits = match?.[1] ?? null;
  if (digits === null || digits.length % 4 === 1) throw refuse(where, 'must be base64');
  return Buffer.from(digits, 'base64');
}

function readMap(value: unknown, where: string): Record<string, string> {
  // Without a prototype, so that the key __proto__ is a key like any other.
  const map = Object.create(null) as Record<string, string>;
  const entries = Object.entries(asObject(value, where));
  if (entries.length > MAX_MAP_ENTRIES) {
    throw refuse(where, `has ${entries.length} entries, the limit is ${MAX_MAP_ENTRIES}`);
  }
  for (const [key, text] of entries) {
    map[readText(key, where)] = readText(text, `${where}[${quoted(key)}]`);
  }
  return map;
}

function readInteger(value: unknown, least: number, most: number, where: string): number {
  const number = typeof value === 'string' ? integerOf(value) : value;
  if (Number.isInteger(number) && (number as number) >= least && (number as number) <= most) {
    // Adding 0 turns -0, which JSON can say, into 0.
    return (number as number) + 0;
  }
  throw refuse(where, `must be an integer from ${least} to ${most}`);
}

/** What JSON calls a number (RFC 8259 section 6), where that is an integer: `12`, `12.0`, `1.2e1`; else NaN. */
function integerOf(text: string): number {
  if (text.length > MAX_NUMBER_CHARS) return NaN;
  const match = /^-?(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) return NaN;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const digits = (whole + fraction).replace(/0+$/, '');
  // How many digits stand before the point, once the exponent has moved it.
  const before = whole.length + Number(exponent);
  return digits === '' || digits.length <= before ? Number(text) : NaN;
}

function readEnum(names: EnumNames, value: unknown, where: string): number {
  if (typeof value === 'number') return readInteger(value, -INT32_MAX - 1, INT32_MAX, where);
  const number = typeof value === 'string' && Object.hasOwn(names, value) ? names[value] : null;
  if (typeof number === 'number') return number;
  throw refuse(where, `must be one of ${Object.keys(names).join(', ')}`);
}
