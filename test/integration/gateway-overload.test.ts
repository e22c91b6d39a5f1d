import { afterEach, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { DeployedClient, DeployedClientError } from '../support/deployed-client.js';
import { DeployedQuic } from '../support/deployed-client-quic.js';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { PATIENT_CLIENT } from '../support/patience.js';

describe('a gateway under too much load', () => {
  let harness: GatewayHarness;
  let quic: DeployedQuic;
  const clients: GatewayClient[] = [];

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await quic.stop();
    await harness.close();
  });

  /** A gateway whose upstreams answer `echo` and note what they executed. */
  async function gatewayWith(
    settings: Record<string, string>,
    prepare: (server: UpstreamServer) => void = () => undefined,
  ) {
    harness = new GatewayHarness();
    const gateway = await harness.gateway(settings);
    quic = new DeployedQuic(() => `127.0.0.1:${gateway.quicPort}`);
    const executed: string[] = [];
    for (const zone of ZONES) {
      await harness.upstream(gateway, zone, (server) => {
        server.handle('echo', ({ data }) => {
          executed.push(Buffer.from(data).toString());
          return { data };
        });
        prepare(server);
      });
    }
    return { gateway, executed };
  }

  function sdkClient(gateway: Gateway, openid: string): GatewayClient {
    const address = `127.0.0.1:${gateway.quicPort}`;
    const client = new GatewayClient({
      ...PATIENT_CLIENT,
      address,
      openid,
      insecure: true,
      refusedRetries: 0,
    });
    clients.push(client);
    return client;
  }

  function deployed(openid: string): DeployedClient {
    return new DeployedClient(quic.open, { openid, hello: false });
  }

  /** Sends `count` requests at once; the code of each answer, in order. */
  function burst(client: DeployedClient, name: string, count: number): Promise<number[]> {
    const answers = Array.from({ length: count }, (_, index) =>
      client.request('echo', `${name}-${index}`).then(
        ({ code, data }) => (data === `${name}-${index}` ? code : -1),
        (error: unknown) => (error instanceof DeployedClientError ? error.code : -2),
      ),
    );
    return Promise.all(answers);
  }

  test('refuses exactly what is above max_qps, loses nothing, and keeps every order', async () => {
    // A window longer than the test: nothing leaves it, so that the shares are exact.
    const { gateway, executed } = await gatewayWith({
      'overload_protection.max_qps': '1',
      'overload_protection.qps_window_seconds': '100',
    });
    const members = ['a', 'b', 'c', 'd'].map((name) => ({ name, client: deployed(name) }));
    for (const { client } of members) await client.connect();
    const codes = await Promise.all(members.map(({ name, client }) => burst(client, name, 50)));
    const all = codes.flat();
    expect(all.filter((code) => code === 200)).toHaveLength(100);
    expect(all.filter((code) => code === 503)).toHaveLength(100);
    expect(new Set(executed).size).toBe(100);
    expect(executed).toHaveLength(100);
    for (const { name, client } of members) {
      expect(client.sequence).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
      const order = executed.filter((text) => text.startsWith(`${name}-`));
      const numbers = order.map((text) => Number(text.slice(2)));
      expect(numbers).toEqual([...numbers].sort((left, right) => left - right));
      client.heartbeat();
    }
    const text = await gateway.metrics.registry.metrics();
    expect(text).toContain('gatesvr_requests_rejected_total{reason="qps"} 100');
    const late = sdkClient(gateway, 'late');
    await late.connect();
    await expect(late.request('echo')).rejects.toMatchObject({ status: 503 });
    for (const { client } of members) expect(client.connected).toBe(true);
  });

  test('keeps a flood of one session from every other', async () => {
    const { gateway } = await gatewayWith({
      'overload_protection.session_qps': '2',
      'overload_protection.session_burst': '30',
    });
    const flooder = deployed('flooder');
    const good = sdkClient(gateway, 'good');
    await flooder.connect();
    await good.connect();
    const flood = burst(flooder, 'f', 400);
    for (let index = 0; index < 20; index++) {
      expect((await good.request('echo', { data: `g${index}` })).text).toBe(`g${index}`);
    }
    const codes = await flood;
    expect(new Set(codes)).toEqual(new Set([200, 429]));
    expect(codes.slice(0, 30)).toEqual(Array<number>(30).fill(200));
    expect(codes.filter((code) => code === 429).length).toBeGreaterThan(200);
    expect(flooder.errors[0]?.detail).toMatch(/^retry_after_ms=\d+$/);
    expect(flooder.sequence).toEqual(Array.from({ length: 400 }, (_, index) => index + 1));
    expect(good.state).toBe('connected');
  });

  test('tells operators: warnings in /health, the load in /stats', async () => {
    const { gateway } = await gatewayWith({
      'server.http_addr': '127.0.0.1:0',
      'overload_protection.max_connections': '1',
      'overload_protection.connection_warning_threshold': '1.0',
      'overload_protection.max_qps': '500',
      // What was asked must still be counted when this test has asked how much it was.
      'overload_protection.qps_window_seconds': '100',
    });
    const ask = async (path: string) =>
      (await (await fetch(`http://127.0.0.1:${gateway.httpPort}${path}`)).json()) as object;
    const warning = 'connections: at or above the warning threshold 1';
    expect(await ask('/health')).not.toMatchObject({
      warnings: expect.arrayContaining([warning]),
    });
    const member = deployed('member');
    await member.connect();
    await burst(member, 'm', 20);
    expect(await ask('/health')).toMatchObject({
      warnings: expect.arrayContaining([warning]),
    });
    const { overload } = (await ask('/stats')) as { overload: Record<string, unknown> };
    expect(overload).toMatchObject({ connections: 1, max_qps: 500, refusing_connections: false });
    expect(overload.current_qps).toBeGreaterThan(0);
  });

  test('warns of requests awaiting upstreams, from the threshold on and no longer', async () => {
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const { gateway } = await gatewayWith(
      {
        'server.http_addr': '127.0.0.1:0',
        'overload_protection.upstream_warning_threshold': '2',
      },
      (server) => server.handle('wait', async ({ data }) => (await answered, { data })),
    );
    const warned = async () => {
      const response = await fetch(`http://127.0.0.1:${gateway.httpPort}/health`);
      const { warnings } = (await response.json()) as { warnings: string[] };
      return warnings.filter((line) => line.includes('awaiting upstreams'));
    };
    const [ann, bob] = ['ann', 'bob'].map((name) => sdkClient(gateway, name));
    await Promise.all([ann?.connect(), bob?.connect()]);
    const first = ann?.request('wait');
    await until(() => gateway.router.view().concurrent === 1);
    expect(await warned()).toEqual([]);
    const second = bob?.request('wait');
    await until(() => gateway.router.view().concurrent === 2);
    expect(await warned()).toEqual([
      'requests awaiting upstreams: at or above the warning threshold 2',
    ]);
    answer();
    await Promise.all([first, second]);
    expect(await warned()).toEqual([]);
  });

  test('closes what one address has too much of with 429, and counts it', async () => {
    const { gateway } = await gatewayWith({ 'overload_protection.address_connections': '2' });
    const [first, second, third] = ['a', 'b', 'c'].map((name) => deployed(name));
    await first?.connect();
    await second?.connect();
    await expect(third?.connect()).rejects.toMatchObject({ code: 429 });
    expect((await burst(first as DeployedClient, 'a', 1))[0]).toBe(200);
    expect(await gateway.metrics.registry.metrics()).toContain(
      'gatesvr_connections_rejected_total{reason="address_connections"} 1',
    );
  });

  test('turns new connections away while its event loop is late; those it has go on', async () => {
    const { gateway } = await gatewayWith({ 'overload_protection.max_event_loop_delay': '50ms' });
    const { overload } = gateway.sessions;
    const member = deployed('member');
    /** On a machine that stands still now and then the loop may be late at any time. */
    const admitted = (client: DeployedClient): Promise<void> =>
      until(async () => {
        await until(() => !overload.view().shedding);
        return client.connect().then(
          () => true,
          (error: unknown) => {
            expect(error).toMatchObject({ code: 503 });
            return false;
          },
        );
      });
    await admitted(member);
    let code = 0;
    // Two samples in time end it; on a machine that is in the way a connection may take longer.
    for (let attempt = 0; attempt < 5 && code !== 503; attempt++) {
      for (let round = 0; round < 50 && !overload.view().shedding; round++) await blockFor(400);
      expect(overload.warnings()).toHaveLength(1);
      code = await deployed(`late-${attempt}`)
        .connect()
        .then(
          () => 200,
          (error: unknown) => (error as DeployedClientError).code,
        );
    }
    expect(code).toBe(503);
    expect(await burst(member, 'm', 5)).toEqual([200, 200, 200, 200, 200]);
    await admitted(deployed('later'));
    expect(await gateway.metrics.registry.metrics()).toMatch(
      /gatesvr_connections_rejected_total\{reason="event_loop_delay"\} [1-9]/,
    );
  });

  test('limits nothing where overload_protection is off', async () => {
    await gatewayWith({
      'overload_protection.enabled': 'false',
      'overload_protection.max_qps': '1',
      'overload_protection.session_qps': '1',
      'overload_protection.address_connections': '1',
      'overload_protection.address_connection_rate': '1',
    });
    const [first, second] = ['a', 'b'].map((name) => deployed(name));
    await first?.connect();
    await second?.connect();
    const codes = await burst(first as DeployedClient, 'a', 50);
    expect(new Set(codes)).toEqual(new Set([200]));
  });
});

/** Keeps the event loop busy, then lets the timers that are due run. */
async function blockFor(ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end);
  await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Waits until a condition holds; the test's own time limit ends it. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
