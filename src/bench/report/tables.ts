import type { BenchResult } from './bench-result.js';
import { caption, comparisonOf } from './comparison-tables.js';
import { goalsTable } from './goals.js';
import { figure, ratioText, table } from './markdown.js';
import { comparedCases } from './results.js';
import type { Results } from './results.js';
import type { Row } from './row.js';

/** The Go gateway that deployments run today, as it was measured once: see issue 6's table of peers. */
const DEPLOYED_TODAY = { kilobytesPerSession: '69 KB', cpuPerConnect: '4 ms' };

type Renderer = (results: Results) => string | null;

/** What stands between the markers of docs/PERFORMANCE.md, by their name; null: not measured. */
export const TABLES: Readonly<Record<string, Renderer>> = {
  goals: goalsTable,
  echo: ({ echo }) =>
    echo === undefined
      ? null
      : comparisonOf(echo, [
          ['gateway CPU per request', 'cpuPerRequest', 'us'],
          ['requests per second', 'perSecond', ''],
          ['p50, all in flight', 'p50', 'ms'],
          ['p99, all in flight', 'p99', 'ms'],
        ]),
  callers: ({ callers }) => (callers === undefined ? null : callersTable(callers)),
  idle: ({ idle }) => (idle === undefined ? null : idleTable(idle)),
  engine: ({ engine }) => (engine === undefined ? null : engineTable(engine)),
  more: (results) => {
    const sections = SECTIONS.flatMap(({ mode, title, text, command, body }) => {
      const result = results[mode];
      if (result === undefined) return [];
      return [`## ${title}`, text, `    ${command}`, caption(result), body(result)];
    });
    return sections.length === 0 ? null : sections.join('\n\n');
  },
};

interface Section {
  readonly mode: 'rate' | 'connects' | 'growth' | 'fanout' | 'hostile' | 'soak' | 'restart';
  readonly title: string;
  readonly text: string;
  readonly command: string;
  readonly body: (result: BenchResult) => string;
}

const SECTIONS: readonly Section[] = [
  {
    mode: 'rate',
    title: 'At a given rate',
    text: 'Requests by the clock (open loop), 100 bytes, 100 sessions; latency counts from when each was due. Half load is half of what the slowest of the contestants carried in a closed loop.',
    command: 'node dist/bench/load/main.js rate --upstream-path both --peer FOLDER',
    body: (result) =>
      withoutCaption(result, [
        ['CPU per request', 'cpuPerRequest', 'us'],
        ['p50', 'p50', 'ms'],
        ['p99', 'p99', 'ms'],
      ]),
  },
  {
    mode: 'connects',
    title: 'Connects',
    text: 'TLS handshake, START, one heartbeat, STOP; 32 at once.',
    command: 'node dist/bench/load/main.js connects --peer FOLDER',
    body: (result) =>
      withoutCaption(result, [
        ['gateway CPU per connect', 'cpuPerConnect', 'us'],
        ['connects per second', 'perSecond', ''],
        ['p99 until START is answered', 'p99', 'ms'],
      ]),
  },
  {
    mode: 'growth',
    title: 'As sessions grow',
    text: 'The same 100 requests in flight, spread over more and more sessions that take turns.',
    command: 'node dist/bench/load/main.js growth --counts 100,1000,10000,50000',
    body: growthTable,
  },
  {
    mode: 'fanout',
    title: 'Fan-out',
    text: '200 bytes; every delivery is compared and acknowledged. Heartbeats are those of sessions of another process during the large broadcast.',
    command: 'node dist/bench/load/main.js fanout',
    body: ({ medians }) =>
      table(
        ['', 'deliveries per second', 'CPU per delivery', 'p99', 'p99 of heartbeats'],
        medians.map((row) => [
          row.case,
          figure(row['perSecond']),
          figure(row['cpuPerDelivery'], 'us'),
          figure(row['p99'], 'ms'),
          figure(row['heartbeatP99'], 'ms'),
        ]),
      ),
  },
  {
    mode: 'hostile',
    title: 'Beside hostile connections',
    text: 'Good sessions with requests by the clock, alone, while connections of another process arrive as fast as they can, and beside these: they are silent, slow, flooding, or no QUIC at all, and come back when they are thrown out, 100 a second. No good session was dropped, every answer was right.',
    command: 'node dist/bench/load/main.js hostile',
    body: ({ medians }) =>
      table(
        ['hostile', 'p99 alone', 'while they arrive', 'beside them', 'ratio', 'thrown out'],
        medians.map((row) => [
          row.case,
          figure(row['p99Alone'], 'ms'),
          figure(row['p99Arriving'], 'ms'),
          figure(row['p99Beside'], 'ms'),
          ratioText(row['p99Ratio']),
          figure(row['hostileEnded']),
        ]),
      ),
  },
  {
    mode: 'soak',
    title: 'Soak',
    text: 'Half of the maximum rate through a proxy that loses 5 % of the datagrams either way and gives all clients other ports every 10 s. Order exact, nothing lost, nothing executed twice.',
    command: 'node dist/bench/load/main.js soak --minutes 10',
    body: ({ medians, rounds }) => table(['', ''], soakRows(medians[0], rounds[0])),
  },
  {
    mode: 'restart',
    title: 'Rolling restarts',
    text: 'SIGTERM and a new process under load; clients of the SDK resume, sessions and pushes are in the state file. No push lost, no request executed twice.',
    command: 'node dist/bench/load/main.js restart',
    body: ({ medians }) =>
      table(
        ['', 'requests', 'pushes', 'clients away, p50', 'p99', 'at most'],
        medians.map((row) => [
          row.case,
          figure(row['requests']),
          figure(row['pushes']),
          figure(row['waitP50'], 'ms'),
          figure(row['waitP99'], 'ms'),
          figure(row['waitMax'], 'ms'),
        ]),
      ),
  },
];

