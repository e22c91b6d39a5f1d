import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  ZONES,
  isZone,
  placementOf,
  rendezvousWeight,
  seedOfAddress,
  zoneOf,
} from '../../../src/routing/zone.js';

const vectors = readFileSync(new URL('./zones.tsv', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('\t') as [string, string]);

describe('zone of an openid', () => {
  test('the golden vectors are all there', () => expect(vectors).toHaveLength(18));

  test.each(vectors)('%s is in %s', (openid, zone) => expect(zoneOf(openid)).toBe(zone));

  test('only the six zones are zones', () => {
    for (const zone of ZONES) expect(isZone(zone)).toBe(true);
    for (const text of ['', '000', '007', '1', '0001', '001 ', 'zone']) {
      expect(isZone(text)).toBe(false);
    }
  });
});

describe('rendezvous hashing', () => {
  const addresses = Array.from({ length: 4 }, (_, index) => `10.0.0.${index}:9001`);
  const openids = Array.from({ length: 4_000 }, (_, index) => `user-${index}`);
  const choose = (openid: string, among: string[]): string => {
    const { seed } = placementOf(openid);
    const weight = (address: string): number => rendezvousWeight(seed, seedOfAddress(address));
    return among.reduce((best, address) => (weight(address) > weight(best) ? address : best));
  };

  test('spreads openids evenly', () => {
    for (const address of addresses) {
      const share = openids.filter((openid) => choose(openid, addresses) === address).length;
      expect(share).toBeGreaterThan(850);
      expect(share).toBeLessThan(1_150);
    }
  });

  test('moves only the openids of an instance that leaves', () => {
    const [gone, ...left] = addresses;
    for (const openid of openids) {
      const before = choose(openid, addresses);
      if (before !== gone) expect(choose(openid, left)).toBe(before);
    }
  });
});
