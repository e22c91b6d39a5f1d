import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { exportGauge } from './tally.js';

/** What /health warns of, and what it will warn of one day. */
export class HealthMetrics {
  constructor(private readonly registry: Registry) {}

  /** Read when Prometheus asks; the operators' side names itself here once. */
  observe(source: {
    warnings(): readonly string[];
    /** `ends`: ms since 1970. */
    certificateEnds(): readonly { readonly key: string; readonly ends: number }[];
  }): void {
    exportGauge(this.registry, 'gatesvr_health_warnings', 'Warnings in /health', () => {
      return source.warnings().length;
    });
    const gauge = new Gauge({
      name: 'gatesvr_certificate_not_after_seconds',
      help: 'When a certificate in use ends, in seconds since 1970, by the key that names its file',
      labelNames: ['key'],
      registers: [this.registry],
      collect() {
        for (const { key, ends } of source.certificateEnds()) gauge.set({ key }, ends / 1_000);
      },
    });
  }
}
