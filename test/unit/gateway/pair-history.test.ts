import { describe, expect, test } from '@jest/globals';
import type { JournalSide } from '../../../src/gateway/journal-side.js';
import { PairHistory } from '../../../src/gateway/pair-history.js';
import { PairOffers } from '../../../src/gateway/pair-offers.js';
import type { StateKeeper } from '../../../src/gateway/state-keeper.js';
import { JournalImage } from '../../../src/journal/journal-image.js';
import { unlimitedCeiling } from '../../../src/journal/number-ceiling.js';
import type { ZoneRouter } from '../../../src/routing/zone-router.js';
import { AcceptingAuthenticator } from '../../../src/session/authenticator.js';
import { silentLogger } from '../../../src/telemetry/log.js';
import { Metrics } from '../../../src/telemetry/metrics.js';
import { NotifySyncHint } from '../../../src/wire/messages.js';
import type { UnicastPushRequest } from '../../../src/wire/messages.js';
import { SessionHarness } from '../../support/session-harness.js';

/** What a process finds of the one before: the log on disk, as far as it goes. */
interface Log {
  readonly image: JournalImage;
  readonly complete: boolean;
}

/** One process of a gateway of a pair: its history and sessions, without roles and wire. */
class Process {
  readonly harness = new SessionHarness(
    { offlineTtl: 60_000 },
    new AcceptingAuthenticator(),
    unlimitedCeiling,
    {},
    true,
  );
  readonly offers: PairOffers;
  private readonly metrics = new Metrics();
  private readonly history: PairHistory;
  private serves = false;
  private readonly log: Log | null;

  constructor(log: Log | null = null) {
    const { service, journal } = this.harness;
    this.log = log;
    const side = {
      writer: journal,
      onDisk: true,
      recover: () => Promise.resolve(log),
      rewrite: () => undefined,
      restartSnapshot: () => undefined,
    } as unknown as JournalSide;
    const router = { restore: () => 0, registrations: () => [], standDown: () => undefined };
    this.offers = new PairOffers(service.pushes, this.metrics.replication, silentLogger());
    const zones = router as unknown as ZoneRouter;
    const state = {
      floor: 0,
      loadImage: () => Promise.resolve(null),
      forgetImage: () => undefined,
    } as unknown as StateKeeper;
    this.history = new PairHistory(side, service, zones, state, this.offers);
  }

  /** In an epoch of its own: a new one, or the one in which it served before. */
  async serve(epoch: number, promoted: boolean, jump = epoch > 1 || !promoted): Promise<this> {
    if (this.log !== null) await this.history.recover();
    const change = {
      role: 'primary',
      smaller: epoch % 2 === 1,
      planned: false,
      reason: '',
    } as const;
    this.history.takeOver({ ...change, epoch, promoted, jump });
    this.serves = true;
    this.harness.settle();
    return this;
  }

  get position(): number {
    return this.serves ? (this.harness.journal?.position ?? 0) : this.history.position;
  }

  /** Everything up to now, as a standby or the log on disk has it. */
  copy(): JournalImage {
    const image = new JournalImage();
    image.reset(this.position, this.history.records());
    return image;
  }

  /** The standby of `primary` from here on. */
  follow(primary: Process): this {
    if (this.serves) this.history.standDown();
    this.serves = false;
    const renewal = this.history.renew(primary.position);
    for (const record of primary.copy().records()) renewal.set(record);
    renewal.commit();
    return this;
  }

  push(openid: string, content: string, fields: Partial<UnicastPushRequest> = {}): void {
    expect(this.harness.push(openid, { content, ...fields }).success).toBe(true);
  }

  /** What it offers, and of how many it counts only. */
  told(): { readonly offered: string[]; readonly untold: number } {
    const offered = this.offers.take().map(({ openid, body, key }) => {
      const text = /text( \w+)+/.exec(Buffer.from(body).toString('latin1'))?.[0] ?? '';
      return [openid, text, ...(key?.key ? [key.key] : [])].join(': ');
    });
    return { offered, untold: this.metrics.replication.unshared.of('untold').value };
  }
}

