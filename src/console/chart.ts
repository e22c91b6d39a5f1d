import uPlot from 'uplot';
import { element, setText } from './dom.js';
import { UNKNOWN } from './format.js';
import type { SeriesStore } from './series.js';

/** One line of a chart. */
export interface ChartLine {
  /** Of the series. */
  readonly name: string;
  readonly label: string;
  /** 1 to 3: a colour of the palette; lines of one chart also differ in their dashes. */
  readonly colour: 1 | 2 | 3;
}

export interface ChartPlan {
  readonly title: string;
  /** Behind the title. */
  readonly unit: string;
  readonly lines: readonly ChartLine[];
  readonly format: (value: number | null) => string;
  /** Steps of the axis are powers of two, as those of bytes are. */
  readonly binary?: boolean;
}

/** Steps of an axis of bytes. */
const POWERS_OF_TWO = Array.from({ length: 41 }, (_, power) => 2 ** power);

const HEIGHT = 112;
const AXIS_WIDTH = 48;
const DASHES: Readonly<Record<1 | 2 | 3, number[]>> = { 1: [], 2: [6, 3], 3: [2, 2] };
const FONT = '10px system-ui, sans-serif';
/** Charts with the same key show the same moment under the pointer. */
const SYNC = 'charts';

/** The value that a CSS colour of the page has now, light or dark. */
export type Palette = (name: string) => string;

/** A chart over time with its legend; the legend says what is under the pointer, else what is now. */
export class Chart {
  readonly element: HTMLElement;
  private readonly plot: uPlot;
  private readonly values: readonly HTMLElement[];
  private readonly place = element('div', { class: 'plot', 'aria-hidden': 'true' });

  /**
   * @param span of time that it shows, s.
   * @param pointed told the moment under the pointer, s since 1970, or null.
   */
  constructor(
    private readonly plan: ChartPlan,
    private readonly store: SeriesStore,
    palette: Palette,
    span: () => number,
    pointed: (at: number | null) => void,
  ) {
    const { title, unit, lines } = plan;
    this.values = lines.map(() => element('b', {}, UNKNOWN));
    const legend = lines.map(({ label, colour }, index) =>
      element('li', { class: `line-${colour}` }, `${label} `, this.values[index] ?? null),
    );
    const heading = element('h3', {}, title, element('span', { class: 'muted' }, ` ${unit}`));
    this.element = element(
      'figure',
      { class: 'card chart' },
      element('figcaption', {}, heading, element('ul', { class: 'legend' }, ...legend)),
      this.place,
    );
    this.plot = new uPlot(this.options(palette, span, pointed), this.data(), this.place);
    new ResizeObserver(() => this.fit()).observe(this.place);
  }

  /** Draws what the store has now. */
  draw(): void {
    this.plot.setData(this.data());
    this.tell();
  }

  private fit(): void {
    const width = this.place.clientWidth;
    if (width > 0) this.plot.setSize({ width, height: HEIGHT });
  }

  private data(): uPlot.AlignedData {
    return this.store.table(this.plan.lines.map(({ name }) => name));
  }

  private tell(): void {
    const idx = this.plot.cursor.idx ?? null;
    for (const [index, { name }] of this.plan.lines.entries()) {
      const value = idx === null ? this.store.latest(name) : this.plot.data[index + 1]?.[idx];
      const target = this.values[index];
      if (target !== undefined) setText(target, this.plan.format(value ?? null));
    }
  }

  private options(
    palette: Palette,
    span: () => number,
    pointed: (at: number | null) => void,
  ): uPlot.Options {
    const ticks = { stroke: () => palette('--line'), width: 1 };
    const axis = { stroke: () => palette('--muted'), font: FONT, grid: ticks };
    return {
      width: 300,
      height: HEIGHT,
      padding: [6, 6, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: SYNC }, drag: { x: false, y: false }, points: { size: 5 } },
      hooks: {
        setCursor: [
          (plot) => {
            this.tell();
            pointed(plot.data[0][plot.cursor.idx ?? -1] ?? null);
          },
        ],
      },
      scales: {
        x: {
          range: (plot) => {
            const last = plot.data[0].at(-1) ?? 0;
            return [last - span(), last];
          },
        },
        y: { range: (_, __, max) => [0, max === null || max <= 0 ? 1 : max * 1.08] },
      },
      axes: [
        {
          ...axis,
          size: 20,
          gap: 2,
          space: 64,
          ticks: { ...ticks, size: 3 },
          values: (_, splits) => splits.map(clockTime),
        },
        {
          ...axis,
          size: AXIS_WIDTH,
          gap: 4,
          space: 22,
          ticks: { show: false },
          ...(this.plan.binary === true ? { incrs: POWERS_OF_TWO } : {}),
          values: (_, splits) =>
            splits.map((value) =>
              this.plan.binary === true ? this.plan.format(value) : short(value),
            ),
        },
      ],
      series: [
        {},
        ...this.plan.lines.map(({ label, colour }) => ({
          label,
          stroke: () => palette(`--series-${colour}`),
          width: 1.5,
          dash: DASHES[colour],
          points: { show: false },
        })),
      ],
    };
  }
}

/** A step of an axis: no figure more than it needs. */
function short(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}

/** A time of day as the gateway's logs have it; @param at seconds since 1970. */
export function clockTime(at: number): string {
  const date = new Date(at * 1000);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
