import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { holds, same } from '../verify.js';

/** Requests of each client, all under way at once. */
const BURST = 50;

/** What the action `status` of the demo service tells. */
interface Status {
  readonly zone: string;
  readonly pid: number;
  readonly requests: number;
}

/** Requests reach the upstream of their zone, once each. */
export async function requests(stage: Stage, transcript: Transcript): Promise<void> {
  transcript.chapter('Requests reach the upstream of their zone');
  for (const visitor of stage.visitors) {
    const { name, zone } = visitor;
    await transcript.claim(`${name} asks and zone ${zone} answers`, async () => {
      const status = (await visitor.ask('status')).json() as Status;
      same(status.zone, zone, 'zone that answered');
      same(status.pid, stage.upstreamOf(zone).pid, 'process that answered');
      return `process ${status.pid}`;
    });
  }
  const total = BURST * stage.visitors.length;
  await transcript.claim(`${total} requests at once, each answered with its own data`, async () => {
    await Promise.all(stage.visitors.map((visitor) => burst(stage, visitor.zone)));
  });
}

/** Every request of a burst gets its own answer, and the upstream has executed it once. */
async function burst(stage: Stage, zone: string): Promise<void> {
  const visitor = stage.visitorOf(zone);
  const before = ((await visitor.ask('status')).json() as Status).requests;
  const texts = Array.from({ length: BURST }, (_, n) => `${visitor.name} ${n}`);
  const answers = await Promise.all(texts.map((data) => visitor.ask('echo', { data })));
  holds(
    answers.every(({ text }, index) => text === texts[index]),
    `${visitor.name} got the answer to another request`,
  );
  const after = ((await visitor.ask('status')).json() as Status).requests;
  same(after - before, BURST + 1, `requests that zone ${zone} executed`);
}
