import { expect, test } from '@jest/globals';
import { FRAME_PREFIX_BYTES } from '../../../src/wire/limits.js';
import { SessionHarness } from '../../support/session-harness.js';
import type { BareClient } from '../../support/session-harness.js';

/** What a client sends and gets from here on, in bytes of whole frames. */
function weighed(client: BareClient): { sent: number; received: number } {
  const weight = { sent: 0, received: 0 };
  const { link } = client;
  const send = link.send.bind(link);
  link.send = (frame) => {
    weight.sent += frame.length;
    return send(frame);
  };
  const onFrame = client.onFrame.bind(client);
  client.onFrame = (bytes) => {
    weight.received += FRAME_PREFIX_BYTES + bytes.length;
    onFrame(bytes);
  };
  return weight;
}

test('frames count with their prefix both ways, the last word among them', () => {
  const harness = new SessionHarness();
  const client = harness.client();
  const weight = weighed(client);
  client.start('alice').business(1);
  harness.answer(0);
  client.ack(1).heartbeat();
  harness.service.clients.kick({ targetType: 'openid', targetId: 'alice' }, 'spam');
  harness.settle();
  expect(client.last).toMatchObject({ code: 403 });
  const { bytesIn, bytesOut } = harness.metrics.session;
  expect({ sent: bytesIn.value, received: bytesOut.value }).toEqual(weight);
});
