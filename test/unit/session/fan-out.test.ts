import { describe, expect, test } from '@jest/globals';
import { FULL_READ } from '../../../src/base/catch-up.js';
import { Audience } from '../../../src/session/audience.js';
import {
  COPIED_BYTES_PER_TURN,
  MAX_AHEAD,
  MAX_AHEAD_BYTES,
  MAX_BROADCASTS,
  MAX_BROADCAST_BYTES,
  OUTBOXES_PER_TURN,
} from '../../../src/session/fan-out.js';
import { SESSIONS_PER_TURN } from '../../../src/session/push-turns.js';
import { BroadcastRequest, UnicastPushRequest } from '../../../src/wire/messages.js';
import { NO_LIMITS } from '../../../src/session/overload/options.js';
import { AcceptingAuthenticator } from '../../../src/session/authenticator.js';
import { unlimitedCeiling } from '../../../src/journal/number-ceiling.js';
import { SessionHarness } from '../../support/session-harness.js';
import type { BareClient } from '../../support/session-harness.js';
import type { SessionOptions } from '../../../src/session/options.js';

/** More than are written to in a turn. */
const MANY = 3 * SESSIONS_PER_TURN;

/** More than are put into outboxes in a turn. */
const CROWD = OUTBOXES_PER_TURN + SESSIONS_PER_TURN;
const ROOM = { maxSessions: 2 * CROWD, maxConnections: 2 * CROWD };

const openids = (count: number) => Array.from({ length: count }, (_, index) => `o${index}`);

/** Clients of so many openids, and the answers to broadcasts that have come. */
class Hall {
  readonly harness: SessionHarness;
  readonly clients: BareClient[];
  readonly answers: string[] = [];

  constructor(count = MANY, options: Partial<SessionOptions> = {}, journalled = false) {
    const accepting = new AcceptingAuthenticator();
    const ceiling = unlimitedCeiling;
    this.harness = new SessionHarness(options, accepting, ceiling, NO_LIMITS, journalled);
    this.clients = openids(count).map((openid) => this.harness.started(openid));
  }

  /** Begins one; what comes later comes with turns. */
  begin(content: string, fields: Partial<BroadcastRequest> = {}): this {
    const request = new BroadcastRequest({ content, ...fields });
    this.harness.service.pushes.broadcast(request, (sent, message) =>
      this.answers.push(`${content.slice(0, 8)}: ${sent} ${message}`),
    );
    return this;
  }

  /** The sequenced frames in the outbox of an openid. */
  kept(openid: string): number {
    return this.harness.service.registry.findByOpenid(openid)?.outbox.length ?? -1;
  }

  /** Openids whose outbox has something. */
  get reached(): number {
    return openids(this.clients.length).filter((openid) => this.kept(openid) > 0).length;
  }

  /** Those of them whose Link was given all of it. */
  get written(): number {
    const { registry } = this.harness.service;
    const waits = (openid: string) => registry.findByOpenid(openid)?.unwritten !== 0;
    return this.reached - openids(this.clients.length).filter(waits).length;
  }

  texts(index: number): string[] {
    return (this.clients[index] as BareClient).texts;
  }
}

const LAST = MANY - 1;
const LAST_OF_CROWD = CROWD - 1;

