import { figure, ratioText, table } from './markdown.js';
import { against, comparedCases } from './results.js';
import type { Compared, Results } from './results.js';
import type { BenchResult } from './bench-result.js';
import type { Row } from './row.js';

/** What the gateway is meant to reach on a machine of 2 cores that everyone shares. */
interface Goal {
  readonly what: string;
  /** The most that is wanted. */
  readonly most: number;
  /** Of both figures; none for a ratio. */
  readonly unit?: 'us' | 'ms' | 'KB';
  /** What was found; NaN where it was not measured. */
  readonly found: (results: Results) => number;
}

const GOALS: readonly Goal[] = [
  {
    what: 'CPU per request, all in flight, beside the lean Go gateway',
    most: 1,
    found: ({ echo }) => ratio(echo, 'ours', 'cpuPerRequest'),
  },
  {
    what: 'the same over ProcessStream',
    most: 0.65,
    found: ({ echo }) => ratio(echo, 'streaming', 'cpuPerRequest'),
  },
  {
    what: 'CPU per request at 1,000 a second, beside it',
    most: 0.7,
    found: ({ rate }) => ratio(rate, 'ours', 'cpuPerRequest', '1,000 requests/s'),
  },
  {
    what: 'p99 at half load, beside it',
    most: 1,
    found: ({ rate }) => ratio(rate, 'ours', 'p99', 'half load'),
  },
  {
    what: 'p99 at half load',
    most: 10,
    unit: 'ms',
    found: ({ rate }) => Number(caseOf(rate, 'half load')?.ours?.['p99']),
  },
  {
    what: 'CPU per connect, beside it',
    most: 0.5,
    found: ({ connects }) => ratio(connects, 'ours', 'cpuPerConnect'),
  },
  {
    what: 'memory per idle session',
    most: 50,
    unit: 'KB',
    found: ({ idle }) => Number(idle?.medians[0]?.['bytesPerSession']) / 1024,
  },
  {
    what: 'CPU per delivery, broadcasts that each follow the answer to the one before',
    most: 16,
    unit: 'us',
    found: ({ fanout }) => deliveryOf(fanout, 'broadcasts, next when answered'),
  },
  {
    what: 'CPU per delivery, ten broadcasts at once',
    most: 16,
    unit: 'us',
    found: ({ fanout }) => deliveryOf(fanout, 'broadcasts, ten at once'),
  },
  {
    what: 'CPU per delivery, a lone broadcast',
    most: 16,
    unit: 'us',
    found: ({ fanout }) => deliveryOf(fanout, 'broadcast to'),
  },
  {
    what: 'p99 of heartbeats during broadcasts to 20,000 sessions',
    most: 100,
    unit: 'ms',
    found: ({ fanout }) =>
      Math.max(...figuresOf(fanout?.medians, 'heartbeatP99').filter(Number.isFinite)),
  },
  {
    what: 'CPU per request with the most expensive number of sessions, beside 100',
    most: 1.5,
    found: ({ growth }) => {
      const costs = figuresOf(growth?.medians, 'cpuPerRequest');
      return Math.max(...costs) / Number(costs[0]);
    },
  },
  {
    what: 'p99 beside 10,000 hostile connections, beside that without them',
    most: 3,
    found: ({ hostile }) => Number(hostile?.medians[0]?.['p99Ratio']),
  },
  {
    what: 'server CPU per echo of the QUIC engine, beside a bare quiche loop',
    most: 1.3,
    found: ({ engine }) => {
      const [ours, bare] = figuresOf(engine?.medians, 'echoCpu');
      return Number(ours) / Number(bare);
    },
  },
];

/** What was wanted, what was found, and whether that is enough; null where none of it was measured. */
export function goalsTable(results: Results): string | null {
  const rows = GOALS.flatMap(({ what, most, unit, found }) => {
    const value = found(results);
    if (!Number.isFinite(value)) return [];
    const text = (each: number) => (unit === undefined ? ratioText(each) : figure(each, unit));
    return [[what, text(most), text(value), value <= most ? 'yes' : '**no**']];
  });
  return rows.length === 0 ? null : table(['', 'at most', 'found', 'reached'], rows);
}

function caseOf(result: BenchResult | undefined, name?: string): Compared | undefined {
  return comparedCases(result).find((each) => name === undefined || each.name === name);
}

function ratio(
  result: BenchResult | undefined,
  who: 'ours' | 'streaming',
  name: string,
  inCase?: string,
): number {
  const compared = caseOf(result, inCase);
  return against(compared?.[who], compared?.peer, name);
}

function figuresOf(rows: readonly Row[] | undefined, name: string): number[] {
  return (rows ?? []).map((row) => Number(row[name]));
}

function deliveryOf(result: BenchResult | undefined, beginning: string): number {
  const row = result?.medians.find((each) => each.case.startsWith(beginning));
  return Number(row?.['cpuPerDelivery']);
}
