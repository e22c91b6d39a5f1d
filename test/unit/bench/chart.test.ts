import { describe, expect, test } from '@jest/globals';
import { chartOf } from '../../../src/bench/report/chart.js';
import { sampleResults } from './sample-results.js';

/** Bars of a chart: what each is called, and how long it is. */
function bars(svg: string): [string, number][] {
  const labels = [...svg.matchAll(/class="label"[^>]*>([^<]*)</g)].map(([, text = '']) => text);
  const widths = [...svg.matchAll(/class="bar"[^>]* width="(\d+)"/g)].map(([, text]) =>
    Number(text),
  );
  expect(widths).toHaveLength(labels.length);
  return labels.map((label, index) => [label, widths[index] ?? 0]);
}

describe('the chart', () => {
  const { echo, rate, connects, growth } = sampleResults();

  test('is one SVG in which bars are as long as their ratio to the peer', () => {
    const svg = chartOf({ echo, rate, connects }) ?? '';
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 760 \d+"/);
    expect(svg.match(/<svg/g)).toHaveLength(1);
    const drawn = new Map(bars(svg));
    const [unary = 0, connect = 0] = [
      drawn.get('CPU per request, 50 sessions x 8'),
      drawn.get('CPU per connect, TLS handshake'),
    ];
    expect(unary / connect).toBeCloseTo(0.6 / 0.35, 1);
    const mark = Number(/class="mark" x1="(\d+)"/.exec(svg)?.[1]) - 310;
    expect(unary / mark).toBeCloseTo(0.6, 2);
  });

  test('has colours for light and for dark pages, of its own background and its text', () => {
    const svg = chartOf({ growth }) ?? '';
    const [light = '', dark = ''] = svg.split('@media (prefers-color-scheme: dark)');
    for (const style of [light, dark]) expect(style).toMatch(/\.page \{ fill: #[0-9a-f]{6} \}/);
    expect(dark).toMatch(/\.title, \.label, \.value \{ fill: #/);
    expect(svg).toContain('<rect class="page" width="760"');
  });

  test('stays within its width, every text escaped', () => {
    const odd = { ...growth, medians: [{ contestant: 'a', case: '<b> & c', cpuPerRequest: 1e9 }] };
    const svg = chartOf({ growth: odd }) ?? '';
    expect(svg).toContain('&lt;b&gt; &amp; c');
    for (const [, width] of bars(svg)) expect(310 + width).toBeLessThan(760 - 100);
  });

  test('shows growth alone where there was no peer, and is none where there is nothing', () => {
    const { medians } = echo;
    const alone = { ...echo, medians: medians.slice(0, 2) };
    expect(bars(chartOf({ echo: alone, growth }) ?? '').map(([label]) => label)).toEqual([
      '100 sessions',
      '10000 sessions',
    ]);
    expect(chartOf({ echo: alone })).toBeNull();
    expect(chartOf({})).toBeNull();
  });
});
