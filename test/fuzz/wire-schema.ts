import * as fc from 'fast-check';
import protobuf from 'protobufjs';
import * as messages from '../../src/wire/messages.js';
import type { MessageCodec } from '../../src/wire/messages.js';

/** A message as plain properties, whatever its kind. */
export type Plain = Record<string, unknown>;

/** A message type of proto/*.proto twice: by protobufjs reflection, and as the code's own codec. */
export interface Schema {
  readonly name: string;
  readonly type: protobuf.Type;
  readonly codec: MessageCodec<Plain, Plain>;
  /** Messages of this type as plain properties; fields may be absent. */
  readonly arbitrary: fc.Arbitrary<Plain>;
}

/** Reads proto/*.proto afresh, so that nothing of it comes from the generated codecs. */
export const root = protobuf.loadSync(
  ['message', 'upstream', 'state', 'journal', 'health', 'replication'].map(
    (name) => `proto/${name}.proto`,
  ),
);
root.resolveAll();

/** Map keys that a careless decoder would trip over. */
const oddKey = fc.constantFrom('__proto__', 'constructor', 'toString', 'prototype', '', '\u0000');
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const key = fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: oddKey });
const unsigned = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(300),
  fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER),
);

/** Key and value pairs as an object in which even `__proto__` is an own property. */
const mapping = fc
  .array(fc.tuple(key, text), { maxLength: 4 })
  .map((entries) => Object.fromEntries(entries) as unknown);

const scalars: Record<string, fc.Arbitrary<unknown>> = {
  string: text,
  bytes: fc.uint8Array({ maxLength: 300 }),
  bool: fc.boolean(),
  int32: fc.integer(),
  uint32: fc.nat({ max: 0x7fffffff }).map((value) => value * 2),
  fixed32: fc.nat({ max: 0x7fffffff }).map((value) => value * 2),
  int64: fc.maxSafeInteger(),
  uint64: unsigned,
};

function valueOf(field: protobuf.Field): fc.Arbitrary<unknown> {
  if (field instanceof protobuf.MapField) return mapping;
  const resolved = field.resolvedType;
  let single: fc.Arbitrary<unknown> | undefined = scalars[field.type];
  if (resolved instanceof protobuf.Enum)
    single = fc.constantFrom(...Object.values(resolved.values));
  else if (resolved instanceof protobuf.Type) single = messageOf(resolved);
  if (single === undefined) throw new Error(`no arbitrary for ${field.type}`);
  return field.repeated ? fc.array(single, { maxLength: 3 }) : single;
}

function fieldsOf(fields: protobuf.Field[]): fc.Arbitrary<Plain> {
  const values = Object.fromEntries(fields.map((field) => [field.name, valueOf(field)]));
  return fc.record(values, { requiredKeys: [] });
}

function messageOf(type: protobuf.Type): fc.Arbitrary<Plain> {
  const choices = type.oneofsArray.map((choice) =>
    fc.oneof(...choice.fieldsArray.map((field) => fieldsOf([field]))),
  );
  const free = fieldsOf(type.fieldsArray.filter((field) => field.partOf === null));
  return fc.tuple(free, ...choices).map((parts) => Object.assign({}, ...parts) as Plain);
}

function isCodec(value: unknown): value is MessageCodec<Plain, Plain> {
  return typeof value === 'function' && 'decode' in value && 'encode' in value;
}

/** Every message that src/wire/messages.ts exports. */
export const schemas: readonly Schema[] = Object.entries(messages).flatMap(([name, codec]) => {
  if (!isCodec(codec)) return [];
  const type = root.lookupType(name);
  return [{ name, type, codec, arbitrary: messageOf(type) }];
});

/** Bytes by reflection alone. */
export function referenceBytes(type: protobuf.Type, message: Plain): Uint8Array {
  return type.encode(message).finish();
}
