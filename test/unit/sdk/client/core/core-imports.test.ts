import { describe, expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scanTree } from '../../../../architecture/scan.js';

const src = fileURLToPath(new URL('../../../../../src', import.meta.url));
const core = 'sdk/client/core/';

describe('the core of the client, which runs in browsers too', () => {
  test('imports nothing of Node, not even through others', () => {
    const files = new Map(scanTree(src).map((file) => [file.path, file]));
    const packages = new Set<string>();
    const seen = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      for (const { specifier, target, typeOnly } of files.get(path)?.imports ?? []) {
        if (typeOnly) continue;
        if (target === null) packages.add(specifier);
        else visit(target);
      }
    };
    for (const path of files.keys()) if (path.startsWith(core)) visit(path);
    expect(seen.size).toBeGreaterThan(30);
    expect([...packages]).toEqual(['protobufjs/minimal.js']);
    const folders = new Set([...seen].map((path) => path.split('/')[0]));
    expect([...folders].sort()).toEqual(['base', 'sdk', 'wire']);
  });

  test('uses no global of Node itself', () => {
    for (const name of readdirSync(join(src, core))) {
      const text = readFileSync(join(src, core, name), 'utf8').replace(/\/\*[^]*?\*\/|\/\/.*/g, '');
      expect([name, /\b(Buffer|process|require|__dirname|NodeJS)\b/.exec(text)?.[0]]).toEqual([
        name,
        undefined,
      ]);
    }
  });
});
