import { setTimeout as pause } from 'node:timers/promises';
import type { Answer } from '../../../sdk/client/index.js';
import { zones } from '../people.js';
import { StoryEnds } from '../transcript.js';
import type { Transcript } from '../transcript.js';
import { holds, same, until } from '../verify.js';
import type { BusyClient } from './busy-client.js';
import { PEER_TIMEOUT_MS } from './pair-member.js';
import type { PairMember } from './pair-member.js';
import type { PairStage } from './pair-stage.js';

/** Load before each event, ms. */
const LOAD_MS = 1_500;
/** Answers that each client must get after an event before it counts as over. */
const ANSWERS_AFTER = 3;

/** The failover, from the start of the pair to a planned switch; ends early where going on is pointless. */
export async function playFailover(stage: PairStage, transcript: Transcript): Promise<void> {
  try {
    await opening(stage, transcript);
    await load(stage, transcript);
    const dead = await killPrimary(stage, transcript);
    await returns(stage, transcript, dead);
    await plannedSwitch(stage, transcript);
    await account(stage, transcript);
  } catch (error) {
    if (!(error instanceof StoryEnds)) throw error;
    transcript.tell(`without "${error.message}" there is no going on`);
  }
}

async function opening(stage: PairStage, transcript: Transcript): Promise<void> {
  const { deployment } = stage;
  transcript.chapter('Two gateways and six upstreams start');
  transcript.tell(`certificates, configuration and roles are in ${deployment.processes.folder}`);
  await transcript.must('both gateways run', async () => {
    const started = await Promise.all(
      deployment.members.map((member) => deployment.startGateway(member)),
    );
    return `processes ${started.map(({ pid }) => pid).join(', ')}`;
  });
  await transcript.must('one serves, the other follows it and may take over', async () => {
    const { primary, standby, epoch } = await stage.whole();
    return `${primary.name} serves in epoch ${epoch}, ${standby.name} is its standby`;
  });
  await transcript.must('an upstream has registered for each of the six zones', async () => {
    const started = await Promise.all(zones.map((zone) => deployment.startUpstream(zone)));
    return `processes ${started.map(({ pid }) => pid).join(', ')}`;
  });
}

async function load({ clients, service }: PairStage, transcript: Transcript): Promise<void> {
  transcript.chapter(`${clients.length} clients connect, ask and are pushed to`);
  await transcript.must('every client has a session', async () => {
    await Promise.all(clients.map(({ visitor }) => visitor.client.connect()));
  });
  for (const client of clients) client.start(service);
  await transcript.must('every client gets answers and pushes', async () => {
    await until(() => clients.every(goesOn(0, 10)), 'ten answers and ten pushes for each');
  });
}

/** @returns the gateway that died. */
async function killPrimary(stage: PairStage, transcript: Transcript): Promise<PairMember> {
  const { primary, standby, epoch } = await stage.whole();
  await pause(LOAD_MS);
  transcript.chapter(`${primary.name}, which serves, is killed under load (kill -9)`);
  transcript.tell(`a peer that is silent for ${PEER_TIMEOUT_MS} ms is taken for dead; default 6 s`);
  const sessions = stage.clients.map(({ visitor }) => visitor.client.sessionId);
  const before = begin(stage.clients);
  primary.process?.kill('SIGKILL');
  await primary.process?.ended;
  await transcript.must(`${standby.name} takes over in a higher epoch`, async () => {
    const after = await patiently(async () => {
      const standing = await standby.standing();
      return standing?.serves === true && standing.epoch > epoch ? standing : null;
    });
    return `epoch ${after.epoch}`;
  });
  await transcript.claim('every client goes on in the session it had', async () => {
    await allGoOn(stage.clients, before);
    same(
      stage.clients.map(({ visitor }) => visitor.client.sessionId),
      sessions,
      'session ids',
    );
  });
  await transcript.claim('nothing is reported as lost', () => {
    noLosses(stage.clients);
  });
  await transcript.claim('the gap that clients saw, between two answers', () =>
    gaps(stage.clients),
  );
  return primary;
}

async function returns(stage: PairStage, transcript: Transcript, dead: PairMember): Promise<void> {
  transcript.chapter(`${dead.name} is started again`);
  const before = begin(stage.clients);
  await transcript.must('its process runs', async () => {
    const { pid } = await stage.deployment.startGateway(dead);
    return `process ${pid}`;
  });
  await transcript.must('it is the standby now, and in sync', async () => {
    const { standby, epoch } = await stage.whole();
    same(standby.name, dead.name, 'the standby');
    return `epoch ${epoch}`;
  });
  await transcript.claim('the clients notice nothing', async () => {
    await allGoOn(stage.clients, before);
    noLosses(stage.clients);
    return gaps(stage.clients);
  });
}

