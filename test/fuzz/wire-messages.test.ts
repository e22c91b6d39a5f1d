import { afterEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type protobuf from 'protobufjs';
import { decodeMessage, encodeMessage } from '../../src/wire/messages.js';
import { referenceBytes, schemas } from './wire-schema.js';
import type { Plain, Schema } from './wire-schema.js';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 600);

/** Reads the wire format strictly enough to compare; 64-bit numbers as decimal text. */
function referenceObject(type: protobuf.Type, bytes: Uint8Array): Plain {
  return type.toObject(type.decode(bytes), { longs: String, bytes: String, defaults: true });
}

/** What our decoder made, in the same shape. */
function ownObject(type: protobuf.Type, message: Plain): Plain {
  return type.toObject(message as unknown as protobuf.Message, {
    longs: String,
    bytes: String,
    defaults: true,
  });
}

/** Throws unless the value holds only what a message may: exact numbers, text, bytes, plain maps. */
function inspect(value: unknown, where: string): void {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new Error(`${where} is ${value}`);
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => inspect(item, `${where}[${index}]`));
  } else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    for (const key of Object.keys(value)) {
      inspect(Object.getOwnPropertyDescriptor(value, key)?.value, `${where}.${key}`);
    }
  } else if (typeof value === 'function' || typeof value === 'symbol') {
    throw new Error(`${where} is a ${typeof value}`);
  }
}

function isError(value: unknown): boolean {
  // By brand: what Node itself throws belongs to another realm than the test's Error.
  return Object.prototype.toString.call(value) === '[object Error]';
}

/** Decodes what may be garbage: a message of plain values, or an Error. */
function decodeAnything({ codec, name }: Schema, bytes: Uint8Array): Plain | null {
  let message: Plain;
  try {
    message = decodeMessage(codec, bytes);
  } catch (error) {
    if (!isError(error)) throw new TypeError(`${name} threw no Error`, { cause: error });
    return null;
  }
  for (const [key, value] of Object.entries(message)) inspect(value, `${name}.${key}`);
  return message;
}

/** Valid bytes with some of them flipped, removed, repeated or replaced. */
function mutated({ type, arbitrary }: Schema): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    at: fc.nat(400),
    kind: fc.constantFrom('flip', 'cut', 'drop', 'repeat', 'insert'),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }),
  });
  return fc
    .tuple(arbitrary, fc.array(edit, { minLength: 1, maxLength: 4 }))
    .map(([plain, edits]) => {
      let bytes = Buffer.from(referenceBytes(type, plain));
      for (const { at, kind, bytes: given } of edits) {
        const offset = bytes.length === 0 ? 0 : at % bytes.length;
        const head = bytes.subarray(0, offset);
        const tail = bytes.subarray(offset);
        const first = given[0] as number;
        if (kind === 'cut') bytes = Buffer.from(head);
        else if (kind === 'drop') bytes = Buffer.concat([head, tail.subarray(first % 8)]);
        else if (kind === 'repeat') bytes = Buffer.concat([head, tail, tail]);
        else if (kind === 'insert') bytes = Buffer.concat([head, given, tail]);
        else if (tail.length > 0) bytes[offset] = (tail[0] as number) ^ (1 << (first % 8));
      }
      return bytes;
    });
}

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Plain)['polluted']).toBeUndefined();
});

it('covers every message of the wire', () => {
  expect(schemas.length).toBeGreaterThanOrEqual(25);
});

describe.each(schemas.map((schema) => [schema.name, schema] as const))('%s', (_name, schema) => {
  const { type, codec, arbitrary } = schema;

  it('is encoded to the bytes that reflection on proto/*.proto gives', () => {
    const property = fc.property(arbitrary, (plain) => {
      const own = Buffer.from(encodeMessage(codec, plain));
      if (!own.equals(referenceBytes(type, plain)))
        expect(own).toEqual(referenceBytes(type, plain));
    });
    fc.assert(property, { numRuns });
  });

  it('is decoded to what reflection reads', () => {
    const property = fc.property(arbitrary, (plain) => {
      const bytes = referenceBytes(type, plain);
      const own = ownObject(type, decodeMessage(codec, bytes));
      expect(own).toEqual(referenceObject(type, bytes));
    });
    fc.assert(property, { numRuns });
  });

  it('throws only Errors at random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeAnything(schema, bytes);
      }),
      { numRuns },
    );
  });

  it('throws only Errors at mutated bytes, and reads no other than reflection does', () => {
    const property = fc.property(mutated(schema), (bytes) => {
      const message = decodeAnything(schema, bytes);
      if (message === null) return;
      expect(ownObject(type, message)).toEqual(referenceObject(type, bytes));
    });
    fc.assert(property, { numRuns });
  });
});
