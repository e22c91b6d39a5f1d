import { Chart, clockTime } from './chart.js';
import type { ChartPlan, Palette } from './chart.js';
import { byId, element, setText } from './dom.js';
import { UNKNOWN, bytes, cores, count, millis, rate } from './format.js';
import type { SeriesStore } from './series.js';

/** Spans of time to choose from: seconds and what the button says. */
const SPANS: readonly (readonly [number, string])[] = [
  [60, '1 min'],
  [180, '3 min'],
  [600, '10 min'],
];

const percentiles = (stage: string): ChartPlan['lines'] => [
  { name: `${stage}_p50`, label: 'p50', colour: 1 },
  { name: `${stage}_p90`, label: 'p90', colour: 2 },
  { name: `${stage}_p99`, label: 'p99', colour: 3 },
];
const whole = (value: number | null) => (value === null ? UNKNOWN : count(value));

const PLANS: readonly ChartPlan[] = [
  {
    title: 'Rates',
    unit: 'per second',
    lines: [
      { name: 'requests', label: 'requests', colour: 1 },
      { name: 'pushes', label: 'pushes', colour: 2 },
    ],
    format: rate,
  },
  { title: 'Requests', unit: 'ms', lines: percentiles('request'), format: millis },
  { title: 'Upstreams', unit: 'ms', lines: percentiles('upstream'), format: millis },
  {
    title: 'Traffic',
    unit: 'per second',
    lines: [
      { name: 'bytes_in', label: 'in', colour: 1 },
      { name: 'bytes_out', label: 'out', colour: 2 },
    ],
    format: bytes,
    binary: true,
  },
  {
    title: 'Sessions',
    unit: '',
    lines: [
      { name: 'active_sessions', label: 'active', colour: 1 },
      { name: 'detached_sessions', label: 'detached', colour: 2 },
    ],
    format: whole,
  },
  {
    title: 'Waiting',
    unit: '',
    lines: [
      { name: 'in_flight', label: 'requests', colour: 1 },
      { name: 'pending_frames', label: 'frames', colour: 2 },
    ],
    format: whole,
  },
  {
    title: 'Event loop',
    unit: 'ms late',
    lines: [{ name: 'loop_delay', label: 'delay', colour: 1 }],
    format: millis,
  },
  {
    title: 'CPU',
    unit: 'cores',
    lines: [{ name: 'cpu', label: 'used', colour: 1 }],
    format: cores,
  },
];

/** Shown only where the gateway is one of a pair. */
const LAG: ChartPlan = {
  title: 'Replication lag',
  unit: 'entries, ms',
  lines: [
    { name: 'lag_frames', label: 'entries', colour: 1 },
    { name: 'lag_ms', label: 'ms', colour: 2 },
  ],
  format: whole,
};

/** All charts of the page, over the same span of time. */
export class Charts {
  private readonly charts: Chart[];
  private readonly grid = byId('chart-grid', HTMLElement);
  private readonly title = byId('charts-title', HTMLElement);
  private span = SPANS[1]?.[0] ?? 60;

  constructor(private readonly store: SeriesStore) {
    this.charts = PLANS.map((plan) => this.chart(plan));
    byId('ranges', HTMLElement).append(...this.buttons());
  }

  draw(): void {
    if (document.hidden) return;
    for (const chart of this.charts) chart.draw();
  }

  /** From now on the lag of a pair is shown, too. Idempotent. */
  showLag(): void {
    if (this.charts.length === PLANS.length) this.charts.push(this.chart(LAG));
  }

  private chart(plan: ChartPlan): Chart {
    const pointed = (at: number | null) =>
      setText(this.title, at === null ? 'Over time' : `At ${clockTime(at)}`);
    const chart = new Chart(plan, this.store, palette, () => this.span, pointed);
    this.grid.append(chart.element);
    return chart;
  }

  private buttons(): HTMLButtonElement[] {
    const buttons = SPANS.map(([span, label]) => {
      const button = element('button', { type: 'button' }, label);
      button.addEventListener('click', () => {
        this.span = span;
        show();
        this.draw();
      });
      return [button, span] as const;
    });
    const show = () => {
      for (const [button, span] of buttons) {
        button.setAttribute('aria-pressed', String(span === this.span));
      }
    };
    show();
    return buttons.map(([button]) => button);
  }
}

const probe = element('span', { hidden: true });

/** What a colour of the style sheet is now: `light-dark()` is resolved only where it is used. */
const palette: Palette = (name) => {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
};
