import { beforeEach, expect, test } from '@jest/globals';
import { PerformanceObserver, constants } from 'node:perf_hooks';
import type { NodeGCPerformanceDetail, PerformanceEntry } from 'node:perf_hooks';
import { EarlyCollection, minorCollector } from '../../../src/quic/early-collection.js';
import { FakeClock } from '../../support/fake-clock.js';
import { until } from '../../support/until.js';

let clock: FakeClock;
let collections: number;
let early: EarlyCollection;

beforeEach(() => {
  clock = new FakeClock();
  collections = 0;
  early = new EarlyCollection(clock, () => {
    collections++;
    clock.advance(5);
  });
  early.turnEnds();
});

/** A turn that ends so many ms later; how many collections there were until then. */
function turn(ms: number, made: { packets?: number; connections?: number }): number {
  for (let i = 0; i < (made.packets ?? 0); i++) early.packetMade();
  for (let i = 0; i < (made.connections ?? 0); i++) early.connectionBegins();
  clock.advance(ms);
  early.turnEnds();
  return collections;
}

test('young objects are collected at the end of every 20 ms in which 300 packets were made', () => {
  expect(turn(10, { packets: 200 })).toBe(0);
  expect(turn(9, { packets: 100 })).toBe(0);
  expect(turn(1, {})).toBe(1);
  expect(turn(19, { packets: 10_000 })).toBe(1);
  expect(turn(1, {})).toBe(2);
});

test('fewer packets are left to V8, however many they become', () => {
  for (let i = 0; i < 100; i++) expect(turn(20, { packets: 299 })).toBe(0);
});

test('young objects are collected for every 8 connections that begin', () => {
  for (let i = 0; i < 7; i++) expect(turn(1_000, { connections: 1 })).toBe(0);
  expect(turn(1_000, { connections: 1 })).toBe(1);
  expect(turn(1_000, { connections: 7 })).toBe(1);
  expect(turn(1_000, { connections: 1 })).toBe(2);
});

test('however many connections begin, collections for them have 50 ms between them', () => {
  expect(turn(20, { connections: 100 })).toBe(1);
  expect(turn(20, { connections: 100 })).toBe(1);
  expect(turn(20, { connections: 100 })).toBe(1);
  expect(turn(20, {})).toBe(2);
  expect(turn(60, {})).toBe(2);
});

test('the minor collector collects young objects only, and leaves gc hidden', async () => {
  const kinds: (number | undefined)[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries() as (PerformanceEntry & {
      detail: NodeGCPerformanceDetail;
    })[]) {
      if (((detail.flags ?? 0) & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0)
        kinds.push(detail.kind);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  minorCollector()();
  await until(() => kinds.length > 0);
  observer.disconnect();
  expect(new Set(kinds)).toEqual(new Set([constants.NODE_PERFORMANCE_GC_MINOR]));
  expect('gc' in globalThis).toBe(false);
});
