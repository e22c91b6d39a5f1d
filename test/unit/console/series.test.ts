import { describe, expect, it } from '@jest/globals';
import { SeriesStore } from '../../../src/console/series.js';

const store = (capacity = 5) => new SeriesStore(capacity, 3_500);

describe('the series of the charts', () => {
  it('are columns, times in seconds', () => {
    const series = store();
    series.add({ at_ms: 1_000, requests: 1, lag: null });
    series.add({ at_ms: 2_000, requests: 2, lag: null });
    expect(series.table(['requests', 'lag', 'unknown'])).toEqual([
      [1, 2],
      [1, 2],
      [null, null],
      [null, null],
    ]);
    expect([series.latest('requests'), series.latest('unknown')]).toEqual([2, null]);
  });

  it('keep the newest, and forget the oldest', () => {
    const series = store(3);
    for (let second = 1; second <= 5; second++) series.add({ at_ms: second * 1_000, a: second });
    expect(series.table(['a'])).toEqual([
      [3, 4, 5],
      [3, 4, 5],
    ]);
  });

  it('begin with what the gateway kept, and know it when it comes again', () => {
    const series = store();
    series.load({ at_ms: [1_000, 2_000], a: [1, 2] });
    series.add({ at_ms: 2_000, a: 2 });
    series.add({ at_ms: 3_000, a: 3 });
    series.load({ at_ms: [2_000, 3_000, 4_000], a: [2, 3, 4] });
    expect(series.table(['a'])[1]).toEqual([1, 2, 3, 4]);
  });

  it('have a gap where samples are missing', () => {
    const series = store();
    series.add({ at_ms: 1_000, a: 1 });
    series.add({ at_ms: 9_000, a: 2 });
    expect(series.table(['a'])[1]).toEqual([1, null, 2]);
  });

  it('may begin later than others, and take nothing without a time', () => {
    const series = store();
    series.add({ at_ms: 1_000 });
    series.add({ at_ms: 2_000, late: 7 });
    series.add({ late: 8 });
    series.load({});
    expect(series.table(['late'])).toEqual([
      [1, 2],
      [null, 7],
    ]);
    expect(series.length).toBe(2);
  });
});
