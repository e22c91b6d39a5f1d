import type { EventLoopUtilization } from 'node:perf_hooks';
import { formatAddress } from '../../base/address.js';
import { memoised } from '../../base/lifecycle.js';
import type { BenchPlan } from './bench-plan.js';
import { BroadcastWorkload } from './broadcast-workload.js';
import { ConnectWorkload } from './connect-workload.js';
import { EchoWorkload } from './echo-workload.js';
import { IdleWorkload } from './idle-workload.js';
import { LatencyRecorder } from './latency-recorder.js';
import type { LatencyFigures } from './latency-recorder.js';
import { OwnUpstreams } from './own-upstreams.js';
import { GrpcPushGateway } from './push-gateway.js';
import { PushWorkload } from './push-workload.js';
import { SessionPool } from './session-pool.js';
import type { Workload } from './workload.js';

/** What a bench found; only of work that was verified. Durations in ms. */
export interface BenchReport {
  readonly plan: BenchPlan;
  /** Pieces of work: answers, pushes, broadcasts, connects, heartbeats. */
  readonly done: number;
  readonly elapsed: number;
  readonly perSecond: number;
  /** Since each piece was due: with a rate, nothing is omitted where the gateway was late. */
  readonly latency: LatencyFigures;
  /** Since each piece was begun; null without a rate, where it is the same. */
  readonly service: LatencyFigures | null;
  /** Until the gateway accepted a push or broadcast; null in other modes. */
  readonly acceptance: LatencyFigures | null;
  /** Receptions of broadcasts; null in other modes. */
  readonly deliveries: number | null;
  /** Opening the sessions, handshake and START; null where connecting is the work. */
  readonly connects: { readonly perSecond: number; readonly latency: LatencyFigures } | null;
  /** Of this process while it measured: CPU in cores, and the share of time its event loop was busy. */
  readonly client: { readonly cpu: number; readonly busy: number };
  readonly verified: string;
  /** What a reader of the figures must know. */
  readonly warnings: readonly string[];
}

export type BenchPhase = 'preparing' | 'connecting' | 'warming up' | 'measuring' | 'closing';

export interface BenchProgress {
  readonly phase: BenchPhase;
  /** Of the phase, 0 to 1. */
  readonly share: number;
  readonly done: number;
  /** Who has not been heard of yet, without whom nothing can be done; null: nobody. */
  readonly waitingFor: string | null;
}

/** A client that is busier than this is what was measured, not the gateway. */
const BUSY_CLIENT = 0.9;
/** Below this share of the rate that was asked for, someone could not keep up. */
const KEPT_UP = 0.95;
/** More sessions behind one socket overflow its receive buffer when all are answered at once. */
const SESSIONS_PER_SOCKET = 2_500;
const MIN_SOCKETS = 4;

/** One bench against a running gateway: opens sessions, warms up, measures, verifies, closes. */
export class BenchRun {
  /** Ends it at once, wherever it is; idempotent. */
  readonly stop = memoised(() => this.close());

  private readonly pool: SessionPool;
  private readonly pushes: GrpcPushGateway;
  private readonly upstreams: OwnUpstreams | null;
  private readonly workload: Workload;
  private phase: BenchPhase = 'preparing';

  constructor(private readonly plan: BenchPlan) {
    const { gateway, openids, token, target, timeout } = plan;
    const sockets = Math.max(MIN_SOCKETS, Math.ceil(openids.length / SESSIONS_PER_SOCKET));
    this.pool = new SessionPool(target, { sockets, token, openTimeoutMs: timeout });
    this.pushes = new GrpcPushGateway(gateway.address, gateway.access, plan.unary);
    this.upstreams = plan.ownUpstreams
      ? new OwnUpstreams(gateway.address, gateway.access, timeout)
      : null;
    this.workload = this.buildWorkload();
  }

  progress(): BenchProgress {
    const { phase, workload, pool, plan } = this;
    const waitingFor = this.waitingFor();
    if (phase === 'connecting') {
      const opened = pool.sessions.length;
      return { phase, share: opened / plan.openids.length, done: opened, waitingFor };
    }
    const working = phase === 'warming up' || phase === 'measuring';
    const [share, done] = working ? [workload.share, workload.done] : [0, 0];
    return { phase, share, done, waitingFor };
  }

