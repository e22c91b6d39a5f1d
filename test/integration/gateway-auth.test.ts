import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SystemClock } from '../../src/base/clock.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import type { GatewayClientOptions } from '../../src/sdk/client/index.js';
import { DeployedClient } from '../support/deployed-client.js';
import { DeployedQuic } from '../support/deployed-client-quic.js';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { TokenIssuer, part } from '../support/token-issuer.js';
import { PATIENT_CLIENT } from '../support/patience.js';

const issuer = new TokenIssuer('ES256', 'first');
const successor = new TokenIssuer('EdDSA', 'second');

/** Monotonic time that the test can move on; the wall clock, which tokens name, goes as it goes. */
class SkippingClock extends SystemClock {
  private skipped = 0;

  override now(): number {
    return super.now() + this.skipped;
  }

  skip(ms: number): void {
    this.skipped += ms;
  }
}

/** How long the short tokens of these tests live, s; and auth.grace, s. */
const LIFE_S = 40;
const GRACE_S = 20;

describe('a gateway that verifies tokens', () => {
  const harness = new GatewayHarness();
  const clients: GatewayClient[] = [];
  const keys = join(harness.folder, 'jwks.json');
  const clock = new SkippingClock();
  let gateway: Gateway;

  beforeAll(async () => {
    writeFileSync(keys, JSON.stringify({ keys: [issuer.jwk] }));
    const settings = {
      'auth.mode': 'jwt',
      'auth.jwks_file': keys,
      'auth.clock_tolerance': '0s',
      'auth.grace': `${GRACE_S}s`,
    };
    gateway = await harness.gateway(settings, clock);
    for (const zone of ZONES) {
      await harness.upstream(gateway, zone, (server) =>
        server.handle('echo', ({ data }) => ({ data })),
      );
    }
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await harness.close();
  });

  function client(openid: string, token: GatewayClientOptions['token']): GatewayClient {
    const made = new GatewayClient({
      ...PATIENT_CLIENT,
      address: `127.0.0.1:${gateway.quicPort}`,
      openid,
      token,
      insecure: true,
    } as GatewayClientOptions);
    clients.push(made);
    return made;
  }

  const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

  test('lets in whoever has a good one, and nobody else', async () => {
    const alice = client('alice', issuer.token({ sub: 'alice', exp: inSeconds(60) }));
    await alice.connect();
    expect((await alice.request('echo', { data: 'hi' })).text).toBe('hi');
    const bad = [
      issuer.token({ sub: 'alice', exp: inSeconds(60) }),
      issuer.token({ sub: 'bob', exp: inSeconds(-1) }),
      `${part({ alg: 'none' })}.${part({ sub: 'bob' })}.`,
      'default-token',
    ];
    for (const token of bad) {
      await expect(client('bob', token).connect()).rejects.toMatchObject({
        status: 401,
        detail: 'the token was not accepted',
      });
    }
    expect(gateway.sessions.registry.findByOpenid('bob')).toBeUndefined();
    const text = await gateway.metrics.registry.getSingleMetricAsString(
      'gatesvr_auth_failures_total',
    );
    expect(text).toContain('reason="wrong_subject"} 1');
    expect(text).toContain('reason="expired"} 1');
    // Else it would renew its token when time is skipped, and be taken for another.
    alice.close();
  });

  test('tells a client whose token runs out, and closes with 401 when nothing new comes', async () => {
    const quic = new DeployedQuic(() => `127.0.0.1:${gateway.quicPort}`);
    const token = issuer.token({ sub: 'carol', exp: inSeconds(LIFE_S) });
    const carol = new DeployedClient(quic.open, { openid: 'carol', token, hello: false });
    await carol.connect();
    clock.skip(LIFE_S * 1_000);
    await until(() => carol.errors.length === 1);
    expect(carol.closes).toEqual([]);
    clock.skip(GRACE_S * 1_000);
    await until(() => carol.closes.length > 0);
    expect(carol.errors).toMatchObject(
      [1, 2].map(() => ({ msgId: 0, seqId: 0, code: 401, detail: 'token_expired' })),
    );
    const { active } = gateway.sessions.registry.findByOpenid('carol') ?? {};
    expect(active).toBe(false);
    await quic.stop();
  });

  test('goes on with an SDK that brings a new token when the old one runs out', async () => {
    let asked = 0;
    const erin = client('erin', () =>
      issuer.token({ sub: 'erin', exp: inSeconds(asked++ === 0 ? LIFE_S : 3_600) }),
    );
    const events: string[] = [];
    erin.on('notice', ({ code, detail }) => events.push(`${code} ${detail}`));
    erin.on('disconnected', () => events.push('disconnected'));
    await erin.connect();
    const { startRequests } = gateway.metrics.session;
    const starts = startRequests.value;
    clock.skip(LIFE_S * 1_000);
    await until(() => asked === 2 && startRequests.value > starts);
    await erin.request('echo', { data: 'renewed' });
    // Longer than the grace time: a token that was not renewed would end the connection.
    clock.skip(2 * GRACE_S * 1_000);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await erin.request('echo', { data: 'still here' })).text).toBe('still here');
    expect(events).toEqual(['401 token_expired']);
    expect(erin.state).toBe('connected');
  });

  test('takes the keys of a rotated set without a restart', async () => {
    const token = successor.token({ sub: 'dave', exp: inSeconds(60) });
    await expect(client('dave', token).connect()).rejects.toMatchObject({ status: 401 });
    writeFileSync(keys, JSON.stringify({ keys: [issuer.jwk, successor.jwk] }));
    await until(
      () =>
        client('dave', token)
          .connect()
          .then(
            () => true,
            () => false,
          ),
      500,
    );
    writeFileSync(keys, 'broken');
    await client('dave', token).connect();
  });
});

/** Waits until a condition holds; the test's own time limit ends it. */
async function until(holds: () => boolean | Promise<boolean>, pause = 20): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, pause));
}
