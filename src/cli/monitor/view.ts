import { shortMs } from '../latency-table.js';
import { ratesBetween } from './snapshot.js';
import type { Snapshot, StageLatency, ZoneLine } from './snapshot.js';

/** How words are marked; plain text where nothing may be. */
export interface Paint {
  heading(text: string): string;
  bad(text: string): string;
}

export const PLAIN: Paint = { heading: (text) => text, bad: (text) => text };
export const COLOURS: Paint = {
  heading: (text) => `\u001b[1m${text}\u001b[0m`,
  bad: (text) => `\u001b[31m${text}\u001b[0m`,
};

const MIB = 1024 * 1024;
const COLUMN = 10;
/** States of an instance and a gateway that want no attention. */
const GOOD = new Set(['ok', 'serving']);

/**
 * A gateway in lines: what it holds, what it does, how long that takes, whom it relies on.
 * @param before an earlier snapshot, for rates; null: only the gateway's own average is known.
 */
export function monitorLines(
  now: Snapshot,
  before: Snapshot | null,
  paint: Paint = PLAIN,
): string[] {
  return [
    ...overview(now, before, paint),
    // Above what a small screen cuts off.
    ...now.warnings.map((warning) => paint.bad(`! ${warning}`)),
    '',
    ...latencies(now, paint),
    '',
    ...upstreams(now.zones, paint),
  ];
}

function overview(now: Snapshot, before: Snapshot | null, paint: Paint): string[] {
  const { sessions, qps, memory } = now;
  const state = GOOD.has(now.state) ? now.state : paint.bad(now.state);
  const limit = qps.max === null ? '' : ` of ${count(qps.max)}`;
  const load = [
    now.refusing ? paint.bad('refusing new connections') : 'accepting',
    `${count(qps.current)}${limit} requests/s averaged`,
    `${count(now.limitedAddresses)} limited addresses`,
  ];
  return [
    `${paint.heading('gatesvr')} ${now.version}  ${state}  up ${uptime(now.uptimeSeconds)}`,
    `sessions    ${count(sessions.active)} active, ${count(sessions.detached)} detached, ${count(now.connections)} connections, ${count(sessions.pending)} frames pending`,
    `traffic     ${traffic(now, before)}`,
    `load        ${load.join(', ')}`,
    `process     cpu ${now.cpu.toFixed(2)} cores, rss ${mib(memory.rss)}, heap ${mib(memory.heapUsed)} of ${mib(memory.heapLimit)}, loop busy ${Math.round(now.loop.utilization * 100)} %`,
  ];
}

function traffic(now: Snapshot, before: Snapshot | null): string {
  const under = `${count(now.inFlight)} in flight`;
  if (before === null) {
    const { requests, pushes } = now.totals;
    return `${count(requests)} requests and ${count(pushes)} pushes so far, ${under}`;
  }
  const rates = ratesBetween(before, now);
  const bytes = `in ${kib(rates.bytesIn)}/s, out ${kib(rates.bytesOut)}/s`;
  return `${count(rates.requests)} requests/s, ${count(rates.pushes)} pushes/s, ${count(rates.frames)} frames/s, ${under}, ${bytes}`;
}

function latencies({ stages, loop, gc }: Snapshot, paint: Paint): string[] {
  const head = ['p50', 'p90', 'p99', 'max', 'count'].map((name) => name.padStart(COLUMN)).join('');
  const rows = [...stages, { ...loop, stage: 'loop delay' }, gc].map(latencyRow);
  return [paint.heading(`${'latency ms'.padEnd(12)}${head}`), ...rows];
}

function latencyRow({ stage, p50, p90, p99, max, count: counted }: StageLatency): string {
  const cells = [p50, p90, p99, max].map((value) => (counted === 0 ? '-' : shortMs(value)));
  const all = [...cells, count(counted)];
  return `${stage.padEnd(12)}${all.map((cell) => cell.padStart(COLUMN)).join('')}`;
}

function upstreams(zones: readonly ZoneLine[], paint: Paint): string[] {
  if (zones.length === 0) return ['no sessions and no upstreams yet'];
  const head = 'zone      sessions  in flight  upstreams';
  return [paint.heading(head), ...zones.flatMap((zone) => zoneRows(zone, paint))];
}

function zoneRows({ zone, sessions, inFlight, upstreams: instances }: ZoneLine, paint: Paint) {
  const head = `${zone.padEnd(8)}${count(sessions).padStart(10)}${count(inFlight).padStart(11)}  `;
  if (instances.length === 0) return [`${head}${paint.bad('none')}`];
  return instances.map((each, index) => {
    const state = GOOD.has(each.state) ? each.state : paint.bad(each.state);
    const figures = `${each.address} ${each.service}  ${state}  ${shortMs(each.latencyMs)} ms, ${count(each.inFlight)} in flight, ${count(each.failures)} failures`;
    const fault = GOOD.has(each.state) || each.lastError === '' ? '' : `: ${each.lastError}`;
    return `${index === 0 ? head : ' '.repeat(head.length)}${figures}${fault}`;
  });
}

function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 1 : 0 });
}

function mib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}

function kib(bytes: number): string {
  return `${count(bytes / 1024)} KiB`;
}

function uptime(seconds: number): string {
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [Math.floor(seconds) % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  const shown = first === -1 ? parts.slice(-1) : parts.slice(first, first + 2);
  return shown.map(([value, unit]) => `${value}${unit}`).join(' ');
}
