import { afterEach, describe, expect, test } from '@jest/globals';
import type { CoreClientOptions } from '../../../../src/sdk/client/core/options.js';
import { ClientBench } from '../../../support/client-bench.js';
import { turns } from '../../../support/fake-gateway.js';

let bench: ClientBench;

afterEach(() => bench.client.close());

interface Told {
  attempt: number;
  delay: number;
  address: string;
}

function client(options: Partial<CoreClientOptions> = {}): Told[] {
  bench = new ClientBench({ addresses: ['gw:1', 'gw:2'], ...options });
  const told: Told[] = [];
  bench.client.on('reconnecting', (event) => told.push(event));
  return told;
}

describe('a gateway that asks to move', () => {
  test('is left after the delay it named, for the next one; requests wait meanwhile', async () => {
    const told = client();
    const moving: number[] = [];
    bench.client.on('moving', ({ delay }) => moving.push(delay));
    await bench.connect();
    bench.gateway.last.error(0, 0, 503, 'overloaded', 'retry_after_ms=2000');
    await turns();
    const waiting = bench.client.request('echo');
    await bench.pass(1_900);
    expect(bench.gateway.connections).toHaveLength(1);
    expect(bench.gateway.last.requests).toEqual([]);
    await bench.pass(200);
    expect((await waiting).message).toBe('echo');
    expect(bench.client.address).toBe('gw:2');
    expect(moving).toEqual([2_000]);
    expect(told).toEqual([{ attempt: 1, delay: 0, address: 'gw:2' }]);
    expect(bench.log).toEqual([
      'connected:new:whole',
      'notice:503',
      'disconnected:0',
      'connected:resumed:whole',
    ]);
  });

  test('closes the connection earlier: the client comes back at the time that was named', async () => {
    const told = client({ addresses: ['gw:1'] });
    await bench.connect();
    bench.gateway.last.error(0, 0, 503, 'overloaded', 'retry_after_ms=2000');
    await bench.pass(500);
    bench.gateway.last.error(0, 0, 503, 'overloaded', 'the gateway restarts');
    bench.gateway.last.link.finish(503, 'the gateway restarts');
    await turns();
    expect(told).toEqual([{ attempt: 1, delay: 1_500, address: 'gw:1' }]);
    await bench.pass(1_400);
    expect(bench.gateway.connections).toHaveLength(1);
    await bench.pass(200);
    expect(bench.client.state).toBe('connected');
  });

  test('requests in flight are answered first, within bounds', async () => {
    client();
    await bench.connect();
    bench.gateway.onBusiness = () => undefined;
    const slow = bench.client.request('slow', { timeoutMs: 60_000 });
    await turns();
    const old = bench.gateway.last;
    old.error(0, 0, 503, 'overloaded', 'retry_after_ms=1000');
    await bench.pass(3_000);
    expect(bench.gateway.connections).toHaveLength(1);
    const [request] = old.requests;
    if (request !== undefined) bench.gateway.echo(old, request);
    await bench.pass(100);
    expect((await slow).message).toBe('slow');
    expect(bench.gateway.connections).toHaveLength(2);

    const stuck = bench.client.request('stuck', { timeoutMs: 60_000 });
    stuck.catch(() => undefined);
    await turns();
    bench.gateway.last.error(0, 0, 503, 'overloaded', 'retry_after_ms=1000');
    await bench.pass(5_900);
    expect(bench.gateway.connections).toHaveLength(2);
    await bench.pass(300);
    expect(bench.gateway.connections).toHaveLength(3);
    expect(bench.gateway.last.requests.map(({ action }) => action)).toEqual(['stuck']);
  });

  test('a notice without a delay is only a notice, and a second one changes nothing', async () => {
    const told = client();
    await bench.connect();
    bench.gateway.last.error(0, 0, 503, 'overloaded', 'soon');
    await bench.pass(2_000);
    bench.gateway.last.error(0, 0, 503, 'overloaded', 'retry_after_ms=1000');
    bench.gateway.last.error(0, 0, 503, 'overloaded', 'retry_after_ms=9000');
    await bench.pass(1_100);
    expect(told.map(({ delay }) => delay)).toEqual([0]);
    expect(bench.gateway.connections).toHaveLength(2);
  });

  test('close during the wait', async () => {
    client();
    await bench.connect();
    bench.gateway.last.error(0, 0, 503, 'overloaded', 'retry_after_ms=1000');
    await turns();
    bench.client.close();
    await bench.pass(3_000);
    expect(bench.gateway.connections).toHaveLength(1);
    expect(bench.clock.pending).toBe(0);
  });
});