describe('a broadcast', () => {
  test('to few is over at once, and written', () => {
    const hall = new Hall(SESSIONS_PER_TURN).begin('all');
    expect(hall.answers).toEqual([`all: ${SESSIONS_PER_TURN} sent`]);
    expect(hall.written).toBe(SESSIONS_PER_TURN);
  });

  test('to many is answered when all outboxes have it, and written to some in each turn', () => {
    const hall = new Hall().begin('all');
    expect([hall.reached, hall.answers]).toEqual([0, []]);
    hall.harness.turn();
    expect([hall.reached, hall.answers]).toEqual([MANY, [`all: ${MANY} sent`]]);
    const written = [hall.written];
    for (let turn = 0; turn < 3; turn++) {
      hall.harness.turn();
      written.push(hall.written);
    }
    expect(written).toEqual([0, 1, 2, 3].map((turns) => turns * SESSIONS_PER_TURN));
    hall.harness.settle();
    for (let index = 0; index < MANY; index++) expect(hall.texts(index)).toEqual(['all']);
  });

  test('to a crowd takes some outboxes in each turn', () => {
    const hall = new Hall(CROWD, ROOM).begin('all');
    hall.harness.turn();
    expect([hall.reached, hall.answers]).toEqual([OUTBOXES_PER_TURN, []]);
    hall.harness.turn();
    expect([hall.reached, hall.answers]).toEqual([CROWD, [`all: ${CROWD} sent`]]);
    hall.harness.settle();
    expect(hall.written).toBe(CROWD);
  });

  test('comes soon, however many others wait to be written', () => {
    const hall = new Hall(SESSIONS_PER_TURN - 1);
    for (const text of ['a', 'b', 'c']) hall.begin(text);
    expect([hall.answers.length, hall.written]).toEqual([3, 0]);
    hall.harness.settle();
    expect(hall.texts(0)).toEqual(['a', 'b', 'c']);
    expect(hall.clients[SESSIONS_PER_TURN - 2]?.seqs).toEqual([1, 2, 3]);
  });

  test('of large frames takes fewer outboxes in a turn', () => {
    const hall = new Hall(6, { outboxMaxBytes: 10 * COPIED_BYTES_PER_TURN });
    hall.begin('x'.repeat(COPIED_BYTES_PER_TURN / 2));
    expect(hall.reached).toBe(2);
    hall.harness.turn();
    expect(hall.reached).toBe(4);
    hall.harness.settle();
    expect(hall.answers).toEqual(['xxxxxxxx: 6 sent']);
  });

  test('does not count outboxes that are full', () => {
    const hall = new Hall(MANY, { outboxMaxFrames: 2 });
    hall.harness.pushTexts('o0', 'first');
    hall.harness.pushTexts(`o${LAST}`, 'first');
    hall.begin('all').harness.settle();
    expect(hall.answers).toEqual([`all: ${MANY - 2} sent, 2 outboxes were full`]);
    expect(hall.harness.metrics.session.pushes.of('OUTBOX_FULL').value).toBe(2);
  });
});

