import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inBatches } from '../../../src/base/batches.js';

it('batches hold every item once and in order, and are as large as they may be', () => {
  const sizes = fc.array(fc.nat({ max: 30 }), { maxLength: 40 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 6 }), (...of) => {
      const [items, bytes, count] = of;
      const batches = [...inBatches(items, (size) => size, { bytes, count })];
      expect(batches.flat()).toEqual(items);
      batches.forEach((batch, index) => {
        const sum = batch.reduce((total, size) => total + size, 0);
        expect(batch.length).toBeLessThanOrEqual(count);
        if (batch.length > 1) expect(sum).toBeLessThanOrEqual(bytes);
        const next = batches[index + 1]?.[0];
        if (next !== undefined) expect(batch.length === count || sum + next > bytes).toBe(true);
      });
    }),
  );
});
