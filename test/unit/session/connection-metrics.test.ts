import { expect, test } from '@jest/globals';
import { SessionHarness } from '../../support/session-harness.js';

/** The lines of the export that begin with this name. */
async function exported(harness: SessionHarness, name: string): Promise<string[]> {
  const text = await harness.metrics.registry.metrics();
  return text.split('\n').filter((line) => line.startsWith(name));
}

test('ends of connections are counted by who ended them and why, with their duration', async () => {
  const harness = new SessionHarness();
  const lost = harness.started();
  harness.advance(10_000);
  lost.link.lose();
  harness.settle();
  const kicked = harness.started('bob');
  harness.service.clients.kick({ targetType: 'openid', targetId: 'bob' }, 'spam');
  harness.advance(5_000);
  expect(kicked.closed).not.toBeNull();
  const ended = await exported(harness, 'gatesvr_disconnects_total');
  expect(ended.filter((line) => !line.endsWith(' 0'))).toEqual([
    'gatesvr_disconnects_total{reason="lost",code="none"} 1',
    'gatesvr_disconnects_total{reason="gateway",code="forbidden"} 1',
  ]);
  const lasted = await exported(harness, 'gatesvr_connection_duration_seconds');
  expect(lasted).toContain(
    'gatesvr_connection_duration_seconds_bucket{le="15",transport="memory"} 2',
  );
  expect(lasted).toContain('gatesvr_connection_duration_seconds_count{transport="memory"} 2');
  expect(lasted).toContain(
    'gatesvr_connection_duration_seconds_bucket{le="5",transport="memory"} 1',
  );
});

test('sessions that come back are counted', async () => {
  const harness = new SessionHarness();
  const first = harness.started();
  first.link.lose();
  harness.settle();
  const again = harness.started('alice', { resumeSessionId: first.started.connectionId });
  expect(again.started.resumed).toBe(true);
  expect(await exported(harness, 'gatesvr_reconnects_total')).toEqual([
    'gatesvr_reconnects_total{outcome="recovered"} 1',
    'gatesvr_reconnects_total{outcome="unrecovered"} 0',
  ]);
});