/** A pair of which both have some pushes, and the standby has promoted. */
async function pair() {
  const a = await new Process().serve(1, true);
  a.harness.started('alice');
  a.push('alice', 'text before');
  a.push('bob', 'text early');
  const b = new Process().follow(a);
  return { a, b };
}

/** All clients of a gateway come, and acknowledge everything. */
function deliverAll({ harness }: Process, ...openids: string[]): void {
  for (const openid of openids) {
    const client = harness.started(openid);
    client.ack(client.seqs.at(-1) ?? 0);
  }
}

describe('what only a deposed primary holds', () => {
  test('is offered; what the new one delivered is not', async () => {
    const { a, b } = await pair();
    await b.serve(2, true);
    deliverAll(b, 'alice', 'bob');
    a.push('alice', 'text later', { idempotencyKey: 'a key' });
    a.push('bob', 'text late');
    a.follow(b);
    expect(a.told()).toEqual({
      offered: ['alice: text later: a key', 'bob: text late'],
      untold: 0,
    });
    // Of the same history now: nothing is offered again.
    a.follow(b);
    expect(a.told()).toEqual({ offered: [], untold: 0 });
  });

  test('is offered where it began empty, while the standby slept, below where that promotes', async () => {
    const { b } = await pair();
    const restarted = await new Process().serve(1, false);
    restarted.push('carol', 'text lonely');
    restarted.push('bob', 'text early again');
    await b.serve(2, true);
    expect(restarted.position).toBeLessThan(b.position);
    restarted.follow(b);
    expect(restarted.told()).toEqual({
      offered: ['carol: text lonely', 'bob: text early again'],
      untold: 0,
    });
  });

  test('is offered where a power cut took its end and it went on below where the standby was', async () => {
    const { a, b } = await pair();
    const log = { image: a.copy(), complete: false };
    for (let index = 0; index < 20; index++) a.push('alice', 'text lost');
    b.follow(a);
    const restarted = await new Process(log).serve(1, false);
    restarted.push('bob', 'text new');
    await b.serve(2, true);
    deliverAll(b, 'alice', 'bob');
    expect(restarted.position).toBeLessThan(b.position);
    restarted.follow(b);
    expect(restarted.told()).toEqual({ offered: ['bob: text new'], untold: 0 });
  });

  test('is offered where both began by themselves, in the same epoch', async () => {
    const a = await new Process().serve(1, true);
    const b = await new Process().serve(1, true);
    a.push('bob', 'text at a');
    for (let index = 0; index < 9; index++) b.push('bob', 'text at b');
    a.follow(b);
    expect(a.told()).toEqual({ offered: ['bob: text at a'], untold: 0 });
  });

  test.each([
    ['goes on', 2, false],
    ['was a backup for a while, and opens a new epoch', 4, true],
  ])(
    'goes with its key or is counted where the new one served, forgot it, and %s',
    async (_, epoch, promoted) => {
      const { a, b } = await pair();
      await b.serve(2, true);
      deliverAll(b, 'alice', 'bob');
      a.push('bob', 'text late');
      a.push('bob', 'text later', { idempotencyKey: 'a key' });
      const restarted = await new Process().serve(epoch, promoted);
      restarted.push('bob', 'text late');
      a.follow(restarted);
      // `text before` and `text early` were delivered once; `text late` is held there too.
      expect(a.told()).toEqual({ offered: ['bob: text later: a key'], untold: 2 });
    },
  );

  test('is known over a restart with its journal, and so is what it shared', async () => {
    const { a, b } = await pair();
    await b.serve(2, true);
    deliverAll(b, 'alice', 'bob');
    a.push('alice', 'text later');
    a.push('bob', 'text late');
    const restarted = await new Process({ image: a.copy(), complete: true }).serve(1, false);
    restarted.push('bob', 'text last');
    restarted.follow(b);
    expect(restarted.told()).toEqual({
      offered: ['alice: text later', 'bob: text late', 'bob: text last'],
      untold: 0,
    });
  });

  test('is counted where it moved after the cut, and may have been delivered before it did', async () => {
    const { a, b } = await pair();
    await b.serve(2, true);
    deliverAll(b, 'alice', 'bob');
    a.harness.started('bob');
    a.push('bob', 'text late');
    a.follow(b);
    expect(a.told()).toEqual({ offered: ['bob: text late'], untold: 1 });
  });

  test('is counted where it waits for an answer, also over a restart', async () => {
    const { a, b } = await pair();
    const client = a.harness.started('carol');
    client.business(1);
    await b.follow(a).serve(2, true);
    deliverAll(b, 'alice', 'bob');
    const after = { syncHint: NotifySyncHint.NSH_AFTER_RESPONSE, bindClientSeqId: 1 };
    a.push('carol', 'text after', after);
    a.push('carol', 'text after keyed', { ...after, idempotencyKey: 'a key' });
    const log = { image: a.copy(), complete: true };
    a.follow(b);
    expect(a.told()).toEqual({ offered: [], untold: 2 });
    const restarted = (await new Process(log).serve(1, false)).follow(b);
    expect(restarted.told()).toEqual({ offered: ['carol: text after keyed: a key'], untold: 1 });
  });
});