function withoutCaption(result: BenchResult, lines: Parameters<typeof comparisonOf>[1]): string {
  return comparisonOf(result, lines).split('\n\n').slice(1).join('\n\n');
}

function callersTable(result: BenchResult): string {
  const inFlight = ['1', '16', '64'];
  const rows = result.medians.map((row) => [
    row.contestant,
    ...inFlight.map((count) => figure(row[`inFlight${count}`], 'us')),
  ]);
  return `${caption(result)}\n\n${table(['process', '1 in flight', '16', '64'], rows)}`;
}

function idleTable(result: BenchResult): string {
  const cases = comparedCases(result);
  const [first] = cases;
  const kilobytes = (row: Row | undefined) => figure(Number(row?.['bytesPerSession']) / 1024, 'KB');
  const cell = (name: string, unit = '', scale = 1) =>
    figure(Number(first?.ours?.[name]) * scale, unit);
  const rows = [
    ['memory per session', kilobytes(first?.ours), DEPLOYED_TODAY.kilobytesPerSession],
    [
      'CPU per connect (handshake, START)',
      cell('cpuPerConnect', 'us'),
      DEPLOYED_TODAY.cpuPerConnect,
    ],
    ['connects per second', cell('connectsPerSecond'), ''],
    ['CPU while they are held, of a core', cell('cpuShare', '%', 100), ''],
    ['heartbeats answered, all', cell('heartbeatsAnswered'), ''],
    ['sessions lost', cell('disconnects'), ''],
  ];
  const header = [first?.name ?? '', 'GateSvr', 'the Go gateway deployed today'];
  return `${caption(result)}\n\n${table(header, rows)}`;
}

function growthTable({ medians }: BenchResult): string {
  const first = Number(medians[0]?.['cpuPerRequest']);
  return table(
    ['', 'CPU per request', `beside ${medians[0]?.case ?? ''}`, 'memory per session'],
    medians.map((row) => [
      row.case,
      figure(row['cpuPerRequest'], 'us'),
      ratioText(Number(row['cpuPerRequest']) / first),
      figure(Number(row['bytesPerSession']) / 1024, 'KB'),
    ]),
  );
}

function soakRows(row: Row | undefined, round: Row | undefined): string[][] {
  const rss = (round?.['rss'] ?? []) as readonly number[];
  const memory = `${figure(rss[0])} MB at first, ${figure(rss.at(-1))} MB at last, ${figure(row?.['memorySlope'])} MB a minute in the last two thirds`;
  return [
    ['how long, and how much', row?.case ?? ''],
    ['requests, pushes', `${figure(row?.['requests'])}, ${figure(row?.['pushes'])}`],
    [
      'executed twice, sessions lost',
      `${figure(row?.['executedTwice'])}, ${figure(row?.['sessionsLost'])}`,
    ],
    ['datagrams lost, rebinds', `${figure(row?.['datagramsLost'])}, ${figure(row?.['rebinds'])}`],
    ['p50, p99', `${figure(row?.['p50'], 'ms')}, ${figure(row?.['p99'], 'ms')}`],
    ['memory', memory],
  ];
}

function engineTable(result: BenchResult): string {
  const lines = [
    ['echoes per second', 'echoRate', ''],
    ['server CPU per echo', 'echoCpu', 'us'],
    ['handshakes per second, each with an echo and a close', 'handshakeRate', ''],
    ['server CPU per handshake', 'handshakeCpu', 'us'],
    ['server CPU per lone delivery, its answer included', 'deliveryCpu', 'us'],
    ['server CPU per acknowledged request, 100 connections in turn', 'fewCpu', 'us'],
    ['the same, all idle connections in turn', 'manyCpu', 'us'],
    ['memory per idle connection', 'idleKilobytes', 'KB'],
  ] as const;
  const [ours, ...others] = result.medians;
  const header = ['', 'ours', ...others.flatMap(({ contestant }) => [contestant, 'ours : it'])];
  const rows = lines.map(([label, name, unit]) => [
    label,
    figure(ours?.[name], unit),
    ...others.flatMap((row) => [
      figure(row[name], unit),
      ratioText(Number(ours?.[name]) / Number(row[name])),
    ]),
  ]);
  return `${caption(result)}\n\n${table(header, rows)}`;
}
