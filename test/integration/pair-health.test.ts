import { afterEach, describe, expect, test } from '@jest/globals';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayPair } from '../support/gateway-pair.js';
import { ask } from '../support/ops-double.js';
import { eventually } from '../support/quic-harness.js';

let pair: GatewayPair;

afterEach(() => pair.close());

async function unservedZones({ httpPort }: Gateway): Promise<string[]> {
  const { text } = await ask({ port: httpPort, path: '/health' });
  const { warnings } = JSON.parse(text) as { warnings: string[] };
  return warnings.filter((line) => line.endsWith('has no upstream'));
}

/** What is said of a gateway that waits for the other one. */
const waiting = ({ pair }: Gateway) =>
  pair?.warnings().find((line) => line.endsWith('say gatesvr switch --solo')) ?? '';

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

  test('a gateway that does not serve says whom it waits for, and what to do', async () => {
    pair = new GatewayPair({ 'backup.on_peer_loss': 'step_down' });
    await pair.start();
    expect([waiting(pair.a), waiting(pair.b)]).toEqual(['', '']);
    pair.cut = true;
    await eventually(() => waiting(pair.a) !== '', 'the warning of the primary that stepped down');
    expect(waiting(pair.a)).toMatch(
      /^this primary waits for its backup, which may have taken over/,
    );
    expect(pair.a.pair?.state).toBe('silent');
    await pair.a.stop();
    const a = await pair.boot('a');
    await eventually(() => waiting(a) !== '', 'the warning of the one that starts');
    expect(waiting(a)).toMatch(
      /^this gateway waits for its peer, which may serve \(.*connect.*\): /,
    );
    pair.cut = false;
    await eventually(() => a.pair?.state === 'backup' && waiting(a) === '', 'the peer');
  });

  test('a gateway that its peer refuses says why', async () => {
    pair = new GatewayPair();
    await pair.open();
    await pair.boot('a');
    const b = await pair.boot('b', { 'backup.cluster_secret': 'another one' });
    await eventually(() => waiting(b) !== '', 'the warning');
    expect(waiting(b)).toMatch(/has another backup\.cluster_secret\)/);
  });
});
