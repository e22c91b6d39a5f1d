import { mkdirSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { Gateway } from '../../src/gateway/gateway.js';
import { zoneOf } from '../../src/routing/zone.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { GatewayPair } from '../support/gateway-pair.js';
import { PATIENT_CLIENT } from '../support/patience.js';
import { eventually } from '../support/quic-harness.js';
import { TcpRelay } from '../support/replication-nodes.js';

const OPENID = 'of-the-unknown';
/** What must not happen is given so long to happen, ms: many turns of everything that could let it. */
const WATCHED_MS = 500;

let pair: GatewayPair;
let client: GatewayClient | null = null;
let upstream: UpstreamServer;
/** Through which the gateways reach the upstream. */
let toUpstream: TcpRelay;
/** What the request came to at its client; empty until then. */
let outcomes: string[];
let pushes: { text: string; seq: number }[];
let recovered: boolean[];
let finish: () => void = () => undefined;

const outboxOf = ({ sessions }: Gateway) => sessions.registry.findByOpenid(OPENID)?.outbox;
const seqsAt = (gateway: Gateway) => [...(outboxOf(gateway) ?? [])].map(({ seq }) => seq);

/** A pair that refuses, and a client of both whose first request is under way at the primary. */
async function start(settings: Record<string, string> = {}): Promise<void> {
  outcomes = [];
  pushes = [];
  recovered = [];
  toUpstream = new TcpRelay();
  pair = new GatewayPair({
    'backup.sync.mode': 'sync',
    'backup.sync.on_timeout': 'refuse',
    // A standby that is there has longer than a machine stands still.
    'backup.sync.timeout': '1m',
    'server.drain_timeout': '100ms',
    'overload_protection.upstream_timeout': '10m',
    ...settings,
  });
  await pair.start();
  const finished = new Promise<void>((resolve) => (finish = resolve));
  let runs = 0;
  const gateways = [pair.a, pair.b].map(({ grpcPort }) => `127.0.0.1:${grpcPort}`);
  upstream = await pair.harness.upstream(
    pair.a,
    zoneOf(OPENID),
    (server) =>
      server.handle('slow', async () => {
        runs++;
        await finished;
        return { data: 'done' };
      }),
    { gateways, advertise: `127.0.0.1:${await toUpstream.start()}` },
  );
  toUpstream.target = upstream.port;
  client = new GatewayClient({
    ...PATIENT_CLIENT,
    addresses: [pair.a, pair.b].map(({ quicPort }) => `127.0.0.1:${quicPort}`),
    openid: OPENID,
    insecure: true,
    maxDelayMs: 200,
  });
  client.onPush(({ text, seq }) => pushes.push({ text, seq }));
  client.on('connected', (connected) => recovered.push(connected.recovered));
  await client.connect();
  client.request('slow', { timeoutMs: 600_000 }).then(
    ({ text }) => outcomes.push(text),
    (error: Error) => outcomes.push(error.message),
  );
  await eventually(() => runs === 1, 'the request to be under way');
}

afterEach(async () => {
  finish();
  await client?.stop().catch(() => undefined);
  client = null;
  await pair.close();
  await toUpstream.stop();
});

/** The request's outcome is told once, and the session goes on behind it under the numbers that it had. */
async function expectUnknownOnce(serving: Gateway): Promise<void> {
  await eventually(() => outcomes.length > 0, 'the outcome');
  await upstream.push({ openid: OPENID, type: 't', data: 'after', retryForMs: 50_000 });
  await eventually(() => pushes.length > 0, 'the push');
  expect(outcomes).toEqual([expect.stringMatching(/outcome unknown/)]);
  expect(pushes).toEqual([{ text: 'after', seq: 2 }]);
  expect(recovered).not.toContain(false);
  await eventually(() => seqsAt(serving).length === 0, 'the acknowledgement');
}

describe('under on_timeout refuse an unknown outcome is told only once a standby has it', () => {
  test('after the primary died: when it is back', async () => {
    await start();
    pair.cut = true;
    await pair.serves('b');
    await pair.a.stop();
    await eventually(() => pair.b.sessions.activeCount() === 1, 'the client at the new primary');
    expect(seqsAt(pair.b)).toEqual([1]);
    await pause(WATCHED_MS);
    expect(outcomes).toEqual([]);

    pair.cut = false;
    await pair.boot('a');
    await pair.inSync('b');
    await expectUnknownOnce(pair.b);
  });

  test('after a cut wire, at whose other end the answer came: when it is mended', async () => {
    await start();
    pair.cut = true;
    await pair.serves('b');
    await pair.serves('a');
    finish();
    await eventually(() => seqsAt(pair.a).length === 1, 'the answer at the former primary');
    expect([seqsAt(pair.a), seqsAt(pair.b)]).toEqual([[1], [1]]);
    await pause(WATCHED_MS);
    expect(outcomes).toEqual([]);

    pair.cut = false;
    await pair.inSync('b');
    await expectUnknownOnce(pair.b);
  });

  test('after a planned switch whose answer was lost: when the two have met again', async () => {
    await start();
    await pair.loseAnswerToOffer();
    finish();
    await pair.serves('a');
    await eventually(() => outboxOf(pair.a)?.jump !== null, 'numbers to have jumped');
    expect(seqsAt(pair.b)).toEqual([1]);
    expect(seqsAt(pair.a)[0]).toBeGreaterThanOrEqual(2 ** 32);
    await pause(WATCHED_MS);
    expect(outcomes).toEqual([]);

    pair.relays.b.heartbeat.tamper = null;
    pair.cut = false;
    await pair.inSync('b');
    await expectUnknownOnce(pair.b);
  });

  test('while a planned switch is offered: when the backup has declined it', async () => {
    // Nobody is taken for dead while the offer is on its way.
    await start({ 'backup.heartbeat.timeout': '1m' });
    // In the way of the file that would make the backup the primary.
    mkdirSync(`${pair.file('b', 'role')}.new`);
    const { heartbeat } = pair.relays.b;
    heartbeat.cut = true;
    heartbeat.kill();
    pair.a.pair?.switchTo('backup');
    await eventually(() => pair.a.pair?.numbers === false, 'the offer');
    toUpstream.cut = true;
    toUpstream.kill();
    const { late } = pair.a.sessions.environment;
    await eventually(() => late['waiting'].length === 1, 'the outcome');
    await pause(WATCHED_MS);
    expect([seqsAt(pair.a), pair.a.sessions.inFlight(), outcomes]).toEqual([[], 1, []]);

    heartbeat.cut = false;
    await expectUnknownOnce(pair.a);
    expect(pair.b.pair?.state).toBe('backup');
    // While its goodbye gets through: the primary would wait for it, to hand over before it stops.
    await pair.b.stop();
  });
});
