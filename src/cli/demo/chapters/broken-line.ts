import { setTimeout as pause } from 'node:timers/promises';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { same, until } from '../verify.js';

/** Pushes that are on their way while the line breaks, and when it does. */
const PUSHES = 200;
const CUT_AFTER = 60;
const PUSH_EVERY_MS = 5;

/** A client loses its connection without a goodbye while pushes arrive, and misses nothing. */
export async function brokenLine(stage: Stage, transcript: Transcript): Promise<void> {
  const { traveller, network, service } = stage;
  const { name } = traveller;
  transcript.chapter(`${name}'s network breaks while pushes arrive`);
  const before = traveller.pushes.at(-1)?.seq ?? 0;
  const answersBefore = traveller.answers;
  const session = traveller.client.sessionId;
  const sending = sendPushes(stage);
  sending.catch(() => undefined);
  await traveller.hasPushes('tick', CUT_AFTER);
  network.cut(false);
  const early = traveller.pushesOf('tick').length;
  transcript.tell(`the line is cut after push ${CUT_AFTER}; neither side is told`);
  const request = traveller.ask('echo', { data: 'are you there?' });

  await transcript.claim(
    `${name} notices, connects anew and resumes the same session`,
    async () => {
      await until(() => traveller.connections.length === 2, 'a second connection');
      const [, again] = traveller.connections;
      same([again?.resumed, again?.recovered], [true, true], 'resumed and recovered');
      same(again?.sessionId, session, 'session id');
    },
  );
  await transcript.claim('the request that was under way is answered', async () => {
    same((await request).text, 'are you there?', 'answer');
  });
  await transcript.claim(`all ${PUSHES} pushes arrive, each once and in order`, async () => {
    same(await sending, PUSHES, 'pushes that the gateway accepted');
    await traveller.hasPushes('tick', PUSHES);
    const numbers = traveller.pushesOf('tick').map(({ content }) => Number(content));
    const expected = Array.from({ length: PUSHES }, (_, n) => n + 1);
    same(numbers, expected, 'numbers of the pushes');
    return `${early} before the cut, ${PUSHES - early} after it`;
  });
  await transcript.claim('their sequence numbers have no gap', async () => {
    // The answer takes a number too; wherever it came, pushes and answers fill the range.
    await service.push({ openid: name, type: 'tock' });
    await traveller.hasPushes('tock', 1);
    const last = traveller.pushes.at(-1)?.seq ?? 0;
    const received = PUSHES + 1 + (traveller.answers - answersBefore);
    same(last - before, received, `numbers from ${before + 1} to ${last}`);
    same(traveller.losses, [], 'losses reported by the SDK');
    return `${before + 1} to ${last}`;
  });
}

/** Pushes numbered texts to the traveller. @returns how many the gateway accepted. */
async function sendPushes({ service, traveller }: Stage): Promise<number> {
  let accepted = 0;
  for (let number = 1; number <= PUSHES; number++) {
    await service.push({ openid: traveller.name, type: 'tick', content: String(number) });
    accepted++;
    await pause(PUSH_EVERY_MS);
  }
  return accepted;
}