async function plannedSwitch(stage: PairStage, transcript: Transcript): Promise<void> {
  const { primary, standby, epoch } = await stage.whole();
  await pause(LOAD_MS);
  transcript.chapter(
    `Planned switch, as before an upgrade: POST /backup/switch at ${primary.name}`,
  );
  const unknown = unknownOf(stage.clients);
  const before = begin(stage.clients);
  await transcript.must(`it hands over to ${standby.name}`, async () => {
    await primary.handOver();
    const after = await patiently(async () => {
      const standing = await standby.standing();
      return standing?.serves === true ? standing : null;
    });
    holds(after.epoch > epoch, `epoch ${after.epoch} is not above ${epoch}`);
    return `epoch ${after.epoch}`;
  });
  await transcript.claim(
    'every client goes on, and no request has an unknown outcome',
    async () => {
      await allGoOn(stage.clients, before);
      noLosses(stage.clients);
      same(unknownOf(stage.clients) - unknown, 0, 'unknown outcomes');
    },
  );
  await transcript.claim('the gap that clients saw, between two answers', () =>
    gaps(stage.clients),
  );
  await transcript.must(
    `${primary.name} is the standby now, in sync, and may be stopped`,
    async () => {
      same((await stage.whole()).standby.name, primary.name, 'the standby');
    },
  );
}

async function account({ clients, deployment }: PairStage, transcript: Transcript): Promise<void> {
  transcript.chapter('The account');
  await Promise.all(clients.map((client) => client.stop()));
  const accepted = clients.reduce((sum, client) => sum + client.accepted.length, 0);
  await transcript.claim(
    `all ${accepted} pushes that were accepted arrived, each once and in order`,
    async () => {
      const all = ({ visitor, accepted }: BusyClient): boolean =>
        visitor.pushesOf('tick').length >= accepted.length;
      await until(() => clients.every(all), 'all pushes').catch(() => undefined);
      for (const { visitor, accepted } of clients) {
        const titles = visitor.pushesOf('tick').map(({ title }) => title);
        same(titles, accepted, `pushes of ${visitor.name}`);
      }
    },
  );
  await transcript.claim('no request failed, and none was executed twice', async () => {
    same(
      clients.flatMap(({ failures }) => failures),
      [],
      'failures',
    );
    const answered = clients.reduce((sum, { visitor }) => sum + visitor.answers, 0);
    const executed = await executions(clients);
    const unknown = unknownOf(clients);
    const fits = answered <= executed && executed <= answered + unknown;
    holds(fits, `${answered} answered and ${unknown} unknown, but ${executed} executed`);
    return `${answered} answered, ${unknown} of unknown outcome, ${executed} executed`;
  });
  await transcript.claim('everybody leaves; all processes end with exit code 0', async () => {
    await Promise.all(clients.map(({ visitor }) => visitor.client.stop('user_logout')));
    const codes = await deployment.processes.shutDown();
    same(new Set(codes).size === 1 && codes[0] === 0, true, `exit codes ${codes.join(', ')}`);
  });
}

interface Count {
  readonly answers: number;
  readonly pushes: number;
}

function countsOf({ visitor }: BusyClient): Count {
  return { answers: visitor.answers, pushes: visitor.pushes.length };
}

/** From here on gaps are measured anew. */
function begin(clients: readonly BusyClient[]): readonly Count[] {
  for (const client of clients) client.takeLongestGap();
  return clients.map(countsOf);
}

function goesOn(from: number, by: number): (client: BusyClient) => boolean {
  return (client) => {
    const { answers, pushes } = countsOf(client);
    return answers >= from + by && pushes >= from + by;
  };
}

async function allGoOn(clients: readonly BusyClient[], before: readonly Count[]): Promise<void> {
  const further = (client: BusyClient, index: number): boolean => {
    const [now, then] = [countsOf(client), before[index] as Count];
    // A request that was under way at the moment may be answered from before it.
    return now.answers > then.answers + ANSWERS_AFTER && now.pushes > then.pushes + ANSWERS_AFTER;
  };
  await until(() => clients.every(further), 'every client gets answers and pushes again', 14_000);
}

function noLosses(clients: readonly BusyClient[]): void {
  const reported = clients.flatMap(({ visitor, failures }) => [...visitor.losses, ...failures]);
  same(reported, [], 'reports');
}

function unknownOf(clients: readonly BusyClient[]): number {
  return clients.reduce((sum, { unknown }) => sum + unknown, 0);
}

/** The longest gap of each client since the last event. */
function gaps(clients: readonly BusyClient[]): string {
  const sorted = clients.map((client) => client.takeLongestGap()).sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms over ${clients.length} clients`;
}

/** How many requests the upstreams have executed, those that ask for it left out. */
async function executions(clients: readonly BusyClient[]): Promise<number> {
  const one = new Map(clients.map(({ visitor }) => [visitor.zone, visitor]));
  let executed = 0;
  for (const visitor of one.values()) {
    const before = visitor.answers;
    const answer: Answer = await visitor.ask('status');
    executed += (answer.json() as { requests: number }).requests - (visitor.answers - before);
  }
  return executed;
}

/** Asks until there is something. */
async function patiently<T>(look: () => Promise<T | null>): Promise<T> {
  for (const end = performance.now() + 14_000; performance.now() < end;) {
    const found = await look();
    if (found !== null) return found;
    await pause(20);
  }
  throw new Error('not within 14 s');
}