describe('an offer of the role that was taken, and whose answer was lost', () => {
  /** What a client gets that resumes from the beginning. */
  function replayed({ harness }: Process) {
    const session = harness.service.registry.findByOpenid('carol');
    const lastAckedSeqId = (session?.firstSeq ?? 0) - 1;
    return harness.started('carol', { lastAckedSeqId, resumeSessionId: session?.id ?? '' })
      .sequenced;
  }

  test('gives no number two contents: what is late here waits until numbers have jumped', async () => {
    const a = await new Process().serve(1, true);
    a.harness.started('carol').business(1).business(2);
    a.push('carol', 'text before');
    const b = new Process().follow(a);
    a.harness.serving.numbers = false;
    a.harness.answer(0);
    a.harness.fail(1);
    await b.serve(2, true, false);
    a.harness.serving.numbers = true;
    await a.serve(1, false);
    const [atA, atB] = [replayed(a), replayed(b)];
    const last = atB.at(-1)?.seq ?? 0;
    expect(atB.map(({ code, seq }) => [code, last - seq])).toEqual([
      [200, 2],
      [504, 1],
      [504, 0],
    ]);
    expect(atA.filter(({ seq }) => seq <= last).map(({ text }) => text)).toEqual([atB[0]?.text]);
    expect(atA.map(({ msgId }) => msgId)).toEqual(atB.map(({ msgId }) => msgId));
    expect(atA[1]?.seq).toBe(2 ** 32);
  });
});

describe('an offer of a push with a key', () => {
  const bound = { syncHint: NotifySyncHint.NSH_BEFORE_RESPONSE, bindClientSeqId: 1 };

  /** What a deposed primary offers, accepted by the new one; the upstream says the same again there. */
  async function repeated(fields: Partial<UnicastPushRequest>, toSession = false) {
    const a = await new Process().serve(1, true);
    const client = a.harness.started('carol');
    const sessionId = a.harness.service.registry.findByOpenid('carol')?.id ?? '';
    client.business(1);
    const b = await new Process().follow(a).serve(2, true);
    const target = toSession ? { targetType: 'session', targetId: sessionId } : {};
    const request = { content: 'text x', idempotencyKey: 'a key', ...fields, ...target };
    expect(a.harness.push('carol', request).success).toBe(true);
    a.follow(b);
    const accepted = a.offers.take().map((push) => b.offers.accept(push));
    const again = b.harness.push('carol', request);
    const { texts } = b.harness.started('carol');
    return {
      accepted,
      again: again.message,
      times: texts.filter((text) => text === 'text x').length,
    };
  }

  const once = { accepted: [true], again: 'accepted before', times: 1 };

  test('has the key of one that was bound to nothing', async () => {
    expect(await repeated({})).toEqual(once);
  });

  test('has the key of one that was bound to a request', async () => {
    expect(await repeated(bound)).toEqual(once);
  });

  test('has the key of one that was for a session', async () => {
    expect(await repeated({}, true)).toEqual(once);
  });
});
