import { afterAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { StartupError } from '../../src/base/errors.js';
import { loadConfig } from '../../src/config/load.js';
import { leaves, schema } from '../../src/config/schema.js';

/** Each run loads a whole configuration; no peer sends any, so the long form is shorter here. */
const numRuns = Math.min(Number(process.env['FUZZ_RUNS'] ?? 200), 10_000);
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-fuzz-'));
const file = join(folder, 'fuzz.yaml');
afterAll(() => rmSync(folder, { recursive: true }));

/** Loads the text; anything thrown must be for the operator, every line of it naming its place. */
function load(text: string): void {
  writeFileSync(file, text);
  try {
    expect(Object.isFrozen(loadConfig({ file }).config)).toBe(true);
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    expect(error.message).not.toBe('');
    for (const line of error.message.split('\n')) expect(line.length).toBeLessThan(10_000);
  }
}

const word = fc.oneof(
  fc.constantFrom(...Object.keys(schema), ...leaves().map(([path]) => path.split('.').pop() ?? '')),
  fc.string({ maxLength: 12 }),
);
const value = fc.oneof(
  fc.constantFrom('5m', '0', ':80', '[::1]:1', '64KiB', 'off', '-1', '1e9', 'true', ''),
  fc.jsonValue({ maxDepth: 2 }),
);

describe('any YAML', () => {
  it('built of known and unknown keys loads or is refused in plain lines', () => {
    const section = fc.dictionary(word, value, { maxKeys: 6 });
    const tree = fc.dictionary(word, fc.oneof(section, value), { maxKeys: 6 });
    fc.assert(
      fc.property(tree, (root) => load(stringify(root))),
      { numRuns },
    );
  });

  it('of random characters does so too', () => {
    const character = fc.constantFrom(...'abserv:-_ \n\t{}[]&*!|>\'"%@`#,?0159~<');
    const text = fc.string({ unit: character, maxLength: 60 });
    fc.assert(fc.property(fc.oneof(text, fc.string({ unit: 'binary' })), load), { numRuns });
  });

  it('with any value for a key does so too', () => {
    const path = fc.constantFrom(...leaves().map(([name]) => name));
    fc.assert(
      fc.property(path, fc.oneof(fc.string(), value), (name, given) => {
        const text = typeof given === 'string' ? given : JSON.stringify(given);
        try {
          loadConfig({ flags: { [name]: text } });
        } catch (error) {
          expect(error).toBeInstanceOf(StartupError);
        }
      }),
      { numRuns },
    );
  });
});
