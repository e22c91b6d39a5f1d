import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { holds, readPage, same } from '../verify.js';

const ZONE = '003';

/** An upstream is killed, and another one takes its place. */
export async function lostUpstream(stage: Stage, transcript: Transcript): Promise<void> {
  const { deployment, visitors } = stage;
  const visitor = stage.visitorOf(ZONE);
  transcript.chapter(`The upstream of zone ${ZONE} is killed and replaced`);
  const killed = stage.upstreamOf(ZONE);
  killed.kill('SIGKILL');
  await killed.ended;
  transcript.tell(`process ${killed.pid} is dead (kill -9)`);
  // Whoever answers this has read that the connection is gone; a request sent before is 504, outcome unknown.
  await readPage(`${deployment.place.httpAddress}/ping`);
  await transcript.claim(
    `${visitor.name}'s request is refused at once, with 502 or 503`,
    async () => {
      const status = await visitor.ask('echo').then(
        ({ code }) => code,
        (error: { status?: number }) => error.status ?? 0,
      );
      holds(status === 502 || status === 503, `expected 502 or 503, got ${status}`);
      return String(status);
    },
  );
  await transcript.claim('the five other zones do not notice', async () => {
    const others = visitors.filter(({ zone }) => zone !== ZONE);
    const answers = await Promise.all(others.map((other) => other.ask('echo', { data: 'hi' })));
    same(
      answers.map(({ text }) => text),
      others.map(() => 'hi'),
      'answers',
    );
  });
  await transcript.claim(`a new upstream registers for zone ${ZONE}`, async () => {
    const { pid } = await deployment.startUpstream(ZONE);
    return `process ${pid}, on another port`;
  });
  await transcript.claim(`${visitor.name} is answered again, by the new one`, async () => {
    const status = (await visitor.ask('status')).json() as { pid: number; zone: string };
    same(status.zone, ZONE, 'zone');
    same(status.pid, stage.upstreamOf(ZONE).pid, 'process that answered');
    same(visitor.connections.length, 1, `connections that ${visitor.name} needed`);
    return 'on the same connection as ever';
  });
}
