import type { BenchMode, BenchPlan } from '../../bench/client/bench-plan.js';
import type { BenchReport } from '../../bench/client/bench-run.js';
import type { LatencyFigures } from '../../bench/client/latency-recorder.js';
import { latencyTable } from '../latency-table.js';

/** What the latency of a mode is. */
const MEASURED: Record<BenchMode, string> = {
  echo: 'answer',
  push: 'received',
  broadcast: 'received',
  connect: 'connected',
  idle: 'heartbeat',
};

const PIECES: Record<BenchMode, string> = {
  echo: 'requests',
  push: 'pushes',
  broadcast: 'broadcasts',
  connect: 'connects',
  idle: 'heartbeats',
};

/** A finished bench for people. */
export function reportText(report: BenchReport): string {
  const { plan, client, connects } = report;
  const rows: [string, LatencyFigures][] = [[MEASURED[plan.mode], report.latency]];
  if (report.service !== null) rows.push(['  since it was sent', report.service]);
  if (report.acceptance !== null) rows.push(['  until accepted', report.acceptance]);
  if (connects !== null) rows.push(['connect', connects.latency]);
  const lines = [
    headline(plan),
    `${number(report.perSecond)} ${PIECES[plan.mode]} per second${deliveries(report)}`,
    `verified: ${report.verified}`,
    '',
    latencyTable(rows).trimEnd(),
    '',
    `this client used ${client.cpu.toFixed(2)} cores; its event loop was busy ${percent(client.busy)} of the time`,
    ...(connects === null ? [] : [`sessions opened: ${number(connects.perSecond)} per second`]),
    ...report.warnings.map((warning) => `warning: ${warning}`),
  ];
  return `${lines.join('\n')}\n`;
}

function headline(plan: BenchPlan): string {
  const { mode, target, openids, arrival, inFlight, bytes, duration, warmup } = plan;
  const load = arrival.kind === 'open' ? `open loop, ${arrival.rate} per second` : 'closed loop';
  const parts = [`${openids.length} sessions`];
  if (mode === 'idle') parts.push(`a heartbeat each every ${plan.heartbeat / 1000} s`);
  else parts.push(load);
  if (mode === 'echo') parts.push(`at most ${inFlight} under way each`);
  if (mode === 'broadcast') parts.push('one at a time');
  if (mode === 'push' || mode === 'connect') parts.push(`at most ${inFlight} under way`);
  if (mode !== 'connect' && mode !== 'idle') parts.push(`${bytes} bytes`);
  parts.push(`${duration / 1000} s`);
  if (warmup > 0 && mode !== 'idle') parts.push(`after ${warmup / 1000} s of warm-up`);
  return `${mode} at ${target.host}:${target.port}: ${parts.join(', ')}`;
}

function deliveries({ deliveries: count, elapsed }: BenchReport): string {
  return count === null ? '' : `, ${number((count * 1000) / elapsed)} receptions per second`;
}

function number(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 1 : 0 });
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
