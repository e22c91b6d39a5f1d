import { BatchFanOut } from '../client/batch-fan-out.js';
import { BroadcastWorkload } from '../client/broadcast-workload.js';
import type { BroadcastOptions } from '../client/broadcast-workload.js';
import { numbered } from '../client/openids.js';
import { GrpcPushGateway } from '../client/push-gateway.js';
import type { PushGateway } from '../client/push-gateway.js';
import { PushWorkload } from '../client/push-workload.js';
import { SessionPool, localTarget } from '../client/session-pool.js';
import type { Workload } from '../client/workload.js';
import type { Contestant } from './contestant.js';
import type { HeartbeatShare } from './heartbeat-part.js';
import { LoadProcess } from './load-process.js';
import { counted, freshPrefix, socketsFor } from './rounds.js';
import type { Emit } from './rounds.js';

export interface FanOutPlan {
  readonly receivers: number;
  readonly bytes: number;
  /** Deliveries that are measured per way of fanning out; a quarter of them more warm up. */
  readonly deliveries: number;
  /** Sessions of the large broadcast; 0: none. */
  readonly audience: number;
  /** Broadcasts to them. */
  readonly broadcasts: number;
}

/** A push by itself is so much dearer that fewer of them tell the same. */
const SINGLE_SHARE = 8;
/** Broadcasts that travel together are so much cheaper that more of them take the same time. */
const TOGETHER_SHARE = 2;
/** Sessions whose heartbeats are timed during the large broadcast. */
const BEATING = 100;
/** Broadcasts before those that are measured. */
const WARM_UP = 1;
/** Heartbeats of them altogether come so often, per second. */
const BEATS_PER_SECOND = 200;

/**
 * What one delivery costs the gateway, its acknowledgement included: one message to many sessions as a
 * broadcast, alone, one after the other and some at once, as a batch of reliable pushes, and as pushes one
 * by one, over a stream and by unary calls. Then a broadcast to a large audience, and what heartbeats of sessions
 * of another process wait meanwhile.
 */
export async function runFanOut(
  contestant: Contestant,
  plan: FanOutPlan,
  emit: Emit,
): Promise<void> {
  const address = `127.0.0.1:${contestant.grpcPort ?? 0}`;
  const [single, batch] = [new GrpcPushGateway(address), new BatchFanOut(address)];
  const unary = new GrpcPushGateway(address, {}, true);
  try {
    const pieces = Math.max(1, Math.round(plan.deliveries / plan.receivers));
    const ways = [
      ['broadcast', pieces, broadcastWith(single)],
      [
        'broadcasts, next when answered,',
        pieces * TOGETHER_SHARE,
        broadcastWith(single, { until: 'answered' }),
      ],
      ['broadcasts, ten at once,', pieces * TOGETHER_SHARE, broadcastWith(single, { atOnce: 10 })],
      ['push, one call per 1,000', pieces, broadcastWith(batch, { everyone: false })],
      ['push, over one stream', Math.ceil(plan.deliveries / SINGLE_SHARE), pushWith(single)],
      ['push, one call each', Math.ceil(plan.deliveries / SINGLE_SHARE), pushWith(unary)],
    ] as const;
    for (const [name, times, make] of ways) {
      const pool = new SessionPool(localTarget(contestant.port));
      const workload = make(pool, plan.bytes);
      try {
        await pool.open(numbered(freshPrefix('fanout'), plan.receivers), workload);
        await measure(contestant, workload, times, {
          name: `${name} to ${plan.receivers.toLocaleString('en-US')}`,
          emit,
        });
      } finally {
        await pool.close();
      }
    }
    if (plan.audience > 0) await largeBroadcast(contestant, plan, single, emit);
  } finally {
    single.close();
    unary.close();
    batch.close();
  }
}

const broadcastWith =
  (gateway: PushGateway, options: Partial<BroadcastOptions> = {}) =>
  (pool: SessionPool, bytes: number) =>
    new BroadcastWorkload(pool.sessions, gateway, { bytes, everyone: true, ...options });

const pushWith = (gateway: PushGateway) => (pool: SessionPool, bytes: number) =>
  new PushWorkload(pool.sessions, gateway, { bytes, inFlight: 64 });

async function measure(
  contestant: Contestant,
  workload: Workload,
  pieces: number,
  { name, emit }: { name: string; emit: Emit },
): Promise<void> {
  await workload.run({ kind: 'closed' }, { pieces: Math.ceil(pieces / 4) });
  const cpuBefore = contestant.gateway.cpuSeconds();
  const { done, elapsedMs } = await workload.run({ kind: 'closed' }, { pieces });
  const cpu = contestant.gateway.cpuSeconds() - cpuBefore;
  const deliveries = workload instanceof BroadcastWorkload ? workload.deliveries : done;
  emit({
    contestant: contestant.name,
    case: name,
    deliveries,
    perSecond: (deliveries * 1000) / elapsedMs,
    cpuPerDelivery: (cpu / deliveries) * 1e6,
    p50: workload.timings.sinceBegun.percentile(50),
    p99: workload.timings.sinceBegun.percentile(99),
  });
}

async function largeBroadcast(
  contestant: Contestant,
  plan: FanOutPlan,
  gateway: PushGateway,
  emit: Emit,
): Promise<void> {
  const { audience, broadcasts, bytes } = plan;
  const pool = new SessionPool(localTarget(contestant.port), { sockets: socketsFor(audience) });
  const workload = new BroadcastWorkload(pool.sessions, gateway, { bytes, everyone: true });
  let hearts: LoadProcess | null = null;
  try {
    await pool.open(numbered(freshPrefix('audience'), audience), workload);
    const args = [contestant.port, BEATING, BEATS_PER_SECOND, WARM_UP + broadcasts].map(String);
    hearts = await LoadProcess.start('heartbeat-part.js', args);
    await workload.run({ kind: 'closed' }, { pieces: WARM_UP });
    await hearts.ask('begin');
    const cpuBefore = contestant.gateway.cpuSeconds();
    const { elapsedMs } = await workload.run({ kind: 'closed' }, { pieces: broadcasts });
    const cpu = contestant.gateway.cpuSeconds() - cpuBefore;
    const { heartbeats, pushes } = (await hearts.ask('end')) as HeartbeatShare;
    if (pushes !== (WARM_UP + broadcasts) * BEATING) {
      throw new Error(`${BEATING} sessions received ${pushes} pushes of ${broadcasts} broadcasts`);
    }
    // The sessions with the heartbeats receive each broadcast as well.
    const deliveries = workload.deliveries + broadcasts * BEATING;
    emit({
      contestant: contestant.name,
      case: counted(audience, 'sessions, broadcast'),
      deliveries,
      perSecond: (deliveries * 1000) / elapsedMs,
      cpuPerDelivery: (cpu / deliveries) * 1e6,
      p50: workload.timings.sinceBegun.percentile(50),
      p99: workload.timings.sinceBegun.percentile(99),
      heartbeats: heartbeats.count,
      heartbeatP50: heartbeats.p50,
      heartbeatP99: heartbeats.p99,
    });
  } finally {
    await hearts?.stop();
    await pool.close();
  }
}
