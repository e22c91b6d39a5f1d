import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GatewayProcess, bareSettings } from '../../src/bench/load/gateway-process.js';
import { writeCertificates } from '../../src/config/certificates.js';
import { GatewayClient, createQuicClient } from '../../src/sdk/client/index.js';
import { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { ZONES } from '../../src/routing/zone.js';
import { eventually } from '../support/quic-harness.js';

const CLIENTS = 4;
const KILLS = 2;
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-journal-kill-'));
const journal = join(folder, 'journal');
const running: { stop(): Promise<void> }[] = [];
let ports = { quic: 0, grpc: 0 };

/** A gateway process of its own with a journal, on the ports of the last one; needs `make build`. */
async function start(): Promise<GatewayProcess> {
  const gateway = new GatewayProcess({
    ...bareSettings(folder, ports),
    'journal.path': journal,
    'overload_protection.max_event_loop_delay': '0s',
  });
  running.push(gateway);
  ports = await gateway.ports();
  return gateway;
}

/** One client under load: pushes that were accepted for it, and what it got. */
class Visitor {
  readonly accepted: string[] = [];
  readonly got: string[] = [];
  readonly seqs: number[] = [];
  readonly recovered: boolean[] = [];
  answered = 0;

  constructor(
    readonly openid: string,
    readonly client: GatewayClient,
  ) {
    client.onPush((push) => {
      this.got.push(push.text);
      this.seqs.push(push.seq);
    });
    client.on('connected', ({ recovered }) => this.recovered.push(recovered));
  }
}

const upstreams: UpstreamServer[] = [];
const executed = new Map<string, number>();
const visitors: Visitor[] = [];
let load = true;

async function pushAll(visitor: Visitor): Promise<void> {
  for (let index = 0; load; index++) {
    const data = `${visitor.openid}/p${index}`;
    const taken = await (upstreams[0] as UpstreamServer)
      .push({ openid: visitor.openid, type: 't', data })
      .then(
        () => true,
        () => false,
      );
    if (taken) visitor.accepted.push(data);
    else await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function askAll(visitor: Visitor): Promise<void> {
  for (let index = 0; load; index++) {
    const data = `${visitor.openid}/r${index}`;
    await visitor.client.request('echo', { data }).then(
      () => visitor.answered++,
      () => undefined,
    );
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

beforeAll(async () => {
  await writeCertificates(folder);
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
      const client = new GatewayClient({ address, openid, shared, maxDelayMs: 200 });
      visitors.push(new Visitor(openid, client));
      await client.connect();
    }
    const work = visitors.flatMap((visitor) => [pushAll(visitor), askAll(visitor)]);
    for (let kill = 1; kill <= KILLS; kill++) {
      const target = visitors.map(({ accepted }) => accepted.length + 20);
      const busy = () => visitors.every(({ accepted }, at) => accepted.length > Number(target[at]));
      await eventually(busy, 'some pushes between two kills');
      process.kill(gateway.pid, 'SIGKILL');
      // A write that the kill cut short: the rest of a record is missing.
      const newest = join(journal, readdirSync(journal).sort().at(-1) as string);
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

    for (const visitor of visitors) {
      const has = new Set(visitor.got);
      const all = () =>
        visitor.accepted.every((text) => has.has(text) || visitor.got.includes(text));
      await eventually(all, `every accepted push of ${visitor.openid}`);
      expect(new Set(visitor.got).size).toBe(visitor.got.length);
      const order = visitor.got.map((text) => Number(/\d+$/.exec(text)));
      expect(order).toEqual([...order].sort((one, other) => one - other));
      const ascending = visitor.seqs.every(
        (seq, at) => at === 0 || seq > Number(visitor.seqs[at - 1]),
      );
      expect(ascending).toBe(true);
      // The machine went on: nothing is missing, and the client is told so.
      expect([visitor.openid, ...visitor.recovered]).not.toContain(false);
    }
    expect([...executed].filter(([, times]) => times > 1)).toEqual([]);
  }, 120_000);
});
