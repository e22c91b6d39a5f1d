import type { Registry } from 'prom-client';
import type { EventLoopLag } from './event-loop-monitor.js';
import { exportGauge } from './tally.js';

const MS_PER_SECOND = 1_000;

/** Names as those of prom-client, which dashboards know, and what each tells. */
const GAUGES: readonly [keyof EventLoopLag, string][] = [
  ['min', 'The shortest time that an event waited for the event loop'],
  ['max', 'The longest time that an event waited for the event loop'],
  ['mean', 'How long events waited for the event loop on average'],
  ['stddev', 'The standard deviation of how long events waited for the event loop'],
  ['p50', 'The 50th percentile of how long events waited for the event loop'],
  ['p90', 'The 90th percentile of how long events waited for the event loop'],
  ['p99', 'The 99th percentile of how long events waited for the event loop'],
];

/**
 * How late events are handled. prom-client measures it too, but wakes the process a hundred times a second for
 * it, and counts its own period of 10 ms in.
 */
export class EventLoopMetrics {
  constructor(private readonly registry: Registry) {}

  /** Read when Prometheus asks; whoever measures names itself here once. */
  observe(source: { lag(): EventLoopLag }): void {
    for (const [figure, help] of GAUGES) {
      const name = `nodejs_eventloop_lag_${figure}_seconds`;
      this.registry.removeSingleMetric(name);
      exportGauge(this.registry, name, `${help}, over the last 10 to 20 seconds`, () => {
        return source.lag()[figure] / MS_PER_SECOND;
      });
    }
  }
}
