import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freeTcpPort, freeUdpPort } from '../../src/bench/load/free-ports.js';
import { GatewayProcess, bareSettings } from '../../src/bench/load/gateway-process.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { createQuicClient } from '../../src/sdk/client/quic-client.js';
import { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { ZONES } from '../../src/routing/zone.js';
import { eventually } from '../support/quic-harness.js';
import { PATIENT_CLIENT } from '../support/patience.js';
import { Visitor } from '../support/visitor.js';
import { writeSharedCertificates } from '../support/shared-certificates.js';

/** An attempt that begins while there is no gateway must not outlast that by far: its repeats back off. */
const SLOW = { ...PATIENT_CLIENT, openTimeoutMs: 10_000 };
const CLIENTS = 4;
const KILLS = 2;
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-journal-kill-'));
const journal = join(folder, 'journal');
const running: { stop(): Promise<void> }[] = [];
/** Always the same: not those that the system gives away while no gateway has them. */
let ports = { quic: 0, grpc: 0 };

/** A gateway process of its own with a journal, on the ports of the last one; needs `make build`. */
async function start(): Promise<GatewayProcess> {
  const gateway = new GatewayProcess({
    ...bareSettings(folder, ports),
    'journal.path': journal,
    'overload_protection.max_event_loop_delay': '0s',
    'watchdog.enabled': 'false',
  });
  running.push(gateway);
  await gateway.ports();
  return gateway;
}

const upstreams: UpstreamServer[] = [];
const executed = new Map<string, number>();
const visitors: Visitor[] = [];
let load = true;

beforeAll(async () => {
  await writeSharedCertificates(folder);
  ports = { quic: await freeUdpPort(), grpc: await freeTcpPort() };
});

afterAll(async () => {
  load = false;
  for (const { client } of visitors) await client.stop().catch(() => undefined);
  for (const each of running.reverse()) await each.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('kill -9 of a gateway with a journal, under load', () => {
  test('every push it called accepted arrives once and in order; no request is executed twice', async () => {
    let gateway = await start();
    for (const zone of ZONES) {
      const gateways = [`127.0.0.1:${ports.grpc}`];
      const upstream = new UpstreamServer({
        zone,
        serviceName: 'kill',
        listen: '127.0.0.1:0',
        gateways,
      });
      upstream.handle('echo', ({ text, data }) => {
        executed.set(text, (executed.get(text) ?? 0) + 1);
        return { data };
      });
      running.push(upstream);
      upstreams.push(upstream);
      await upstream.start();
    }
    const shared = createQuicClient({ ca: readFileSync(join(folder, 'ca.crt')) });
    running.push(shared);
    const address = `127.0.0.1:${ports.quic}`;
    for (let index = 0; index < CLIENTS; index++) {
      const openid = `visitor-${index}`;
      const client = new GatewayClient({ ...SLOW, address, openid, shared, maxDelayMs: 200 });
      visitors.push(new Visitor(openid, client));
      await client.connect();
    }
    const upstream = upstreams[0] as UpstreamServer;
    const work = visitors.map((visitor) => visitor.load(upstream, () => load));
    for (let kill = 1; kill <= KILLS; kill++) {
      const target = visitors.map(({ accepted }) => accepted.length + 20);
      const busy = () => visitors.every(({ accepted }, at) => accepted.length > Number(target[at]));
      await eventually(busy, 'some pushes between two kills');
      process.kill(gateway.pid, 'SIGKILL');
      // A write that the kill cut short: the rest of a record is missing.
      const segments = readdirSync(journal).filter((name) => name.endsWith('.log'));
      const newest = join(journal, segments.sort().at(-1) as string);
      expect(statSync(newest).mode & 0o777).toBe(0o600);
      appendFileSync(newest, Buffer.from([0, 0, 4, 0, 1, 2, 3]));
      gateway = await start();
    }
    const answered = visitors.map((visitor) => visitor.answered);
    const answers = () =>
      visitors.every((visitor, at) => visitor.answered > Number(answered[at]) + 3);
    await eventually(answers, 'answers after the last kill');
    load = false;
    await Promise.all(work);

    for (const visitor of visitors) await visitor.lacksNothing();
    expect([...executed].filter(([, times]) => times > 1)).toEqual([]);
  });
});
