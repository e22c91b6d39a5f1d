import { beforeAll, describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { bundle } from '../../../../src/sdk/browser/bundle.mjs';

/** What a page may load for it, bytes of gzip (docs/BROWSER-SDK.md). */
const MAX_BYTES = 30 * 1024;

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

  test(`is at most ${MAX_BYTES} bytes`, () => {
    expect(gzipSync(text, { level: 9 }).length).toBeLessThanOrEqual(MAX_BYTES);
  });
});
