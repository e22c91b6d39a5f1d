import { afterEach, describe, expect, test } from '@jest/globals';
import { GatewayApi } from '../support/gateway-api.js';
import { GatewayPair } from '../support/gateway-pair.js';
import { eventually } from '../support/quic-harness.js';

const REGISTRATION = { address: '127.0.0.1:9', zone_id: '003', service_name: 'plain' };
const { address, zone_id } = REGISTRATION;

let pair: GatewayPair;
let api: GatewayApi;

afterEach(async () => {
  api.close();
  await pair.close();
});

/** A pair that refuses, whose standby confirms nothing from here on but answers heartbeats. */
async function withoutConfirmations(): Promise<void> {
  pair = new GatewayPair({
    'backup.sync.mode': 'sync',
    'backup.sync.on_timeout': 'refuse',
    'backup.sync.timeout': '100ms',
  });
  await pair.start();
  api = new GatewayApi(`127.0.0.1:${pair.a.grpcPort}`);
}

function cutStream(cut: boolean): void {
  pair.relays.a.sync.cut = cut;
  if (cut) pair.relays.a.sync.kill();
}

const codeOf = async (method: string, request: unknown) => {
  const { success, error_code } = await api.call(method, request);
  return success === true ? 'success' : error_code;
};

describe('where success is promised to survive a failover', () => {
  test('an upstream is not told that it is registered, or gone, before the standby knows', async () => {
    await withoutConfirmations();
    cutStream(true);
    expect(await codeOf('RegisterUpstream', REGISTRATION)).toBe('REPLICATION_LAG');
    cutStream(false);
    await pair.inSync('a');
    const confirmed = async () => (await codeOf('RegisterUpstream', REGISTRATION)) === 'success';
    await eventually(confirmed, 'the standby to confirm');
    cutStream(true);
    expect(await codeOf('DeregisterUpstream', { address, zone_id })).toBe('REPLICATION_LAG');
  });
});
