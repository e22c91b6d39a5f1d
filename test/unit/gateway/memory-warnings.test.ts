import { expect, test } from '@jest/globals';
import { loadConfig } from '../../../src/config/load.js';
import { memoryWarnings } from '../../../src/gateway/memory-warnings.js';

const MIB = 1024 ** 2;

const warnings = (memory: number, ...sets: string[]): string[] => {
  const flags = Object.fromEntries(sets.map((set) => set.split('=')));
  return memoryWarnings(loadConfig({ env: {}, flags }).config, memory);
};

test('limits that are together above the memory are named, with what there is', () => {
  expect(warnings(512 * MIB)).toEqual([
    expect.stringMatching(
      /^session\.outbox_total_bytes \(2GiB\), overload_protection\.max_upstream_bytes \(512MiB\): .*\(512MiB\)/,
    ),
  ]);
  expect(warnings(2_560 * MIB)).toEqual([]);
  expect(warnings(2_559 * MIB)).toHaveLength(1);
});

test('limits that keep nothing do not count', () => {
  const lowered = [
    'session.outbox_total_bytes=256MiB',
    'overload_protection.max_upstream_bytes=64MiB',
  ];
  expect(warnings(512 * MIB, ...lowered)).toEqual([]);
  const waits = [...lowered, 'session.offline_ttl=10m'];
  expect(warnings(512 * MIB, ...waits)).toEqual([
    expect.stringContaining('session.offline_max_bytes'),
  ]);
});
