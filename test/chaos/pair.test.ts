import { describe, test } from '@jest/globals';
import { GatewayPair } from './gateway-pair.js';
import type { PairOptions } from './gateway-pair.js';
import { play } from './run.js';
import type { Menu } from './schedule.js';
import { askedFor } from './seeds.js';

const FAULTS = 3;
/** Beside the faults a run waits for the pair and for the end of its load, on a machine that may be slow, ms. */
const AROUND_MS = 300_000;

/** Longer than the timeout of heartbeats, so that a standby takes over, and shorter. */
const LONGEST_MS = { kill: 2_500, pause: 3_000, cut: 2_500, delay: 1_500 };

interface Kind {
  readonly name: string;
  readonly options: PairOptions;
  readonly weights: Menu['weights'];
}

const KINDS: readonly Kind[] = [
  {
    name: 'degrade',
    options: { onPeerLoss: 'continue', onTimeout: 'degrade', journal: false, oneAtATime: true },
    weights: { kill: 4, pause: 3, storm: 1, 'restart apps': 1, delay: 1, switch: 2 },
  },
  {
    name: 'refuse',
    options: { onPeerLoss: 'step_down', onTimeout: 'refuse', journal: true, oneAtATime: false },
    weights: { kill: 3, pause: 3, storm: 1, 'restart apps': 1, cut: 2, delay: 1, switch: 2 },
  },
];

const { seeds, durationMs } = askedFor([1]);

describe.each(KINDS)('a pair under $name', ({ name, options, weights }) => {
  test.each(seeds)(
    'seed %i: numbers, pushes, requests and the one primary are as promised',
    async (seed) => {
      await play({
        name: `pair under ${name}`,
        file: 'pair',
        seed,
        menu: { calmMs: 600, nodes: 2, weights, longestMs: LONGEST_MS },
        faults: FAULTS,
        durationMs,
        clients: { sdk: 6, deployed: 3 },
        prepare: (folder, history) => GatewayPair.prepare(folder, history, options),
      });
    },
    AROUND_MS + durationMs,
  );
});
