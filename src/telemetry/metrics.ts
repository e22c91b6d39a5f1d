import { Registry, collectDefaultMetrics } from 'prom-client';
import { EventLoopMetrics } from './event-loop-metrics.js';
import { HealthMetrics } from './health-metrics.js';
import { Http3Metrics } from './http3-metrics.js';
import { JournalMetrics } from './journal-metrics.js';
import { OpsMetrics } from './ops-metrics.js';
import { QuicMetrics } from './quic-metrics.js';
import { ReplicationMetrics } from './replication-metrics.js';
import { SessionMetrics } from './session-metrics.js';
import { TracingMetrics } from './tracing-metrics.js';
import { UpstreamMetrics } from './upstream-metrics.js';
import { WsMetrics } from './ws-metrics.js';

/** prom-client's own measure of the event loop's delay, which EventLoopMetrics replaces, wakes once a day. */
const NEVER_MS = 86_400_000;

/**
 * prom-client fills these from `process._getActiveHandles()`, which ends the process (a failed assertion in Node 20's
 * AsyncWrap::GetOwner) where a handle is open whose object was collected. `nodejs_active_resources` tells the same
 * from a list that leaves such handles out.
 */
const UNSAFE_TO_SCRAPE = ['nodejs_active_handles', 'nodejs_active_handles_total'];

/**
 * Every metric of the gateway, one part per area. Names that dashboards already use are fixed
 * (WIRE.md, "Metric names"); no label may take unbounded values such as a session or an openid.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly quic = new QuicMetrics(this.registry);
  readonly ws = new WsMetrics(this.registry, this.quic.rejected, this.quic.flush);
  readonly http3 = new Http3Metrics(this.registry);
  readonly session = new SessionMetrics(this.registry);
  readonly upstream = new UpstreamMetrics(this.registry);
  readonly health = new HealthMetrics(this.registry);
  readonly ops = new OpsMetrics(this.registry);
  readonly tracing = new TracingMetrics(this.registry);
  readonly journal = new JournalMetrics(this.registry);
  readonly replication = new ReplicationMetrics(this.registry);
  readonly eventLoop = new EventLoopMetrics(this.registry);

  /** @param processMetrics also export CPU, memory, event-loop delay and GC of this process. */
  constructor(processMetrics = false) {
    if (!processMetrics) return;
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: NEVER_MS });
    for (const name of UNSAFE_TO_SCRAPE) this.registry.removeSingleMetric(name);
  }
}
