import { expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { PATIENT_CLIENT } from '../support/patience.js';

function client(gateway: Gateway, openid: string): GatewayClient {
  const address = `127.0.0.1:${gateway.wsPort}`;
  const options = { address, openid, transport: 'websocket', insecure: true } as const;
  return new GatewayClient({ ...PATIENT_CLIENT, ...options, connectTimeoutMs: 1_000 });
}

/** The sum of a metric over its labels. */
async function sum(gateway: Gateway, name: string): Promise<number> {
  const metric = gateway.metrics.registry.getSingleMetric(name);
  const { values } = (await metric?.get()) ?? { values: [] };
  return values.reduce((all, { value }) => all + value, 0);
}

// Connections taken, less those that ended, are those there are: at capacity, too.
test('a connection that is refused counts as refused, and not as one', async () => {
  const harness = new GatewayHarness();
  const gateway = await harness.gateway({
    'server.ws_addr': '127.0.0.1:0',
    'overload_protection.max_connections': '1',
  });
  const [first, second] = [client(gateway, 'first'), client(gateway, 'second')];
  try {
    await first.connect();
    await expect(second.connect()).rejects.toThrow();
    expect(await sum(gateway, 'gatesvr_connections_rejected_total')).toBeGreaterThan(0);
    expect(await sum(gateway, 'gatesvr_connections_total')).toBe(1);
  } finally {
    first.close();
    second.close();
    await harness.close();
  }
});

test('at capacity a client takes the place of its own former connection', async () => {
  const harness = new GatewayHarness();
  const gateway = await harness.gateway({
    'server.ws_addr': '127.0.0.1:0',
    'overload_protection.max_connections': '1',
  });
  const [former, next, stranger] = [
    client(gateway, 'first'),
    client(gateway, 'first'),
    client(gateway, 'stranger'),
  ];
  try {
    await former.connect();
    const replaced = new Promise((resolve) => former.on('closed', resolve));
    await next.connect();
    expect(await replaced).toMatchObject({ reason: 'replaced' });
    await expect(stranger.connect()).rejects.toThrow('503');
    expect(next.state).toBe('connected');
  } finally {
    for (const each of [former, next, stranger]) each.close();
    await harness.close();
  }
});
