import { setTimeout as pause } from 'node:timers/promises';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { same } from '../verify.js';

/** Time in which a push to the wrong client would have arrived, ms. */
const SETTLE_MS = 100;

/** Services push to one client, and to all. */
export async function pushes(stage: Stage, transcript: Transcript): Promise<void> {
  const { visitors, service } = stage;
  transcript.chapter('Services push, to one client and to all');
  const receiver = stage.visitorOf('002');
  await transcript.claim(`a push to ${receiver.name} reaches ${receiver.name} alone`, async () => {
    await service.push({ openid: receiver.name, type: 'mail', title: 'You have mail' });
    await receiver.hasPushes('mail', 1);
    await pause(SETTLE_MS);
    const counts = visitors.map((visitor) => visitor.pushesOf('mail').length);
    same(counts, [0, 1, 0, 0, 0, 0], 'pushes received by each client');
    return `"${receiver.pushesOf('mail')[0]?.message}"`;
  });
  await transcript.claim('content, data and metadata arrive as they were sent', async () => {
    const data = new Uint8Array([0, 1, 254, 255]);
    const metadata = { trace: 'abc' };
    await service.push({ openid: receiver.name, type: 'file', content: 'four', data, metadata });
    await receiver.hasPushes('file', 1);
    const [push] = receiver.pushesOf('file');
    same([...(push?.data ?? [])], [...data], 'data');
    same([push?.content, push?.headers['trace']], ['four', 'abc'], 'content and metadata');
  });
  await transcript.claim('a push with the same idempotency key is delivered once', async () => {
    const order = { openid: receiver.name, type: 'order', idempotencyKey: 'order-1' };
    await service.push(order);
    await service.push(order);
    await receiver.hasPushes('order', 1);
    await pause(SETTLE_MS);
    same(receiver.pushesOf('order').length, 1, 'deliveries');
  });
  await transcript.claim('a broadcast, asked for by a client, reaches every client', async () => {
    const caller = stage.visitorOf('005');
    const answer = await caller.ask('broadcast', { data: 'lunch is ready' });
    same(answer.json(), { sent_count: visitors.length }, 'answer');
    await Promise.all(visitors.map((visitor) => visitor.hasPushes('broadcast', 1)));
    for (const visitor of visitors) {
      same(visitor.pushesOf('broadcast')[0]?.content, 'lunch is ready', `${visitor.name}'s copy`);
    }
    return `sent by ${caller.name} to ${visitors.length}`;
  });
  await transcript.claim('a push to somebody who is not there is refused, not lost', async () => {
    const refusal = await service.push({ openid: 'nobody', type: 'mail' }).then(
      () => 'accepted',
      (error: { code?: string }) => error.code,
    );
    same(refusal, 'OPENID_OFFLINE', 'error code');
  });
}
