import { beforeAll, describe, expect, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { bundle } from '../../../../src/sdk/browser/bundle.mjs';
import * as wire from '../../../../src/wire/client-messages.js';

/** What a page may load for it, bytes of gzip (docs/BROWSER-SDK.md). */
const MAX_BYTES = 30_000;

const most = Number.MAX_SAFE_INTEGER;
const bytes = Uint8Array.of(0, 127, 255);
const text = { name: 'grün, 緑, \u{1f7e2}', long: 'x'.repeat(300) };
const error = { errorCode: 429, errorMessage: text.name, detail: text.long };

/** One message of each kind, no field of it at its default. */
const requests = {
  ClientRequest: { msgId: 7, seqId: most, type: 3, payload: bytes, headers: text, openid: 'alice' },
  StartRequest: {
    ...{ openid: 'alice', authToken: text.long, lastAckedSeqId: most, resumeSessionId: 's-1' },
    ...{ seenEpoch: 2 ** 40, epochProof: bytes },
  },
  StopRequest: { reason: 3 },
  HeartbeatRequest: { clientTimestamp: -5 },
  BusinessRequest: { action: 'echo', params: text, data: bytes },
  ClientAck: { ackedSeqId: most },
};
const answers = {
  ServerPush: { msgId: 2 ** 32 - 1, seqId: most, type: 3, payload: bytes, headers: text },
  StartResponse: {
    ...{ success: true, error, heartbeatInterval: 30, connectionId: 's-1', resumed: true },
    ...{ recovered: true, nextClientSeq: most, epoch: 2 ** 40, nextPushSeq: 1, epochProof: bytes },
  },
  HeartbeatResponse: { clientTimestamp: -5, serverTimestamp: most },
  BusinessResponse: { code: -1, message: text.name, data: bytes },
  ErrorMessage: error,
};

/** Fields that a later gateway may send, one of each kind that protobuf has: number 100, wire types 0, 1, 2, 5. */
const LATER_FIELDS = [
  [0xa0, 0x06, 0x96, 0x01],
  [0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8],
  [0xa2, 0x06, 2, 1, 2],
  [0xa5, 0x06, 1, 2, 3, 4],
].flat();

/** Hides from a module what only Node has. */
const LIKE_A_BROWSER = `
  const Buffer = undefined, global = undefined;
  const window = Object.create(globalThis, { Buffer: { value: undefined } });
`;

/** Either half of any codec. */
type Codec = wire.MessageCodec<object, object>;

describe('the bundle for browsers', () => {
  let made: Awaited<ReturnType<typeof bundle>>;
  let text: string;

  beforeAll(async () => {
    made = await bundle();
    text = made.outputFiles?.[0]?.text ?? '';
  });

  test('is one module that imports nothing, of nothing but our code and protobufjs/minimal', () => {
    const outputs = Object.values(made.metafile.outputs);
    expect(outputs).toHaveLength(1);
    expect(outputs[0]?.imports).toEqual([]);
    const inputs = Object.keys(made.metafile.inputs).filter((path) => !path.startsWith('unused:'));
    const folders = new Set(inputs.map((path) => /^(?:src|node_modules)\/[^/]+/.exec(path)?.[0]));
    expect([...folders].sort()).toEqual([
      'node_modules/protobufjs',
      'src/base',
      'src/link',
      'src/sdk',
      'src/websocket',
      'src/wire',
    ]);
    expect(inputs.filter((path) => path.includes('generated'))).toEqual([
      'src/wire/generated/client-messages.js',
    ]);
    expect(made.warnings).toEqual([]);
  });

  test('asks for nothing that only Node has', () => {
    expect(text.match(/\b(?:require\(|__dirname|\.unref\b)/g)).toBeNull();
  });

  test('has errors that bear their names', async () => {
    const bundled = (await import(`data:text/javascript,${encodeURIComponent(text)}`)) as object;
    const errors = Object.entries(bundled).filter(([name]) => /^(?!Gateway).*Error$/.test(name));
    expect(errors).toHaveLength(14);
    for (const [name, error] of errors) {
      const made = Reflect.construct(error as new () => Error, ['x', 'y', 'z']) as Error;
      expect([made.name, String(made)]).toEqual([name, expect.stringMatching(`^${name}: `)]);
    }
  });

  test(`is at most ${MAX_BYTES} bytes`, () => {
    expect(gzipSync(text, { level: 9 }).length).toBeLessThanOrEqual(MAX_BYTES);
  });
});

/** The bundle leaves functions out: here a message that needs one of them fails. */
describe.each([
  ['in a browser', LIKE_A_BROWSER],
  ['where Buffer is: in pages with a polyfill, on servers that render them', ''],
])('the codecs of the bundle, %s', (_, surroundings) => {
  let bundled: typeof wire;

  beforeAll(async () => {
    const source = fileURLToPath(
      new URL('../../../../src/wire/client-messages.ts', import.meta.url),
    );
    const made = await bundle(undefined, source);
    const module = `${surroundings}${made.outputFiles?.[0]?.text}`;
    bundled = (await import(`data:text/javascript,${encodeURIComponent(module)}`)) as typeof wire;
  });

  test.each(Object.entries({ ...requests, ...answers }))(
    '%s has no other fields',
    (name, message) => {
      const { prototype } = (wire as unknown as Record<string, { prototype: object }>)[name] ?? {};
      expect(Object.keys(message).sort()).toEqual(Object.keys(prototype ?? {}).sort());
    },
  );

  test.each(Object.entries(requests))('write a %s as the gateway reads it', (name, message) => {
    const written = bundled.encodeMessage(codecOf(bundled, name), message);
    const read = wire.decodeMessage(codecOf(wire, name), written);
    expect(plain(read)).toEqual(plain(message));
  });

  test.each(Object.entries(answers))('read a %s as the gateway writes it', (name, message) => {
    const written = wire.encodeMessage(codecOf(wire, name), message);
    const bytesOfLater = Uint8Array.from([...written, ...LATER_FIELDS]);
    const read = bundled.decodeMessage(codecOf(bundled, name), bytesOfLater);
    expect(plain(read)).toEqual(plain(message));
  });
});

function codecOf(from: typeof wire, name: string): Codec {
  return (from as unknown as Record<string, Codec>)[name] as Codec;
}

/** A message as what it says, whatever class it and its bytes are of. */
function plain(message: object): unknown {
  return Object.fromEntries(
    Object.entries(message).map(([field, value]: [string, unknown]) => {
      if (value instanceof Uint8Array) return [field, [...value]];
      return [field, typeof value === 'object' && value !== null ? plain(value) : value];
    }),
  );
}
