import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { same } from '../verify.js';

const COUNT = 3;

/** Pushes bound to a request arrive before or after its answer, as their sender wished. */
export async function order(stage: Stage, transcript: Transcript): Promise<void> {
  transcript.chapter('Pushes keep their place around an answer');
  const pushed = Array.from({ length: COUNT }, (_, n) => `${n + 1} of ${COUNT}`);
  await transcript.claim(`${COUNT} BEFORE pushes come before the answer, in order`, async () => {
    const order = await wireOrder(stage, 'before');
    same(order, [...pushed, 'answer'], 'order');
    return order.join(', ');
  });
  await transcript.claim(`${COUNT} AFTER pushes come after the answer, in order`, async () => {
    const order = await wireOrder(stage, 'after');
    same(order, ['answer', ...pushed], 'order');
    return order.join(', ');
  });
}

/**
 * What a client is sent because of one request, in the order of the sequence numbers. Of the numbers
 * between two marks the one that no push has is the answer's.
 */
async function wireOrder(stage: Stage, action: 'before' | 'after'): Promise<string[]> {
  const visitor = stage.visitorOf('004');
  const mark = async (): Promise<number> => {
    const count = visitor.pushesOf('mark').length + 1;
    await stage.service.push({ openid: visitor.name, type: 'mark' });
    await visitor.hasPushes('mark', count);
    return visitor.pushesOf('mark').at(-1)?.seq ?? 0;
  };
  const first = await mark();
  await visitor.ask(action, { params: { count: String(COUNT) } });
  await visitor.hasPushes(action, COUNT);
  const last = await mark();
  const titles = new Map(visitor.pushesOf(action).map(({ seq, title }) => [seq, title]));
  const between = Array.from({ length: last - first - 1 }, (_, n) => first + 1 + n);
  return between.map((seq) => titles.get(seq) ?? 'answer');
}
