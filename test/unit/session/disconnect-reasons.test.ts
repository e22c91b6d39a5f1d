import { expect, test } from '@jest/globals';
import { ErrorCode } from '../../../src/wire/error-catalogue.js';
import { SessionHarness } from '../../support/session-harness.js';

/** The ends of connections that were counted: `reason/code number`. */
async function counted(harness: SessionHarness): Promise<string[]> {
  const text = await harness.metrics.registry.metrics();
  const ends = text.matchAll(
    /^gatesvr_disconnects_total\{reason="(\w+)",code="(\w+)"\} ([1-9]\d*)$/gm,
  );
  return [...ends].map(([, reason, code, count]) => `${reason}/${code} ${count}`);
}

// PROTOCOL.md tells a client to close by itself when it has read the last frame: most ends come so.
test('an end counts for who decided it, also where the other side closes first', async () => {
  const harness = new SessionHarness();
  const kicked = harness.started('alice');
  harness.service.clients.kick({ targetType: 'openid', targetId: 'alice' }, 'spam');
  kicked.link.close(ErrorCode.None, 'read to the end');
  harness.settle();
  expect(await counted(harness)).toEqual(['gateway/forbidden 1']);

  const replaced = harness.started('bob');
  harness.started('bob');
  replaced.link.close(ErrorCode.None, 'read to the end');
  harness.settle();
  expect(await counted(harness)).toEqual(['gateway/replaced 1', 'gateway/forbidden 1']);

  harness.started('carol').stop();
  harness.advance(5_000);
  expect(await counted(harness)).toEqual([
    'client/none 1',
    'gateway/replaced 1',
    'gateway/forbidden 1',
  ]);
});
