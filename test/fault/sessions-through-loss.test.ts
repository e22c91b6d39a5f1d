import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { zoneOf } from '../../src/routing/zone.js';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { UdpProxy } from '../../src/bench/load/udp-proxy.js';
import { PATIENCE_MS, PATIENT_CLIENT } from '../support/patience.js';

const SESSIONS = 200;
const REQUESTS = 12;
const PUSHES = 12;
/** Longer than the SDK takes to notice that its path is dead (3 s), so that every client reconnects. */
const OUTAGE_MS = 5_000;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** One client and everything it saw. */
class Witness {
  readonly pushes: string[] = [];
  readonly errors: string[] = [];
  answers = 0;
  reconnects = 0;
  readonly client: GatewayClient;

  constructor(
    readonly openid: string,
    port: number,
  ) {
    this.client = new GatewayClient({
      ...PATIENT_CLIENT,
      // An attempt that begins in the outage must not outlast it by far: its repeats back off.
      openTimeoutMs: 10_000,
      requestTimeoutMs: 5 * PATIENCE_MS,
      address: `127.0.0.1:${port}`,
      openid,
      insecure: true,
      maxDelayMs: 1_000,
    });
    this.client.onPush((push) => this.pushes.push(push.text));
    this.client.on('error', (error) => this.errors.push(error.message));
    this.client.on('unrecovered', () => this.errors.push('unrecovered'));
    this.client.on('connected', ({ resumed }) => (this.reconnects += resumed ? 1 : 0));
  }

  /** Sends its requests at a pace that spans the whole course of events. */
  async ask(spread: number): Promise<void> {
    for (let index = 0; index < REQUESTS; index++) {
      const text = `${this.openid}/${index}`;
      const answer = await this.client.request('echo', { data: text });
      if (answer.text !== text) throw new Error(`${text} was answered with ${answer.text}`);
      this.answers++;
      await pause(spread / REQUESTS);
    }
  }
}

describe('200 sessions through a network that loses, doubles, reorders, delays and rebinds', () => {
  const harness = new GatewayHarness();
  const executions = new Map<string, number>();
  const upstreams = new Map<string, UpstreamServer>();
  let gateway: Gateway;
  let proxy: UdpProxy;

  beforeAll(async () => {
    gateway = await harness.gateway();
    for (const zone of ZONES) {
      const upstream = await harness.upstream(gateway, zone, (server) =>
        server.handle('echo', async (request) => {
          const key = `${request.sessionId}/${request.clientSeqId}`;
          executions.set(key, (executions.get(key) ?? 0) + 1);
          await request.pushBefore({ type: 'b', data: `before ${request.text}` });
          void request.pushAfter({ type: 'a', data: `after ${request.text}` });
          return { data: request.data };
        }),
      );
      upstreams.set(zone, upstream);
    }
    const bad = { loss: 0.05, duplicate: 0.02, reorder: 0.05, delay: 2, jitter: 8 };
    const targetPort = gateway.quicPort;
    proxy = await UdpProxy.start({ targetPort, seed: 7, toServer: bad, toClient: bad });
  });

  afterAll(async () => {
    await proxy.close();
    await harness.close();
  });

  test('each sees an exact order, loses nothing, and nothing is executed twice', async () => {
    const witnesses = Array.from(
      { length: SESSIONS },
      (_, index) => new Witness(`lossy-${index}`, proxy.port),
    );
    // Not all at once: a machine that cannot finish 200 handshakes in the server's 10 s finishes none.
    for (let next = 0; next < SESSIONS; next += 50) {
      const group = witnesses.slice(next, next + 50);
      await Promise.all(group.map((witness) => witness.client.connect()));
    }

    const asking = witnesses.map((witness) => witness.ask(8_000));
    const pushing = witnesses.map((witness) => pushAll(witness.openid));
    const course = (async () => {
      await pause(1_500);
      proxy.rebind();
      await pause(1_500);
      proxy.blackhole(true);
      await pause(OUTAGE_MS);
      proxy.blackhole(false);
      await pause(1_500);
      proxy.rebind();
    })();
    await Promise.all([...asking, ...pushing, course]);
    await settle(witnesses);

    for (const witness of witnesses) verify(witness);
    expect([...executions.values()].filter((count) => count !== 1)).toEqual([]);
    expect(executions.size).toBe(SESSIONS * REQUESTS);
    expect(witnesses.filter((witness) => witness.reconnects > 0).length).toBeGreaterThan(0);
    expect(proxy.counters.toServer.lost).toBeGreaterThan(0);
    await Promise.all(witnesses.map((witness) => witness.client.stop()));
  }, 600_000);

  async function pushAll(openid: string): Promise<void> {
    for (let index = 0; index < PUSHES; index++) {
      await upstreams.get(zoneOf(openid))?.push({ openid, type: 'p', data: `push ${index}` });
      await pause(700);
    }
  }

  /** Waits until the last pushes have crossed the bad network. */
  async function settle(witnesses: readonly Witness[]): Promise<void> {
    const due = PUSHES + 2 * REQUESTS;
    const deadline = Date.now() + PATIENCE_MS;
    const missing = () => witnesses.some((witness) => witness.pushes.length < due);
    while (missing() && Date.now() < deadline) await pause(100);
  }

  function verify(witness: Witness): void {
    expect(witness.errors).toEqual([]);
    expect(witness.answers).toBe(REQUESTS);
    const plain = witness.pushes.filter((text) => text.startsWith('push '));
    expect(plain).toEqual(Array.from({ length: PUSHES }, (_, index) => `push ${index}`));
    const bound = witness.pushes.filter((text) => !text.startsWith('push '));
    const pairs = Array.from({ length: REQUESTS }, (_, index) => {
      const text = `${witness.openid}/${index}`;
      return [`before ${text}`, `after ${text}`];
    });
    expect(bound).toEqual(pairs.flat());
  }
});
