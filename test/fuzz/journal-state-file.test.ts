import { afterAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DamagedStateError, parseState, writeStateFile } from '../../src/journal/state-file.js';
import { StateRecord, encodeMessage } from '../../src/wire/messages.js';
import { schemas } from './wire-schema.js';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 3000);
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-state-fuzz-'));
const path = join(folder, 'state');
afterAll(() => rmSync(folder, { recursive: true }));

const stateRecord = schemas.find(({ name }) => name === 'StateRecord');
if (stateRecord === undefined) throw new Error('StateRecord is not exported any more');
const record = stateRecord.arbitrary
  .filter((plain) => !('end' in plain))
  .map((plain) => new StateRecord(plain));

async function stateOf(records: StateRecord[]): Promise<Buffer> {
  await writeStateFile(path, records);
  return readFileSync(path);
}

/** The content is a whole state or refused; never something in between. */
function expectDamaged(content: Buffer): void {
  expect(() => parseState(path, [content])).toThrow(DamagedStateError);
}

/** States written once; the properties damage them in every way. */
const samples = await Promise.all(
  fc
    .sample(fc.array(record, { maxLength: 8 }), { numRuns: 40, seed: 3 })
    .map(async (records, index) => {
      const own = `${path}-${index}`;
      await writeStateFile(own, records);
      return { records, content: readFileSync(own) };
    }),
);
const sample = fc.constantFrom(...samples.map(({ content }) => content));

describe('a state file', () => {
  it('gives back any records byte for byte', async () => {
    const property = fc.asyncProperty(fc.array(record, { maxLength: 8 }), async (records) => {
      const read = parseState(path, [await stateOf(records)]);
      expect(read.map((one) => Buffer.from(encodeMessage(StateRecord, one)))).toEqual(
        records.map((one) => Buffer.from(encodeMessage(StateRecord, one))),
      );
    });
    await fc.assert(property, { numRuns: Math.ceil(numRuns / 20) });
  });

  it('is damaged when it is cut anywhere', () => {
    const property = fc.property(sample, fc.nat(), (content, at) => {
      expectDamaged(content.subarray(0, at % content.length));
    });
    fc.assert(property, { numRuns });
  });

  it('is damaged when any bit of it flips', () => {
    const property = fc.property(sample, fc.nat(), (content, at) => {
      const bit = at % (content.length * 8);
      const flipped = Buffer.from(content);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expectDamaged(flipped);
    });
    fc.assert(property, { numRuns });
  });

  it('is damaged when a part of it is lost, doubled, or followed by anything', () => {
    const property = fc.property(sample, fc.nat(), fc.nat(), (content, one, other) => {
      const from = one % content.length;
      const to = from + 1 + (other % (content.length - from));
      const lost = Buffer.concat([content.subarray(0, from), content.subarray(to)]);
      const doubled = Buffer.concat([content.subarray(0, to), content.subarray(from)]);
      expectDamaged(lost);
      expectDamaged(doubled);
    });
    fc.assert(property, { numRuns });
  });

  it('of random bytes is refused, with or without the right beginning', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expectDamaged(Buffer.from(bytes));
      expectDamaged(Buffer.concat([Buffer.from('GSSTATE1'), bytes]));
    });
    fc.assert(property, { numRuns });
  });
});
