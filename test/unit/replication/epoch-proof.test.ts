import { describe, expect, it } from '@jest/globals';
import { EpochProof } from '../../../src/replication/epoch-proof.js';

describe('the proof of an epoch', () => {
  const pair = new EpochProof('secret', 'pair');

  it('is worth something for its epoch, client and pair only', () => {
    const proof = pair.of('u1', 3);
    expect(proof).toHaveLength(16);
    expect(pair.holds('u1', 3, proof)).toBe(true);
    expect(pair.holds('u1', 4, proof)).toBe(false);
    expect(pair.holds('u2', 3, proof)).toBe(false);
    expect(new EpochProof('other', 'pair').holds('u1', 3, proof)).toBe(false);
    expect(new EpochProof('secret', 'pair2').holds('u1', 3, proof)).toBe(false);
    expect(pair.holds('u1', 3, new Uint8Array(0))).toBe(false);
    expect(pair.holds('u1', 3, new Uint8Array(16))).toBe(false);
  });

  it('cannot be moved between the name of the pair and that of the client', () => {
    expect(new EpochProof('secret', 'pairu').holds('1', 3, pair.of('u1', 3))).toBe(false);
  });
});
