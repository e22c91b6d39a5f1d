import { build } from 'hdr-histogram-js';
import type { Contestant } from './contestant.js';
import { SessionPool } from './load.js';
import type { LoadSession } from './load-session.js';

export interface EchoPlan {
  readonly sessions: number;
  readonly inFlight: number;
  readonly bytes: number;
  /** Requests before the measured ones: code is compiled, windows are open. */
  readonly warmup: number;
  readonly requests: number;
}

export interface EchoResult {
  readonly contestant: string;
  readonly requests: number;
  readonly perSecond: number;
  /** Of the gateway process, user and system, microseconds. */
  readonly cpuPerRequest: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/**
 * Closed loop: every session keeps `inFlight` requests under way until all are answered. Each answer
 * is compared byte for byte with what was asked; one that differs ends the run.
 * @throws {Error} where anything but the right answers came.
 */
export async function runEcho(contestant: Contestant, plan: EchoPlan): Promise<EchoResult> {
  const run = new EchoRun(plan);
  const pool = new SessionPool(contestant.port, run);
  try {
    await pool.open(plan.sessions, `echo-${process.pid}-${Date.now()}`);
    await run.ask(pool.sessions, plan.warmup);
    const cpuBefore = contestant.gateway.cpuSeconds();
    const started = performance.now();
    await run.ask(pool.sessions, plan.requests);
    const seconds = (performance.now() - started) / 1000;
    const cpu = contestant.gateway.cpuSeconds() - cpuBefore;
    return {
      contestant: contestant.name,
      requests: plan.requests,
      perSecond: plan.requests / seconds,
      cpuPerRequest: (cpu / plan.requests) * 1e6,
      p50: run.percentile(50),
      p99: run.percentile(99),
    };
  } finally {
    await pool.close();
  }
}

class EchoRun {
  private readonly latencies = build({ highestTrackableValue: 60_000_000 });
  private readonly asked = new Map<LoadSession, Map<number, { data: Buffer; at: number }>>();
  private left = 0;
  private awaited = 0;
  private next = 2;
  private finished: { resolve: () => void; reject: (error: Error) => void } | null = null;

  constructor(private readonly plan: EchoPlan) {}

  percentile(share: number): number {
    return this.latencies.getValueAtPercentile(share) / 1000;
  }

  ask(sessions: readonly LoadSession[], requests: number): Promise<void> {
    this.latencies.reset();
    this.left = this.awaited = requests;
    return new Promise((resolve, reject) => {
      this.finished = { resolve, reject };
      for (const session of sessions) {
        if (!this.asked.has(session)) this.asked.set(session, new Map());
        for (let index = 0; index < this.plan.inFlight; index++) this.send(session);
      }
    });
  }

  private send(session: LoadSession): void {
    if (this.left === 0) return;
    this.left--;
    const msgId = this.next++;
    const data = Buffer.alloc(this.plan.bytes, msgId & 0xff);
    data.writeUInt32BE(msgId, 0);
    this.asked.get(session)?.set(msgId, { data, at: performance.now() });
    session.request(msgId, 'echo', data);
  }

  onAnswer(session: LoadSession, msgId: number, data: Uint8Array): void {
    const asked = this.asked.get(session);
    const request = asked?.get(msgId);
    if (request === undefined || !request.data.equals(data)) {
      return this.onFault(session, `a wrong answer to request ${msgId}`);
    }
    asked?.delete(msgId);
    this.latencies.recordValue(Math.max(1, Math.round((performance.now() - request.at) * 1000)));
    if (--this.awaited === 0) this.finished?.resolve();
    else this.send(session);
  }

  onFault(session: LoadSession, reason: string): void {
    this.finished?.reject(new Error(`${session.openid}: ${reason}`));
  }
}
