import { afterEach, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { zoneOf } from '../../src/routing/zone.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { GatewayPair } from '../support/gateway-pair.js';
import { PATIENT_CLIENT } from '../support/patience.js';
import { eventually } from '../support/quic-harness.js';

const OPENID = 'of-an-offer';
const pair = new GatewayPair({
  'backup.heartbeat.timeout': '5s',
  'server.drain_timeout': '100ms',
});
let client: GatewayClient | null = null;

afterEach(async () => {
  await client?.stop().catch(() => undefined);
  await pair.close();
});

const outboxOf = ({ sessions }: Gateway) => sessions.registry.findByOpenid(OPENID)?.outbox;

test('a planned switch whose answer is lost: what comes late takes no number that the other one gives', async () => {
  await pair.start();
  let runs = 0;
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  await pair.harness.upstream(pair.a, zoneOf(OPENID), (server) =>
    server.handle('slow', async () => {
      runs++;
      await finished;
      return { data: 'done' };
    }),
  );
  client = new GatewayClient({
    ...PATIENT_CLIENT,
    addresses: [`127.0.0.1:${pair.a.quicPort}`],
    openid: OPENID,
    insecure: true,
    maxDelayMs: 200,
  });
  await client.connect();
  const answer = client.request('slow', { timeoutMs: 50_000 }).then(
    ({ text }) => text,
    (error: Error) => error.message,
  );
  await eventually(() => runs === 1, 'the request to be under way');

  await pair.loseAnswerToOffer();
  const taken = [...(outboxOf(pair.b) ?? [])].map(({ seq }) => seq);
  expect(taken).toHaveLength(1);
  finish();

  await pair.serves('a');
  await eventually(() => outboxOf(pair.a)?.jump !== null, 'numbers to have jumped');
  expect(outboxOf(pair.a)?.jump?.from).toBe(taken[0]);
  expect(outboxOf(pair.a)?.nextSeq).toBeGreaterThan(2 ** 32);
  expect(await answer).toMatch(/outcome unknown/);
});
