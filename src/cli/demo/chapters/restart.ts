import { existsSync } from 'node:fs';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { holds, same, until } from '../verify.js';
import type { Visitor } from '../visitor.js';

/** Pushes that wait for the absent client while the gateway restarts. */
const WAITING = 3;

/** How long the absent client's request may wait, ms. */
const PATIENCE_MS = 50_000;

/** The gateway is restarted under its clients, one of which is out of reach. */
export async function restart(stage: Stage, transcript: Transcript): Promise<void> {
  const { deployment, network, service, traveller, visitors } = stage;
  const before = visitors.map(({ client, connections }) => ({
    session: client.sessionId,
    connections: connections.length,
  }));
  transcript.chapter('The gateway is restarted');
  network.cut(true);
  const request = traveller.ask('session_info', { timeoutMs: PATIENCE_MS });
  transcript.tell(`${traveller.name} is out of reach, and has just asked for something`);
  await transcript.claim(
    `${WAITING} pushes to ${traveller.name} are accepted meanwhile`,
    async () => {
      for (let number = 1; number <= WAITING; number++) {
        await service.push({ openid: traveller.name, type: 'letter', title: `letter ${number}` });
      }
      same(traveller.pushesOf('letter').length, 0, 'pushes that came through');
    },
  );
  await transcript.must('SIGTERM: the gateway stops gracefully and keeps its state', async () => {
    same(await deployment.stopGateway(), 0, 'exit code');
    holds(existsSync(deployment.stateFile), `there is no ${deployment.stateFile}`);
  });
  await transcript.must('a new gateway process starts and takes the state over', async () => {
    const { pid } = await deployment.startGateway();
    holds(!existsSync(deployment.stateFile), 'the state file is still there');
    return `process ${pid}`;
  });
  network.mend();
  await everybodyIsBack(stage, transcript, before);
  await transcript.claim(`the ${WAITING} pushes reach ${traveller.name}, each once`, async () => {
    await traveller.hasPushes('letter', WAITING);
    const titles = traveller.pushesOf('letter').map(({ title }) => title);
    same(titles, ['letter 1', 'letter 2', 'letter 3'], 'titles');
  });
  await transcript.claim(`${traveller.name}'s request is answered after all`, async () => {
    const info = (await request).json() as { openid: string; session_id: string };
    same(
      [info.openid, info.session_id],
      [traveller.name, before[0]?.session],
      'openid and session',
    );
  });
  await transcript.claim('all six zones answer, though no upstream registered again', async () => {
    const answers = await Promise.all(visitors.map((visitor) => visitor.ask('status')));
    const answered = answers.map((answer) => (answer.json() as { zone: string }).zone);
    same(
      answered,
      visitors.map(({ zone }) => zone),
      'zones',
    );
  });
}

/** What is known of a visitor before the restart. */
interface Before {
  readonly session: string;
  /** How many connections it had had. */
  readonly connections: number;
}

async function everybodyIsBack(
  { visitors }: Stage,
  transcript: Transcript,
  before: readonly Before[],
): Promise<void> {
  await transcript.claim('every client is back by itself, in the session it had', async () => {
    const back = ({ connections }: Visitor, index: number): boolean =>
      connections.length > (before[index]?.connections ?? 0);
    await until(() => visitors.every(back), 'every client is connected again');
    same(
      visitors.map(({ client }) => client.sessionId),
      before.map(({ session }) => session),
      'session ids',
    );
    const last = visitors.map(({ connections }) => connections.at(-1));
    const resumed = last.every((connection) => connection?.resumed && connection.recovered);
    holds(resumed, 'not every session was resumed and recovered');
    same(
      visitors.flatMap(({ losses }) => losses),
      [],
      'losses reported by the SDK',
    );
  });
}
