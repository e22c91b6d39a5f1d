import { setTimeout as pause } from 'node:timers/promises';
import { numbered } from '../client/openids.js';
import { UpstreamServer } from '../../sdk/upstream/index.js';
import { servePart } from './load-process.js';

// Pushes to all openids in turn, each numbered from 1 and tried again until a gateway has answered for
// it; arguments: prefix and number of openids, pushes per second, gRPC ports of the gateways. `begin`
// starts, `end` answers with how many each openid was promised, in the order of the openids.

/** How long one push is tried, ms: longer than any failover. */
const RETRY_MS = 120_000;
const TICK_MS = 10;
/** Calls under way; above it the pushes wait for the gateway. */
const AT_ONCE = 256;

const [prefix = '', count = '1', perSecond = '1', ...ports] = process.argv.slice(2);
const openids = numbered(prefix, Number(count));
const accepted = new Uint32Array(openids.length);
const busy = new Set<number>();
const faults: string[] = [];
const service = new UpstreamServer({
  zone: '001',
  serviceName: 'pushes',
  listen: '127.0.0.1:0',
  gateways: ports.map((port) => `127.0.0.1:${port}`),
  callTimeoutMs: 2_000,
});
let next = 0;
let begunAt = 0;
let begun = 0;
let timer: NodeJS.Timeout | null = null;

function pushDue(): void {
  const due = Math.floor(((performance.now() - begunAt) * Number(perSecond)) / 1000);
  while (begun < due && busy.size < AT_ONCE) {
    begun++;
    const index = next;
    next = (next + 1) % openids.length;
    if (!busy.has(index)) void pushTo(index);
  }
}

async function pushTo(index: number): Promise<void> {
  busy.add(index);
  const openid = openids[index] as string;
  const data = `${(accepted[index] as number) + 1}`;
  const push = { openid, type: 'news', data, idempotencyKey: `${openid}/${data}` };
  try {
    await service.push({ ...push, retryForMs: RETRY_MS });
    accepted[index] = Number(data);
  } catch (error) {
    faults.push(`push ${data} to ${openid}: ${String(error)}`);
  }
  busy.delete(index);
}

servePart(null, {
  begin: () => {
    begunAt = performance.now();
    timer = setInterval(pushDue, TICK_MS);
    return null;
  },
  end: async () => {
    if (timer !== null) clearInterval(timer);
    while (busy.size > 0) await pause(TICK_MS);
    return { accepted: [...accepted], fault: faults[0] ?? null };
  },
});
