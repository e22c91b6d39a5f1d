import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeVarints } from '../../src/http3/varint.js';
import { openingOf } from '../support/bidi-opening.js';

/** `FUZZ_RUNS=100000` is the long form. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 2_000);

describe('the first bytes of streams', () => {
  it('are found alike however they are cut, and nothing is lost', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc
        .tuple(fc.maxSafeNat(), fc.uint8Array({ maxLength: 20 }))
        .map(([id, rest]) => Buffer.concat([encodeVarints(0x41, id), rest])),
    );
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 6 }), (all, cuts) => {
        const places = [0, ...cuts.map((at) => at % all.length), all.length];
        places.sort((one, other) => one - other);
        const chunks = places.slice(1).map((end, at) => all.subarray(places[at], end));
        const whole = openingOf([all]);
        expect(openingOf(chunks)).toEqual(whole);
        if (whole.kind === 'request') expect(whole.rest).toBe(Buffer.from(all).toString('hex'));
      }),
      { numRuns },
    );
  });
});
