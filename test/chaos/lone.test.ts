import { describe, test } from '@jest/globals';
import { LoneGateway } from './lone-gateway.js';
import { play } from './run.js';
import type { Menu } from './schedule.js';
import { askedFor } from './seeds.js';

const FAULTS = 5;
/** Beside the faults a run waits for the end of its load, on a machine that may be slow, ms. */
const AROUND_MS = 240_000;

const MENU: Menu = {
  calmMs: 500,
  nodes: 1,
  weights: { kill: 4, pause: 2, storm: 2, 'restart apps': 1 },
  longestMs: { kill: 500, pause: 800 },
};

const { seeds, durationMs } = askedFor([1]);

describe('a lone gateway with a journal, killed, paused and stormed', () => {
  test.each(seeds)(
    'seed %i: numbers, pushes, requests and the one primary are as promised',
    async (seed) => {
      await play({
        name: 'lone',
        file: 'lone',
        seed,
        menu: MENU,
        faults: FAULTS,
        durationMs,
        clients: { sdk: 6, deployed: 4 },
        prepare: (folder, history) => LoneGateway.prepare(folder, history),
      });
    },
    AROUND_MS + durationMs,
  );
});
