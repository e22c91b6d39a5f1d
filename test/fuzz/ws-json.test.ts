import { afterEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type protobuf from 'protobufjs';
import { WsFault } from '../../src/websocket/ws-fault.js';
import { jsonOfPush, requestOfJson } from '../../src/edge/ws-json.js';
import { ClientRequest, decodeMessage } from '../../src/wire/messages.js';
import { referenceBytes, root, schemas } from './wire-schema.js';
import type { Plain, Schema } from './wire-schema.js';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 600);

function schema(name: string): Schema {
  const found = schemas.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no message ${name}`);
  return found;
}

/** protobufjs's own JSON of a message; it follows the proto3 mapping for all that we use of it. */
function referenceJson(type: protobuf.Type, bytes: Uint8Array, defaults = false): Plain {
  const options = { longs: String, enums: String, bytes: String, defaults };
  return type.toObject(type.decode(bytes), options);
}

/** The same JSON as another writer might put it: original names, numbers for text, other base64. */
function restyled(value: unknown, type: protobuf.Type, styles: readonly number[]): Plain {
  let next = 0;
  const style = (): number => styles[next++ % styles.length] ?? 0;
  const restyle = (message: Plain, of: protobuf.Type): Plain => {
    const entries = Object.entries(message).map(([name, given]): [string, unknown] => {
      const field = of.fields[name] as protobuf.Field;
      const key = style() === 1 ? name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`) : name;
      return [key, restyleValue(given, field)];
    });
    if (style() === 3) entries.reverse();
    return Object.fromEntries(entries);
  };
  const restyleValue = (given: unknown, field: protobuf.Field): unknown => {
    const kind = style();
    if (field.type === 'bytes' && kind === 1) {
      return (given as string).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    }
    if (/int(32|64)$/.test(field.type)) return kind === 1 ? Number(given) : String(given);
    const { resolvedType } = field;
    if (resolvedType !== null && 'fields' in resolvedType) {
      return restyle(given as Plain, resolvedType);
    }
    if (resolvedType !== null && kind === 1) return resolvedType.values[given as string];
    return given;
  };
  return restyle(value as Plain, type);
}

const styles = fc.array(fc.nat(3), { minLength: 1, maxLength: 12 });
const request = schema('ClientRequest');
const push = schema('ServerPush');

const requestPayloads: readonly [string, string, string][] = [
  ['startRequest', 'StartRequest', 'REQUEST_START'],
  ['stopRequest', 'StopRequest', 'REQUEST_STOP'],
  ['heartbeatRequest', 'HeartbeatRequest', 'REQUEST_HEARTBEAT'],
  ['businessRequest', 'BusinessRequest', 'REQUEST_BUSINESS'],
  ['clientAck', 'ClientAck', 'REQUEST_ACK'],
];
const pushPayloads: readonly [string, string, number][] = [
  ['startResponse', 'StartResponse', 1],
  ['heartbeatResponse', 'HeartbeatResponse', 2],
  ['businessResponse', 'BusinessResponse', 3],
  ['errorMessage', 'ErrorMessage', 4],
];

/** A request, or null where it was refused with the one error that may come. */
function readAnything(text: string): Uint8Array | null {
  try {
    return requestOfJson(text);
  } catch (error) {
    if (!(error instanceof WsFault)) throw new TypeError('not a WsFault', { cause: error });
    expect([400, 413]).toContain(error.code);
    expect(error.message.length).toBeLessThan(400);
    return null;
  }
}

/** What was read is a ClientRequest that the session layer can read, its payload too. */
function inspect(bytes: Uint8Array | null): void {
  if (bytes === null) return;
  expect(bytes.length).toBeGreaterThan(0);
  const { payload } = decodeMessage(ClientRequest, bytes);
  expect(payload).toBeInstanceOf(Uint8Array);
}

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Plain)['polluted']).toBeUndefined();
});

