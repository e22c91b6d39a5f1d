import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { exportGauge } from './tally.js';

/** What /health warns of, and what it will warn of one day. */
export class HealthMetrics {
  constructor(private readonly registry: Registry) {}

  /** Read when Prometheus asks; the operators' side names itself here once. */
  observe(source: {
    warnings(): readonly string[];
    /** ms since 1970. */
    certificateTerms(): readonly {
      readonly key: string;
      readonly begins: number;
      readonly ends: number;
    }[];
  }): void {
    exportGauge(this.registry, 'gatesvr_health_warnings', 'Warnings in /health', () => {
      return source.warnings().length;
    });
    const gauge = (name: string, help: string, part: 'begins' | 'ends') => {
      const exported = new Gauge({
        name,
        help,
        labelNames: ['key'],
        registers: [this.registry],
        collect() {
          for (const term of source.certificateTerms()) {
            exported.set({ key: term.key }, term[part] / 1_000);
          }
        },
      });
    };
    gauge(
      'gatesvr_certificate_not_before_seconds',
      'From when a certificate in use is valid, in seconds since 1970, by the key that names its file',
      'begins',
    );
    gauge(
      'gatesvr_certificate_not_after_seconds',
      'When a certificate in use ends, in seconds since 1970, by the key that names its file',
      'ends',
    );
  }
}