  /**
   * Runs once.
   * @throws {WorkNotDone} naming what was wrong; {Error} where the gateway cannot be reached.
   */
  async run(): Promise<BenchReport> {
    try {
      await this.upstreams?.start();
      const connects = await this.connect();
      const { warmup, duration, arrival } = this.plan;
      if (warmup > 0 && this.plan.mode !== 'idle') {
        this.phase = 'warming up';
        await this.workload.run(arrival, { ms: warmup });
      }
      this.phase = 'measuring';
      const cpu = process.cpuUsage();
      const loop = performance.eventLoopUtilization();
      const { done, elapsedMs } = await this.workload.run(arrival, { ms: duration });
      return this.report(done, elapsedMs, connects, clientLoad(cpu, loop, elapsedMs));
    } finally {
      await this.stop();
    }
  }

  private waitingFor(): string | null {
    const { phase, pool, plan, upstreams } = this;
    if (phase === 'closing' || pool.reached) return null;
    if (phase === 'preparing' && upstreams !== null) return `gRPC ${plan.gateway.address}`;
    return `UDP ${formatAddress(plan.target.host, plan.target.port)}`;
  }

  private buildWorkload(): Workload {
    const { pool, pushes, plan } = this;
    switch (plan.mode) {
      case 'echo':
        return new EchoWorkload(pool.sessions, plan);
      case 'push':
        return new PushWorkload(pool.sessions, pushes, plan);
      case 'broadcast':
        return new BroadcastWorkload(pool.sessions, pushes, plan);
      case 'connect':
        return new ConnectWorkload(pool, plan);
      case 'idle':
        return new IdleWorkload(pool.sessions, plan.heartbeat);
    }
  }

  private async connect(): Promise<BenchReport['connects']> {
    if (this.plan.mode === 'connect') return null;
    this.phase = 'connecting';
    const latencies = new LatencyRecorder();
    const started = performance.now();
    await this.pool.open(this.plan.openids, this.workload, latencies, this.plan.ramp);
    const seconds = (performance.now() - started) / 1000;
    return { perSecond: this.plan.openids.length / seconds, latency: latencies.figures() };
  }

  private report(
    done: number,
    elapsed: number,
    connects: BenchReport['connects'],
    client: BenchReport['client'],
  ): BenchReport {
    const { plan, workload } = this;
    const { sinceDue, sinceBegun } = workload.timings;
    const pushing = workload instanceof PushWorkload || workload instanceof BroadcastWorkload;
    const perSecond = (done * 1000) / elapsed;
    return {
      plan,
      done,
      elapsed,
      perSecond,
      latency: sinceDue.figures(),
      service: plan.arrival.kind === 'open' ? sinceBegun.figures() : null,
      acceptance: pushing ? workload.acceptance.figures() : null,
      deliveries: workload instanceof BroadcastWorkload ? workload.deliveries : null,
      connects,
      client,
      verified: workload.verified(),
      warnings: warningsOf(plan, perSecond, client),
    };
  }

  private async close(): Promise<void> {
    this.phase = 'closing';
    await this.pool.close();
    await this.upstreams?.stop();
    this.pushes.close();
  }
}

function clientLoad(
  cpuBefore: NodeJS.CpuUsage,
  loopBefore: EventLoopUtilization,
  elapsed: number,
): BenchReport['client'] {
  const { user, system } = process.cpuUsage(cpuBefore);
  const { utilization } = performance.eventLoopUtilization(loopBefore);
  return { cpu: (user + system) / 1000 / elapsed, busy: utilization };
}

function warningsOf(
  plan: BenchPlan,
  perSecond: number,
  { busy }: BenchReport['client'],
): readonly string[] {
  const warnings: string[] = [];
  if (busy > BUSY_CLIENT) {
    const share = `${Math.round(busy * 100)} %`;
    warnings.push(`this client was busy ${share} of the time: it was the limit, not the gateway`);
  }
  const { arrival } = plan;
  if (arrival.kind === 'open' && perSecond < KEPT_UP * arrival.rate) {
    const kept = `${perSecond.toFixed(1)} of ${arrival.rate} per second`;
    warnings.push(`only ${kept} were done: latencies grow with the duration, ask for less`);
  }
  if (plan.ownUpstreams) {
    warnings.push('the upstreams ran in this process and took a part of its CPU');
  }
  return warnings;
}