describe('a request in JSON', () => {
  it('is read to the bytes of the request, however it is written', () => {
    const property = fc.property(request.arbitrary, styles, (plain, given) => {
      const bytes = referenceBytes(request.type, plain);
      const json = restyled(referenceJson(request.type, bytes), request.type, given);
      fc.pre(bytes.length > 0);
      const own = requestOfJson(JSON.stringify(json));
      expect(referenceJson(request.type, own, true)).toEqual(
        referenceJson(request.type, bytes, true),
      );
    });
    fc.assert(property, { numRuns });
  });

  it.each(requestPayloads)('takes %s in place of payload', (member, name, type) => {
    const { arbitrary, type: reflected } = schema(name);
    const property = fc.property(arbitrary, styles, fc.boolean(), (plain, given, typed) => {
      const bytes = referenceBytes(reflected, plain);
      const nested = restyled(referenceJson(reflected, bytes), reflected, given);
      const text = JSON.stringify({ [member]: nested, ...(typed ? { type } : {}), msgId: 7 });
      const own = referenceJson(request.type, requestOfJson(text), true);
      expect(own).toMatchObject({ type, msgId: 7 });
      const payload = Buffer.from(own['payload'] as string, 'base64');
      expect(referenceJson(reflected, payload, true)).toEqual(
        referenceJson(reflected, bytes, true),
      );
    });
    fc.assert(property, { numRuns: numRuns / 3 });
  });

  it('fails with its own error at any JSON', () => {
    const property = fc.property(fc.json({ maxDepth: 6 }), (text) => inspect(readAnything(text)));
    fc.assert(property, { numRuns });
  });

  it('fails with its own error at any value in any field', () => {
    const names = Object.values(root.nested ?? {}).length > 0 ? memberNames() : [];
    const field = fc.constantFrom(
      ...names,
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
    );
    const object = fc.dictionary(field, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 });
    const property = fc.property(
      fc.dictionary(field, fc.oneof(fc.jsonValue({ maxDepth: 3 }), object), { maxKeys: 5 }),
      (value) => inspect(readAnything(JSON.stringify(value))),
    );
    fc.assert(property, { numRuns: numRuns * 2 });
  });

  it('fails with its own error at mutated requests and arbitrary text', () => {
    const edit = fc.record({
      at: fc.nat(400),
      drop: fc.nat(4),
      insert: fc.oneof(
        fc.constantFrom('{', '}', '"', ',', ':', '[', '\\', 'null', '-1', '1e999', '\\ud800', '\0'),
        fc.string({ unit: 'binary', maxLength: 3 }),
      ),
    });
    const business = schema('BusinessRequest');
    const property = fc.property(
      business.arbitrary,
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      (plain, edits) => {
        const nested = referenceJson(business.type, referenceBytes(business.type, plain));
        const whole = { msgId: 1, seqId: '2', type: 'REQUEST_BUSINESS', businessRequest: nested };
        let text = JSON.stringify(whole);
        for (const { at, drop, insert } of edits) {
          const offset = at % (text.length + 1);
          text = text.slice(0, offset) + insert + text.slice(offset + drop);
        }
        inspect(readAnything(text));
      },
    );
    fc.assert(property, { numRuns: numRuns * 2 });
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        inspect(readAnything(text));
      }),
      { numRuns },
    );
  });

  it.each([
    ['arrays', '['.repeat(1_048_576)],
    ['objects', '{"headers":'.repeat(95_000)],
    ['closed arrays', '['.repeat(500_000) + ']'.repeat(500_000)],
    ['a deep header', `{"headers":{"a":${'['.repeat(400_000)}${']'.repeat(400_000)}}}`],
    ['many members', `{${Array.from({ length: 60_000 }, (_, n) => `"h${n}":1`).join(',')}}`],
    ['long digits', `{"seqId":${'9'.repeat(1_000_000)}}`],
    ['long base64', `{"payload":"${'='.repeat(1_000_000)}"}`],
  ])('is refused at once where it is a megabyte of %s', (_what, text) => {
    expect(readAnything(text)).toBeNull();
  });
});

describe('a push in JSON', () => {
  it('says what the bytes say, the payload as base64 where its type has no message', () => {
    const property = fc.property(push.arbitrary, (plain) => {
      const bytes = referenceBytes(push.type, { ...plain, type: 0 });
      expect(JSON.parse(jsonOfPush(bytes))).toEqual(referenceJson(push.type, bytes, true));
    });
    fc.assert(property, { numRuns });
  });

  it.each(pushPayloads)('has %s under its name', (member, name, type) => {
    const { arbitrary, type: reflected } = schema(name);
    const property = fc.property(arbitrary, push.arbitrary, (plain, envelope) => {
      const payload = referenceBytes(reflected, plain);
      const bytes = referenceBytes(push.type, { ...envelope, type, payload });
      const rest = referenceJson(push.type, bytes, true);
      delete rest['payload'];
      const nested = referenceJson(reflected, payload, true);
      // protobufjs writes null for an absent message where the mapping leaves it out.
      if (nested['error'] === null) delete nested['error'];
      expect(JSON.parse(jsonOfPush(bytes))).toEqual({ ...rest, [member]: nested });
    });
    fc.assert(property, { numRuns: numRuns / 3 });
  });

  it('falls back to base64 where the payload is not what the type says', () => {
    const property = fc.property(fc.constantFrom(1, 2, 3, 4), fc.uint8Array(), (type, payload) => {
      const bytes = referenceBytes(push.type, { type, payload });
      const json = JSON.parse(jsonOfPush(bytes)) as Plain;
      if ('payload' in json) {
        expect(json['payload']).toBe(Buffer.from(payload).toString('base64'));
      } else {
        const [member, name] = pushPayloads[type - 1] as [string, string, number];
        const { codec } = schema(name);
        expect(() => decodeMessage(codec, payload)).not.toThrow();
        expect(json).toHaveProperty(member);
      }
    });
    fc.assert(property, { numRuns });
  });
});

/** Every name that a request may have somewhere, in both spellings. */
function memberNames(): string[] {
  const names = ['ClientRequest', ...requestPayloads.map(([, name]) => name)].flatMap((name) =>
    Object.keys(root.lookupType(name).fields),
  );
  const snake = names.map((name) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`));
  return [...new Set([...names, ...snake, ...requestPayloads.map(([member]) => member)])];
}
