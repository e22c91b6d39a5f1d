import { describe, test } from '@jest/globals';
import { TokenIssuer } from '../support/token-issuer.js';
import { LoneGateway } from './lone-gateway.js';
import type { SessionEndings } from './lone-gateway.js';
import { play } from './run.js';
import type { Menu } from './schedule.js';
import { askedFor } from './seeds.js';

const FAULTS = 6;
/** Beside the faults a run waits for the end of its load, on a machine that may be slow, ms. */
const AROUND_MS = 240_000;

/** Absences outlast the resume window or do not; each kind of end meets kill -9 too. */
const MENU: Menu = {
  calmMs: 900,
  nodes: 1,
  weights: { kick: 4, absence: 4, kill: 2, pause: 1, storm: 1, 'restart apps': 1 },
  longestMs: { absence: 4_000, kill: 500, pause: 800 },
};

/** How long a token holds, s: a client meets the end of several. */
const TOKEN_S = 4;

function endings(): SessionEndings {
  const issuer = new TokenIssuer('HS256');
  return {
    settings: {
      'auth.mode': 'jwt',
      'auth.secret': issuer.secret,
      'auth.clock_tolerance': '0s',
      'auth.grace': '1s',
      'session.resume_window': '1500ms',
      'session.offline_ttl': '10m',
      // Some 2 s of pushes: a longer absence fills it.
      'session.offline_max_frames': '60',
    },
    tokenOf: (sub) => issuer.token({ sub, exp: Math.floor(Date.now() / 1000) + TOKEN_S }),
  };
}

const { seeds, durationMs } = askedFor([1]);

describe('sessions that end: kicked, run out, tokens at their end, queues full', () => {
  test.each(seeds)(
    'seed %i: numbers, pushes and requests are as promised',
    async (seed) => {
      await play({
        name: 'sessions that end',
        file: 'sessions',
        seed,
        menu: MENU,
        faults: FAULTS,
        durationMs,
        clients: { sdk: 6, deployed: 4 },
        prepare: (folder, history) => LoneGateway.prepare(folder, history, endings()),
      });
    },
    AROUND_MS + durationMs,
  );
});
