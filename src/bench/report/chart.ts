import { against, comparedCases } from './results.js';
import type { Results } from './results.js';
import type { Row } from './row.js';

/** A bar of the chart: below 1 we need less than the peer. */
interface Bar {
  readonly label: string;
  readonly value: number;
  /** What stands beside it. */
  readonly text: string;
}

interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
  /** A line across the bars at this value. */
  readonly mark: number | null;
}

const WIDTH = 760;
const LABEL_WIDTH = 310;
const BAR_HEIGHT = 20;
const ROW = 30;
const TITLE = 46;
const MARGIN = 24;
/** Room for the text behind the longest bar. */
const TEXT_WIDTH = 110;

/** Own background, so that it is readable on any page, light or dark. */
const STYLE = `
    .page { fill: #ffffff } .title { fill: #1f2328; font: 600 15px sans-serif }
    .label, .value { fill: #1f2328; font: 13px sans-serif } .label { text-anchor: end }
    .bar { fill: #0969da } .mark { stroke: #656d76; stroke-dasharray: 4 3 }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117 } .title, .label, .value { fill: #e6edf3 }
      .bar { fill: #4493f8 } .mark { stroke: #9198a1 }
    }`;

/**
 * The results as one SVG picture: our cost relative to the peer's where both were measured in one run,
 * and the cost of a request as sessions grow.
 * @returns null where neither was measured.
 */
export function chartOf(results: Results): string | null {
  const panels = [ratioPanel(results), growthPanel(results)].filter(({ bars }) => bars.length > 0);
  return panels.length === 0 ? null : draw(panels);
}

function ratioPanel({ echo, rate, connects }: Results): Panel {
  const bars: Bar[] = [];
  const add = (label: string, one: Row | undefined, peer: Row | undefined, name: string): void => {
    const value = against(one, peer, name);
    if (Number.isFinite(value)) bars.push({ label, value, text: value.toFixed(2) });
  };
  for (const { ours, streaming, peer, name } of comparedCases(echo)) {
    add(`CPU per request, ${name}`, ours, peer, 'cpuPerRequest');
    add('the same over ProcessStream', streaming, peer, 'cpuPerRequest');
  }
  for (const { ours, streaming, peer, name } of comparedCases(rate)) {
    add(`CPU per request, ${name}`, ours, peer, 'cpuPerRequest');
    add('the same over ProcessStream', streaming, peer, 'cpuPerRequest');
    add(`p99, ${name}`, ours, peer, 'p99');
  }
  for (const { ours, peer } of comparedCases(connects)) {
    add('CPU per connect, TLS handshake', ours, peer, 'cpuPerConnect');
  }
  return {
    title: 'GateSvr beside the lean Go gateway (1 = the same; less is better)',
    bars,
    mark: 1,
  };
}

function growthPanel({ growth }: Results): Panel {
  const bars = (growth?.medians ?? []).map((row) => {
    const value = Number(row['cpuPerRequest']);
    return { label: row.case, value, text: `${value.toFixed(0)} us` };
  });
  return { title: 'CPU per request as sessions grow', bars, mark: null };
}

function draw(panels: readonly Panel[]): string {
  const parts: string[] = [];
  let top = 0;
  for (const panel of panels) {
    parts.push(...drawPanel(panel, top));
    top += TITLE + panel.bars.length * ROW + MARGIN;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img">`,
    `  <title>${escape(panels.map(({ title }) => title).join('; '))}</title>`,
    `  <style>${STYLE}\n  </style>`,
    `  <rect class="page" width="${WIDTH}" height="${top}"/>`,
    ...parts.map((part) => `  ${part}`),
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel({ title, bars, mark }: Panel, top: number): string[] {
  const most = Math.max(mark ?? 0, ...bars.map(({ value }) => value));
  const scale = (WIDTH - LABEL_WIDTH - TEXT_WIDTH) / (most || 1);
  const parts = [`<text class="title" x="${MARGIN}" y="${top + 30}">${escape(title)}</text>`];
  bars.forEach(({ label, value, text }, index) => {
    const y = top + TITLE + index * ROW;
    const width = Math.max(1, Math.round(value * scale));
    const base = y + BAR_HEIGHT - 5;
    parts.push(
      `<text class="label" x="${LABEL_WIDTH - 10}" y="${base}">${escape(label)}</text>`,
      `<rect class="bar" x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="2"/>`,
      `<text class="value" x="${LABEL_WIDTH + width + 8}" y="${base}">${escape(text)}</text>`,
    );
  });
  if (mark !== null) {
    const x = LABEL_WIDTH + Math.round(mark * scale);
    const [from, to] = [top + TITLE - 6, top + TITLE + bars.length * ROW];
    parts.push(`<line class="mark" x1="${x}" y1="${from}" x2="${x}" y2="${to}"/>`);
  }
  return parts;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
