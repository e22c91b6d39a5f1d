import { beforeEach, describe, expect, it } from '@jest/globals';
import { PairEpochs } from '../../../src/gateway/pair-epochs.js';
import { EpochProof } from '../../../src/replication/epoch-proof.js';
import { Pair, TIMEOUT } from '../../support/replication-pair.js';

const OPENID = 'u1';
let pair: Pair;
let epochs: PairEpochs;

beforeEach(() => {
  pair = new Pair();
  pair.run(3 * TIMEOUT);
  epochs = new PairEpochs('secret', 'pair', () => pair.a.machine);
});

describe('the epochs that clients bring', () => {
  it('a forged one deposes nobody', () => {
    const proofs = [
      new Uint8Array(0),
      new Uint8Array(16),
      epochs.proofFor(OPENID),
      new EpochProof('secret', 'pair').of('another client', 9),
      new EpochProof('secret', 'another pair').of(OPENID, 9),
      new EpochProof('another secret', 'pair').of(OPENID, 9),
      new EpochProof('secret', 'pair').of(OPENID, 8),
    ];
    for (const proof of proofs) epochs.onSeen(OPENID, 9, proof);
    expect([pair.a.serves, pair.a.machine.role]).toEqual([true, 'primary']);
  });

  it('a proven higher one ends a stale primary', () => {
    epochs.onSeen(OPENID, 1, epochs.proofFor(OPENID));
    expect(pair.a.serves).toBe(true);
    epochs.onSeen(OPENID, 9, new EpochProof('secret', 'pair').of(OPENID, 9));
    expect([pair.a.serves, pair.a.machine.role]).toEqual([false, 'backup']);
  });

  it('without a secret nothing is proven, and nothing counts', () => {
    const bare = new PairEpochs(null, 'pair', () => pair.a.machine);
    expect(bare.proofFor(OPENID)).toHaveLength(0);
    bare.onSeen(OPENID, 9, new EpochProof('', 'pair').of(OPENID, 9));
    expect(pair.a.serves).toBe(true);
  });

  it('is nothing before the gateway knows a role', () => {
    const early = new PairEpochs('secret', 'pair', () => null);
    expect(early.current).toBe(0);
    early.onSeen(OPENID, 9, new EpochProof('secret', 'pair').of(OPENID, 9));
  });
});
