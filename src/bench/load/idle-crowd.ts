import { LoadProcess } from './load-process.js';
import type { IdleShare } from './idle-part.js';

/**
 * Sessions that one process holds well. With more, its own collections of garbage are so long that datagrams overflow
 * its sockets meanwhile, and what it measures is itself; with fewer, more processes are woken for less each.
 */
const SESSIONS_PER_PROCESS = 50_000;

/** Connecting a process's share, ms: 100,000 take two minutes on two cores. */
const OPEN_PATIENCE_MS = 600_000;

/** As IdlePlan; times in ms. */
export interface CrowdPlan {
  readonly sessions: number;
  readonly heartbeatEvery: number;
  readonly ramp: number;
}

/** What the processes saw together. */
export interface CrowdFigures {
  readonly sent: number;
  readonly answered: number;
  readonly disconnects: number;
  readonly faults: readonly string[];
  /** The worst process's 99th percentile of heartbeats, ms. */
  readonly heartbeatP99: number;
  /** The longest time that one of the client processes itself stood still, ms. */
  readonly clientStall: number;
}

/** Idle sessions, each with its heartbeats, in as many processes as hold them well. */
export class IdleCrowd {
  private constructor(private readonly parts: readonly LoadProcess[]) {}

  /** @throws {Error} where a process cannot be started. */
  static async start(port: number, plan: CrowdPlan): Promise<IdleCrowd> {
    const { sessions, heartbeatEvery, ramp } = plan;
    const processes = Math.ceil(sessions / SESSIONS_PER_PROCESS);
    const starts = Array.from({ length: processes }, (_, index) => {
      const share = Math.floor((sessions + index) / processes);
      return LoadProcess.start('idle-part.js', [port, share, heartbeatEvery, ramp].map(String));
    });
    return new IdleCrowd(await Promise.all(starts));
  }

  /** Connects them all. @throws {Error} where one is refused. */
  async open(): Promise<void> {
    const refusals = await Promise.all(
      this.parts.map((part) => part.ask('open', OPEN_PATIENCE_MS)),
    );
    const refusal = refusals.find((text) => text !== null);
    if (refusal !== undefined) throw new Error(String(refusal));
  }

  /** From now on heartbeats count. */
  async begin(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.ask('begin')));
  }

  /** Ends the heartbeats. */
  async end(): Promise<CrowdFigures> {
    const shares = (await Promise.all(this.parts.map((part) => part.ask('end')))) as IdleShare[];
    const sum = (of: (share: IdleShare) => number): number =>
      shares.reduce((total, share) => total + of(share), 0);
    return {
      sent: sum((share) => share.sent),
      answered: sum((share) => share.answered),
      disconnects: sum((share) => share.disconnects),
      faults: shares.flatMap(({ fault }) => fault ?? []),
      heartbeatP99: Math.max(...shares.map(({ heartbeats }) => heartbeats.p99)),
      clientStall: Math.max(...shares.map(({ ownStall }) => ownStall)),
    };
  }

  /** Ends the processes. */
  async stop(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.stop()));
  }
}
