import type { LatencyBody, PerformanceBody } from './bodies.js';
import { byId, setText } from './dom.js';
import { UNKNOWN, count, millis } from './format.js';
import { LiveTable } from './live-table.js';

type Stage = LatencyBody & { readonly stage: string };

const ms = (value: (stage: Stage) => number) => (stage: Stage) =>
  stage.count === 0 ? UNKNOWN : millis(value(stage));

/** Percentiles of every stage of a request, of the event loop and of garbage collection. */
export class Stages {
  private readonly table = new LiveTable<Stage>(byId('stages-table', HTMLElement), {
    caption: 'Latency by stage',
    empty: 'Nothing was measured yet.',
    keyOf: ({ stage }) => stage,
    columns: [
      { title: 'Stage', text: ({ stage }) => stage },
      { title: 'p50', figure: true, text: ms(({ p50 }) => p50) },
      { title: 'p90', figure: true, text: ms(({ p90 }) => p90) },
      { title: 'p99', figure: true, text: ms(({ p99 }) => p99) },
      { title: 'max', figure: true, text: ms(({ max }) => max) },
      { title: 'count', figure: true, text: (stage) => count(stage.count) },
    ],
  });

  show({
    latency_ms: stages,
    event_loop: loop,
    gc,
    window_seconds: window,
  }: PerformanceBody): void {
    this.table.show([
      ...Object.entries(stages).map(([stage, figures]) => ({ ...figures, stage })),
      { ...loop.delay_ms, stage: 'loop delay' },
      { ...gc.pause_ms, stage: 'gc pause' },
    ]);
    setText(byId('stages-window', HTMLElement), `last ${Math.round(window)} s`);
  }
}