describe('order', () => {
  test('a push after the answer is behind the broadcast, for everyone', () => {
    const hall = new Hall();
    const request = new BroadcastRequest({ content: 'all' });
    let answered = false;
    hall.harness.service.pushes.broadcast(request, () => {
      answered = true;
      for (const openid of ['o0', `o${LAST}`]) hall.harness.pushTexts(openid, 'after');
    });
    hall.harness.settle();
    expect(answered).toBe(true);
    expect([hall.texts(0), hall.texts(LAST)]).toEqual([
      ['all', 'after'],
      ['all', 'after'],
    ]);
  });

  test('a push meanwhile goes its own way and is not held up', () => {
    const hall = new Hall().begin('all');
    const push = { targetType: 'openid', targetId: `o${LAST}`, content: 'push' };
    hall.harness.service.pushes.push(new UnicastPushRequest(push), () => undefined);
    expect(hall.kept(`o${LAST}`)).toBe(1);
    hall.harness.settle();
    expect(hall.texts(LAST).sort()).toEqual(['all', 'push']);
  });

  test('a push to who waits to be written takes along what waits', () => {
    const hall = new Hall().begin('all');
    hall.harness.turn();
    const push = { targetType: 'openid', targetId: `o${LAST}`, content: 'push' };
    hall.harness.service.pushes.push(new UnicastPushRequest(push), () => undefined);
    expect(hall.written).toBe(1);
    hall.harness.settle();
    expect(hall.texts(LAST)).toEqual(['all', 'push']);
  });

  test('a best-effort push does not overtake what waits to be written', () => {
    const hall = new Hall().begin('all');
    hall.harness.turn();
    const fields = { targetType: 'openid', targetId: `o${LAST}`, bestEffort: true };
    const push = new UnicastPushRequest({ ...fields, content: 'push' });
    hall.harness.service.pushes.push(push, () => undefined);
    hall.harness.settle();
    const texts = hall.clients[LAST]?.received.map(({ text }) => text);
    expect(texts?.slice(-2)).toEqual(['all', 'push']);
  });

  test('broadcasts keep theirs, to everyone or to some; those that wait are delivered together', () => {
    const hall = new Hall(CROWD, ROOM).begin('a').begin('b');
    hall.harness.turn();
    expect([hall.kept('o0'), hall.kept(`o${LAST_OF_CROWD}`)]).toEqual([2, 0]);
    hall
      .begin('c')
      .begin('some', { openids: ['o0', `o${LAST_OF_CROWD}`] })
      .begin('last');
    expect(hall.kept('o0')).toBe(2);
    hall.harness.settle();
    expect(hall.answers.map((answer) => answer[0])).toEqual(['a', 'b', 'c', 's', 'l']);
    expect(hall.texts(0)).toEqual(['a', 'b', 'c', 'some', 'last']);
    expect(hall.texts(LAST_OF_CROWD)).toEqual(['a', 'b', 'c', 'some', 'last']);
    expect(hall.texts(1)).toEqual(['a', 'b', 'c', 'last']);
    expect(hall.clients[0]?.seqs).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('broadcasts one after the other, each when the one before was answered', () => {
  /** @returns how many were answered after so many turns in each of which a turn's worth was read. */
  function answeredAfter(turns: number, hall: Hall, count: number, padding = ''): number {
    let next = 0;
    const begin = () => {
      if (next === count) return;
      const request = new BroadcastRequest({ content: `${next++}${padding}` });
      hall.harness.service.pushes.broadcast(request, (sent) => {
        hall.answers.push(`${sent}`);
        begin();
      });
    };
    begin();
    for (let turn = 0; turn < turns; turn++) {
      hall.harness.datagramsRead += FULL_READ;
      hall.harness.turn();
    }
    return hall.answers.length;
  }

  test('are answered while those before are still being written, but only so many', () => {
    const hall = new Hall(MANY, { outboxMaxFrames: 1_000 });
    expect(answeredAfter(3 * MAX_AHEAD, hall, 3 * MAX_AHEAD)).toBe(MAX_AHEAD);
    expect(hall.written).toBeLessThan(MANY);
    hall.harness.settle();
    expect(hall.answers).toHaveLength(3 * MAX_AHEAD);
    const all = Array.from({ length: 3 * MAX_AHEAD }, (_, index) => `${index}`);
    for (const index of [0, LAST]) expect(hall.texts(index)).toEqual(all);
  });

  test('wait for each other where outboxes are small', () => {
    const hall = new Hall(MANY, { outboxMaxFrames: 16 });
    expect(answeredAfter(3 * MAX_AHEAD, hall, 8)).toBe(1);
    hall.harness.settle();
    expect(hall.answers).toEqual(Array<string>(8).fill(`${MANY}`));
  });

  test('wait for each other where they are large', () => {
    const hall = new Hall(MANY, { outboxMaxBytes: 4 * MAX_AHEAD_BYTES, outboxMaxFrames: 1_000 });
    // A third of the turns is for the outboxes, three times as many for the Links.
    expect(answeredAfter(MANY - 10, hall, 2, 'x'.repeat(MAX_AHEAD_BYTES / MANY))).toBe(1);
    expect(hall.written).toBeLessThan(MANY);
    hall.harness.settle();
    expect(hall.answers).toEqual([`${MANY}`, `${MANY}`]);
  });
});

describe('sessions that come and go meanwhile', () => {
  // Their links are open before it begins: the next START comes between its turns.
  test('a new incarnation gets it once, before and behind the place that was reached', () => {
    const hall = new Hall(CROWD, ROOM);
    const [first, last] = [hall.harness.client(), hall.harness.client()];
    hall.begin('all');
    last.start(`o${LAST_OF_CROWD}`);
    first.start('o0');
    expect([first.texts, last.texts]).toEqual([['all'], ['all']]);
    expect([hall.texts(0), hall.texts(LAST_OF_CROWD)]).toEqual([['all'], []]);
    expect(hall.answers).toEqual([`all: ${CROWD} sent`]);
  });

  test('a session named by an id that is gone when its turn comes', () => {
    const hall = new Hall(CROWD, ROOM);
    const id = hall.clients[LAST_OF_CROWD]?.started.connectionId ?? '';
    const client = hall.harness.client();
    hall.begin('first').begin('named', { sessionIds: [id], zoneIds: ['001'] });
    hall.begin('alone', { sessionIds: [id] });
    client.start(`o${LAST_OF_CROWD}`);
    expect(client.texts).toEqual(['first', 'named', 'alone']);
    expect(hall.texts(LAST_OF_CROWD)).toEqual([]);
    // The scripted router has one zone: everyone was named, this one twice.
    expect(hall.answers).toEqual([`first: ${CROWD} sent`, `named: ${CROWD} sent`, 'alone: 1 sent']);
  });

  test('who resumes gets it once', () => {
    const hall = new Hall(CROWD, ROOM);
    const resume = (index: number) => {
      const resumeSessionId = hall.clients[index]?.started.connectionId ?? '';
      return { client: hall.harness.client(), fields: { resumeSessionId } };
    };
    const [first, last] = [resume(0), resume(LAST_OF_CROWD)];
    hall.begin('all');
    last.client.start(`o${LAST_OF_CROWD}`, last.fields);
    first.client.start('o0', first.fields);
    expect([first.client.texts, last.client.texts]).toEqual([['all'], ['all']]);
    expect(hall.answers).toEqual([`all: ${CROWD} sent`]);
  });

  test('who stops is left out, and so is who starts when it has begun', () => {
    const hall = new Hall(CROWD, ROOM);
    const late = hall.harness.client();
    hall.begin('all').harness.turn();
    const session = hall.harness.service.registry.findByOpenid(`o${LAST_OF_CROWD}`);
    if (session !== undefined) hall.harness.service.end(session, 'stop');
    late.start('late');
    expect(hall.answers).toEqual([`all: ${CROWD - 1} sent`]);
    expect([hall.texts(LAST_OF_CROWD), late.texts]).toEqual([[], []]);
  });

  test('who loses the connection finds it in the outbox', () => {
    const hall = new Hall(CROWD, ROOM).begin('all');
    hall.harness.turn();
    const former = hall.clients[LAST_OF_CROWD] as BareClient;
    former.link.lose();
    hall.harness.settle();
    expect(former.texts).toEqual([]);
    const resumeSessionId = former.started.connectionId;
    expect(hall.harness.started(`o${LAST_OF_CROWD}`, { resumeSessionId }).texts).toEqual(['all']);
  });
});

describe('bounds', () => {
  test('by count: refused with its code, nothing delivered, and taken again later', () => {
    const hall = new Hall(SESSIONS_PER_TURN + 1, { outboxMaxFrames: 1000 });
    for (let index = 0; index < MAX_BROADCASTS; index++) hall.begin('x');
    hall.begin('more');
    expect(hall.answers).toEqual([expect.stringMatching(/^more: 0 BROADCAST_QUEUE_FULL: /)]);
    expect(hall.harness.metrics.session.pushes.of('BROADCAST_QUEUE_FULL').value).toBe(1);
    hall.harness.settle();
    expect(hall.answers).toHaveLength(MAX_BROADCASTS + 1);
    expect(hall.texts(0)).toHaveLength(MAX_BROADCASTS);
    hall.begin('again').harness.settle();
    expect(hall.texts(0)).toHaveLength(MAX_BROADCASTS + 1);
  });

  test('by bytes', () => {
    // Two such frames are a turn's share: the third session waits.
    const hall = new Hall(3, { outboxMaxBytes: 4 * MAX_BROADCAST_BYTES });
    const large = 'x'.repeat(1_000_000);
    const fitting = Math.floor(MAX_BROADCAST_BYTES / (large.length + 100));
    for (let index = 0; index < fitting; index++) hall.begin(large);
    hall.begin(large);
    expect(hall.answers).toEqual([expect.stringContaining('BROADCAST_QUEUE_FULL')]);
    hall.harness.service.pushes.close();
    expect(hall.answers).toHaveLength(fitting + 1);
  });
});

test('a zone counts, and is looked at, once, however often it is named', () => {
  const { registry } = new Hall(1).harness.service;
  const audience = Audience.of(
    new BroadcastRequest({ zoneIds: Array<string>(9_999).fill('001').concat('002') }),
    registry,
  );
  expect(audience.namedCount).toBe(2);
  expect(audience.recipients(registry)).toHaveLength(1);
});

describe('the end of the gateway', () => {
  test('what is under way is in every outbox, and answered, before the state is written', () => {
    const hall = new Hall(CROWD, { ...ROOM, resumeWindow: 60_000 }).begin('a');
    hall.harness.turn();
    hall.begin('b');
    expect(hall.reached).toBe(OUTBOXES_PER_TURN);
    hall.harness.service.pushes.close();
    expect(hall.answers).toEqual([`a: ${CROWD} sent`, `b: ${CROWD} sent`]);
    for (const openid of openids(CROWD)) expect(hall.kept(openid)).toBe(2);
    hall.begin('late').harness.settle();
    expect(hall.answers[2]).toMatch(/^late: 0 SHUTTING_DOWN: /);
  });

  test('a drain meanwhile disturbs nothing', async () => {
    const hall = new Hall().begin('all');
    hall.harness.turn();
    const drained = hall.harness.service.drain(1_000);
    hall.harness.settle();
    expect(hall.answers).toEqual([`all: ${MANY} sent`]);
    for (let second = 0; second < 300; second++) {
      hall.harness.clock.advance(20);
      hall.harness.settle();
      await Promise.resolve();
    }
    await drained;
    for (const openid of openids(MANY)) expect(hall.kept(openid)).toBe(1);
  });
});

describe('with a journal', () => {
  const journalOf = ({ harness }: Hall) => {
    if (harness.journal === null) throw new Error('the harness keeps no journal');
    return harness.journal;
  };

  test('it is answered when the last of its frames is safe', () => {
    const hall = new Hall(MANY, {}, true);
    const journal = journalOf(hall);
    const bar = journal.settled.hold(journal.newest);
    hall.begin('all').harness.settle();
    expect(hall.answers).toEqual([]);
    bar.raise(journal.newest - 1);
    expect(hall.answers).toEqual([]);
    bar.raise(journal.newest);
    expect(hall.answers).toEqual([`all: ${MANY} sent`]);
  });

  test('an obstacle that comes meanwhile ends it: nobody may rely on it', () => {
    const hall = new Hall(MANY, {}, true).begin('all');
    const failure = { pushError: 'JOURNAL_FAILED', reason: 'the disk is full' } as const;
    hall.harness.turn();
    const clear = journalOf(hall).obstruct(failure);
    hall.harness.settle();
    expect(hall.answers).toEqual(['all: 0 JOURNAL_FAILED: the disk is full']);
    expect(hall.reached).toBe(SESSIONS_PER_TURN);
    clear();
    hall.begin('again').harness.settle();
    expect(hall.texts(LAST)).toEqual(['again']);
  });
});
