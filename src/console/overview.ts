import { showBadge } from './badge.js';
import type { HelloBody, OverloadBody, PairBody, PerformanceBody, SampleBody } from './bodies.js';
import { byId, element, setText } from './dom.js';
import { UNKNOWN, bytes, cores, count, millis, percent, rate, span } from './format.js';
import type { Tone } from './tones.js';

/** A figure that is seen at a glance, with what explains it below. */
interface Tile {
  readonly title: string;
  readonly unit?: string;
  readonly value: (sample: SampleBody) => string;
  readonly below: (sample: SampleBody) => string;
}

const point = ({ point: values }: SampleBody, name: string) => values[name];

const TILES: readonly Tile[] = [
  {
    title: 'Sessions',
    value: (sample) => count(sample.total_sessions),
    below: (sample) => `${count(sample.total_sessions - sample.active_sessions)} detached`,
  },
  {
    title: 'Requests',
    unit: '/s',
    value: (sample) => rate(point(sample, 'requests')),
    below: (sample) => `${count(sample.in_flight)} in flight`,
  },
  {
    title: 'Pushes',
    unit: '/s',
    value: (sample) => rate(point(sample, 'pushes')),
    below: (sample) => `${count(sample.pending_frames)} unacked frames`,
  },
  {
    title: 'Request p99',
    unit: 'ms',
    value: (sample) => millis(stage(sample, 'request')?.p99),
    below: (sample) => median(sample, 'request'),
  },
  {
    title: 'Upstream p99',
    unit: 'ms',
    value: (sample) => millis(stage(sample, 'upstream')?.p99),
    below: (sample) => median(sample, 'upstream'),
  },
  {
    title: 'Traffic out',
    unit: '/s',
    value: (sample) => bytes(point(sample, 'bytes_out')),
    below: (sample) => `in ${bytes(point(sample, 'bytes_in'))}`,
  },
  {
    title: 'Event loop',
    unit: 'ms late',
    value: (sample) => millis(point(sample, 'loop_delay')),
    below: ({ performance }) => `busy ${percent(performance.event_loop.utilization)}`,
  },
  {
    title: 'CPU',
    unit: 'cores',
    value: (sample) => cores(point(sample, 'cpu')),
    below: ({ performance }) => `${bytes(performance.memory.rss)} resident`,
  },
];

function stage({ performance }: SampleBody, name: string) {
  const found = performance.latency_ms[name];
  return found === undefined || found.count === 0 ? undefined : found;
}

function median(sample: SampleBody, name: string): string {
  const found = stage(sample, name);
  return found === undefined ? 'none lately' : `p50 ${millis(found.p50)} ms`;
}

/** Head of the page, warnings and tiles: how the gateway is. */
export class Overview {
  private readonly tiles = TILES.map((tile) => {
    const value = element('span');
    const unit = element('small');
    const shown = element('dd', {}, value, ' ', unit);
    const below = element('dd', { class: 'muted' });
    const list = element('dl', { class: 'card tile' }, element('dt', {}, tile.title), shown, below);
    byId('tiles', HTMLElement).append(list);
    return { tile, value, unit, below };
  });
  private readonly warnings = byId('warnings', HTMLElement);
  private hello: HelloBody | null = null;

  greet(hello: HelloBody): void {
    this.hello = hello;
    setText(byId('rights', HTMLElement), hello.admin ? 'as an admin' : 'needs the admin token');
  }

  show(sample: SampleBody): void {
    showBadge(byId('state', HTMLElement), sample.state);
    showBadge(byId('role', HTMLElement), sample.pair?.role ?? '');
    const uptime = this.hello === null ? 0 : sample.timestamp - this.hello.started;
    setText(byId('about', HTMLElement), `${this.hello?.version ?? ''}, up ${span(uptime)}`);
    for (const { tile, value, unit, below } of this.tiles) {
      const text = tile.value(sample);
      setText(value, text);
      setText(unit, text === UNKNOWN ? '' : (tile.unit ?? ''));
      setText(below, tile.below(sample));
    }
    this.warn(sample.warnings);
  }

  private warn(lines: readonly string[]): void {
    this.warnings.hidden = lines.length === 0;
    const shown = [...this.warnings.children].map(({ textContent }) => textContent);
    if (shown.join('\n') === lines.join('\n')) return;
    this.warnings.replaceChildren(
      ...lines.map((line) => element('p', { class: 'notice warn' }, line)),
    );
  }
}

type Fact = readonly [name: string, text: string, tone?: Tone];

/** A list of facts, made once and then filled: names stay as they are. */
export class Facts {
  private readonly values = new Map<string, HTMLElement>();

  constructor(readonly list: HTMLElement) {}

  show(facts: readonly Fact[]): void {
    for (const [name, text, tone] of facts) {
      const value = this.values.get(name) ?? this.add(name);
      if (tone === undefined) setText(value, text);
      else showBadge(value, text, tone);
    }
  }

  private add(name: string): HTMLElement {
    const value = element('span');
    this.values.set(name, value);
    this.list.append(element('div', {}, element('dt', {}, name), element('dd', {}, value)));
    return value;
  }
}

/** What the gateway carries, and what of it is refused. */
export function loadFacts(load: OverloadBody, { memory }: PerformanceBody): Fact[] {
  const most = load.max_qps === null ? 'no limit' : `of ${count(load.max_qps)}`;
  const open: Fact = load.refusing_connections
    ? ['New connections', 'refused: event loop late', 'bad']
    : ['New connections', 'accepted', 'good'];
  return [
    open,
    ['Connections', count(load.connections)],
    ['Requests/s averaged', `${rate(load.current_qps)}, ${most}`],
    ['Event loop', `${millis(load.event_loop_delay_ms)} ms late`],
    ['Limited addresses', count(load.limited_addresses)],
    ['Heap', `${bytes(memory.heap_used)} of ${bytes(memory.heap_limit)}`],
  ];
}

/** How the pair stands. */
export function pairFacts(pair: PairBody): Fact[] {
  const { peer } = pair;
  const facts: Fact[] = [
    ['Role', pair.role, pair.role === 'starting' ? 'warn' : 'good'],
    [
      'Serves',
      pair.accepting ? 'yes' : 'no',
      pair.accepting || pair.role === 'backup' ? 'calm' : 'bad',
    ],
    ['In sync', pair.in_sync ? 'yes' : 'no', pair.in_sync ? 'good' : 'warn'],
    ['Confirms', pair.degraded ? 'degraded' : 'as promised', pair.degraded ? 'warn' : 'good'],
    ['Epoch', count(pair.epoch)],
    [
      'Lag',
      `${count(pair.lag_frames)} entries, ${bytes(pair.lag_bytes)}, ${count(pair.lag_ms)} ms`,
    ],
  ];
  if (peer === null) return [...facts, ['Peer', 'never heard of', 'bad']];
  return [
    ...facts,
    ['Peer', `${peer.server_id || 'unnamed'}, ${peer.role}`, peer.healthy ? 'good' : 'bad'],
    ['Peer heard', `${millis(peer.last_heard_ms)} ms ago`],
    ['Peer sessions', count(peer.sessions)],
    ['Peer for clients', peer.advertise_addr || 'not told'],
  ];
}
