import { describe, expect, test } from '@jest/globals';
import { BucketLimit, TokenBucket } from '../../../src/base/token-bucket.js';

describe('TokenBucket', () => {
  test('gives the burst at once, then the rate, and says how long to wait', () => {
    const bucket = new TokenBucket(new BucketLimit(10, 3));
    const taken = [0, 0, 0, 0].map((at) => bucket.take(at));
    expect(taken).toEqual([0, 0, 0, 100]);
    expect(bucket.take(60)).toBeCloseTo(40);
    expect(bucket.take(100)).toBe(0);
    expect(bucket.take(100)).toBeCloseTo(100);
  });

  test('holds no more than the burst after a long quiet time', () => {
    const bucket = new TokenBucket(new BucketLimit(10, 3));
    bucket.take(0);
    let given = 0;
    while (bucket.take(1e6) === 0) given++;
    expect(given).toBe(3);
  });

  test('gives exactly the rate when it is asked at exactly the rate', () => {
    const bucket = new TokenBucket(new BucketLimit(3, 1));
    for (let index = 0; index < 1_000; index++) expect(bucket.take(index * (1000 / 3))).toBe(0);
  });

  test('a burst of 0 is one, and a full one is as good as new', () => {
    const bucket = new TokenBucket(new BucketLimit(1, 0));
    expect(bucket.take(0)).toBe(0);
    expect([bucket.isFull(999), bucket.isFull(1000)]).toEqual([false, true]);
  });
});
