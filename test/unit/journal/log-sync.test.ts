import { expect, test } from '@jest/globals';
import type { LogSegment } from '../../../src/journal/log-segment.js';
import { LogSync } from '../../../src/journal/log-sync.js';
import type { FsyncPolicy } from '../../../src/journal/log-sync.js';
import { Threshold } from '../../../src/journal/threshold.js';
import { FakeClock } from '../../support/fake-clock.js';

test.each([
  ['never', [0, 0, 0]],
  ['interval', [0, 1, 1]],
  ['always', [1, 1, 1]],
] as const)(
  'under fsync %s what was written reaches the disk at once, within a second, later: %j',
  (policy: FsyncPolicy, wanted) => {
    const clock = new FakeClock();
    let syncs = 0;
    const segment = { sync: (done: (error: null) => void) => (syncs++, done(null)) };
    const sync = new LogSync(policy, clock, new Threshold().hold(0), () => undefined);
    sync.start(() => segment as unknown as LogSegment);
    sync.written(3);
    const counts = [syncs];
    for (let seconds = 0; seconds < 2; seconds++) {
      clock.advance(1_000);
      counts.push(syncs);
    }
    expect(counts).toEqual(wanted);
    sync.written(4);
    sync.stop();
    const before = syncs;
    clock.advance(1_000);
    expect(syncs).toBe(before);
  },
);
