import type { ResultMode } from '../report/results.js';

/** One program of the set. */
export interface Step {
  readonly mode: ResultMode;
  /** Below dist/bench. */
  readonly script: string;
  readonly args: readonly string[];
  /** Whether it takes the peer in turn, too. */
  readonly peer: boolean;
}

const load = (mode: ResultMode, words: string, peer = false): Step => ({
  mode,
  script: 'load/main.js',
  args: [mode, ...words.split(' ')],
  peer,
});

/** The whole set in under 10 minutes; what a figure needs more time for is run by its own command. */
export const WHOLE: readonly Step[] = [
  load('echo', '--upstream-path both --requests 40000 --warmup 10000', true),
  load('rate', '--upstream-path both --hold 3', true),
  load('connects', '--requests 2000', true),
  load('idle', '--rounds 1 --sessions 10000 --hold 20 --heartbeat 10'),
  load('growth', '--counts 100,1000,10000 --requests 24000'),
  load('fanout', '--sessions 2000 --requests 40000 --audience 20000 --broadcasts 5'),
  load('hostile', '--sessions 1000 --hostile 10000 --hold 10'),
  load('soak', '--minutes 0.75'),
  load('restart', '--sessions 100 --restarts 2'),
  { mode: 'engine', script: 'engine/compare.js', args: ['2', '--idle', '1000'], peer: false },
  { mode: 'callers', script: 'upstream/unary-cost.js', args: ['1000'], peer: false },
];

/** About a minute: whether everything works, and roughly how fast. */
export const QUICK: readonly Step[] = [
  load('echo', '--upstream-path both --rounds 1 --requests 15000 --warmup 5000', true),
  load('rate', '--rounds 1 --rates 1000 --hold 3', true),
  load('connects', '--rounds 1 --requests 1000 --warmup 200', true),
  load('growth', '--counts 100,1000 --requests 8000'),
  load('fanout', '--sessions 500 --requests 10000 --audience 0'),
  load('hostile', '--sessions 100 --hostile 300 --rate 500 --hold 2'),
  load('soak', '--minutes 0.08 --rate 500'),
  {
    mode: 'engine',
    script: 'engine/compare.js',
    args: ['1', '--rounds', '1', '--idle', '100', '--against', 'bare'],
    peer: false,
  },
];
