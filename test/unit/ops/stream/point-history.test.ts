import { describe, expect, it } from '@jest/globals';
import { HISTORY_POINTS, PointHistory } from '../../../../src/ops/stream/point-history.js';

describe('the history of points', () => {
  it('is one column for each series, oldest first', () => {
    const history = new PointHistory();
    expect(history.columns()).toEqual({});
    history.add({ at_ms: 1, requests: null });
    history.add({ at_ms: 2, requests: 5 });
    expect(history.columns()).toEqual({ at_ms: [1, 2], requests: [null, 5] });
  });

  it('forgets the oldest', () => {
    const history = new PointHistory();
    for (let at = 0; at < HISTORY_POINTS + 3; at++) history.add({ at_ms: at });
    const { at_ms: times } = history.columns();
    expect(times).toHaveLength(HISTORY_POINTS);
    expect(times?.[0]).toBe(3);
  });
});