describe('retry-after', () => {
  test.each([
    ['in the refusal of START', 'start'],
    ['in the last frame', 'frame'],
    ['in the reason of the close', 'reason'],
  ])('%s is waited for on top of the backoff', async (_, where) => {
    const told = client({ minDelayMs: 100, random: () => 0.5 });
    if (where === 'start') {
      bench.gateway.onStart = (connection, msgId) =>
        bench.gateway.refuse(connection, msgId, 503, 'retry_after_ms=3000');
      void bench.client.connect().catch(() => undefined);
    } else {
      await bench.connect();
      const { link } = bench.gateway.last;
      if (where === 'frame') bench.gateway.last.error(0, 0, 429, '', 'retry_after_ms=3000');
      link.finish(429, where === 'frame' ? 'full' : 'retry_after_ms=3000');
    }
    await turns();
    expect(told.map(({ attempt, delay }) => [attempt, delay])).toEqual([[1, 3_050]]);
  });
});

describe('events', () => {
  test('connecting, connected, resumed, reconnecting in their order, attempts counted', async () => {
    const log: string[] = [];
    bench = new ClientBench({ minDelayMs: 100, random: () => 0.5 });
    const { client: alice } = bench;
    alice.on('connecting', ({ address, attempt }) => log.push(`connecting ${address} ${attempt}`));
    alice.on('connected', ({ transport }) => log.push(`connected ${transport}`));
    alice.on('resumed', ({ sessionId, recovered }) =>
      log.push(`resumed ${sessionId} ${recovered}`),
    );
    alice.on('reconnecting', ({ attempt, delay }) => log.push(`reconnecting ${attempt} ${delay}`));
    await bench.connect();
    bench.gateway.openError = new Error('down');
    bench.cut();
    await bench.pass(60, 10);
    bench.gateway.openError = null;
    await bench.pass(200, 10);
    expect(log).toEqual([
      'connecting gw:1 0',
      'connected memory',
      'reconnecting 1 50',
      'connecting gw:1 1',
      'reconnecting 2 100',
      'connecting gw:1 2',
      'connected memory',
      'resumed s-1 true',
    ]);
    await bench.pass(6_000);
    bench.cut();
    await turns();
    expect(log.at(-1)).toBe('reconnecting 1 50');
  });

  test('token_expired, and the reason of a kick in closed.error', async () => {
    bench = new ClientBench();
    const seen: unknown[] = [];
    bench.client.on('token_expired', ({ message }) => seen.push(message));
    bench.client.on('closed', ({ reason, error }) => seen.push(reason, error?.message));
    await bench.connect();
    bench.gateway.last.error(0, 0, 401, 'the token has expired', 'token_expired');
    await turns();
    bench.gateway.last.error(0, 0, 403, 'refused', 'spam');
    await turns();
    expect(seen).toEqual([
      'the token has expired',
      'refused',
      'the gateway refused the session with 403: refused: spam',
    ]);
  });

  test('a listener may close the client as it begins to connect', async () => {
    bench = new ClientBench();
    bench.client.on('connecting', () => bench.client.close());
    await expect(bench.client.connect()).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(bench.gateway.tried).toEqual([]);
  });
});

describe('metrics', () => {
  test('tell of connections, requests, pushes and bytes; what they throw harms nobody', async () => {
    const seen: string[] = [];
    let [sent, received] = [0, 0];
    bench = new ClientBench({
      metrics: {
        connected: (transport, resumed) => void seen.push(`connected ${transport} ${resumed}`),
        disconnected: (code) => void seen.push(`disconnected ${code}`),
        reconnecting: (attempt) => void seen.push(`reconnecting ${attempt}`),
        request: (action, outcome, elapsed) => void seen.push(`${action} ${outcome} ${elapsed}`),
        push: ({ title }, waiting) => {
          seen.push(`push ${title} ${waiting}`);
          throw new Error('metrics');
        },
        sent: (bytes) => void (sent += bytes),
        received: (bytes) => void (received += bytes),
      },
    });
    await bench.connect();
    await bench.client.request('echo');
    bench.gateway.onBusiness = () => undefined;
    const late = bench.client.request('late', { timeoutMs: 500 });
    late.catch(() => undefined);
    await bench.pass(600);
    bench.gateway.last.push(2, 'x');
    await turns();
    bench.cut();
    await bench.pass(300);
    expect(seen).toEqual([
      'connected memory false',
      'echo answered 0',
      'late timeout 500',
      'push x 1',
      'disconnected 0',
      'reconnecting 1',
      'connected memory true',
    ]);
    expect(bench.log).toContain('push:2:x');
    expect(bench.errors.map(({ code }) => code)).toEqual(['LISTENER_FAILED']);
    expect(sent).toBeGreaterThan(50);
    expect(received).toBeGreaterThan(50);
  });
});
