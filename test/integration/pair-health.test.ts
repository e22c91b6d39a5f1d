import { afterEach, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayPair } from '../support/gateway-pair.js';
import { ask } from '../support/ops-double.js';

let pair: GatewayPair;

afterEach(() => pair.close());

async function unservedZones({ httpPort }: Gateway): Promise<string[]> {
  const { text } = await ask({ port: httpPort, path: '/health' });
  const { warnings } = JSON.parse(text) as { warnings: string[] };
  return warnings.filter((line) => line.endsWith('has no upstream'));
}

describe('/health of a pair', () => {
  test('zones without upstreams are a warning of the primary, whichever that is', async () => {
    pair = new GatewayPair({ 'server.http_addr': '127.0.0.1:0' });
    await pair.start();
    expect(await unservedZones(pair.a)).toHaveLength(6);
    expect(await unservedZones(pair.b)).toEqual([]);
    pair.a.pair?.switchTo('backup');
    await pair.inSync('b');
    expect(await unservedZones(pair.b)).toHaveLength(6);
    expect(await unservedZones(pair.a)).toEqual([]);
  });
});
