import fc from 'fast-check';
import type { JournalImage } from '../../src/journal/journal-image.js';
import type { OverloadOptions } from '../../src/session/overload/options.js';
import { StateRecord, decodeMessage, encodeMessage } from '../../src/wire/messages.js';
import type { SessionOptions } from '../../src/session/options.js';
import { ModelledApp } from './modelled-app.js';
import { SessionHarness, defaultOptions } from './session-harness.js';

const OPENID = 'alice';

interface SimpleStep {
  readonly op: 'connect' | 'stall' | 'lose' | 'restart' | 'request' | 'goodbye' | 'gateway';
}

export type Step =
  | SimpleStep
  | { readonly op: 'push'; readonly hint: 0 | 1 | 2; readonly bind: number }
  | { readonly op: 'answer'; readonly pick: number; readonly fails: boolean }
  | { readonly op: 'ack'; readonly share: number }
  | { readonly op: 'wait'; readonly ms: number };

type Simple = SimpleStep['op'];
const simple = (...ops: Simple[]) => fc.constantFrom(...ops).map((op): Step => ({ op }));
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: simple('connect', 'connect', 'lose', 'stall', 'request', 'request', 'request'),
  },
  { weight: 1, arbitrary: simple('restart', 'goodbye', 'gateway') },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('push' as const),
      hint: fc.constantFrom(0 as const, 0 as const, 1 as const, 2 as const),
      bind: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('answer' as const),
      pick: fc.nat(20),
      fails: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('ack' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.nat(20_000) }) },
);

export const worldOptions = {
  ...defaultOptions,
  offlineTtl: 600_000,
  offlineMaxFrames: 1_000,
  outboxMaxFrames: 40,
};

/** One gateway after another (state file between them) and one app, driven by steps. */
export class SessionWorld {
  harness: SessionHarness;
  app: ModelledApp;
  readonly accepted: string[] = [];
  readonly executed = new Set<string>();
  private open: { index: number }[] = [];
  private seen = 0;
  private pushes = 0;
  private requests = 0;

  constructor(
    readonly kind: 'sdk' | 'deployed',
    private readonly overload: Partial<OverloadOptions>,
    private readonly options: Partial<SessionOptions> = {},
    /** Follows the journal; it then takes the place of the state file, as after a kill -9. */
    private readonly image: JournalImage | null = null,
  ) {
    this.harness = this.newHarness();
    this.follow();
    this.app = new ModelledApp(this.harness, kind, OPENID);
  }

  private newHarness(): SessionHarness {
    return new SessionHarness(
      { ...worldOptions, ...this.options },
      undefined,
      undefined,
      this.overload,
      this.image !== null,
    );
  }

  run(item: Step): void {
    switch (item.op) {
      case 'connect':
        this.app.connect();
        break;
      case 'stall':
        this.app.client?.link.pause();
        break;
      case 'lose':
        this.app.lose();
        break;
      case 'restart':
        this.app.restart();
        break;
      case 'request':
        this.app.request(`q${this.requests++}`);
        break;
      case 'goodbye':
        if (this.app.connected) this.app.client?.stop();
        this.app.restart();
        break;
      case 'gateway':
        this.restartGateway();
        break;
      case 'push':
        this.push(item.hint, item.bind);
        break;
      case 'answer':
        this.answer(item.pick, item.fails);
        break;
      case 'ack':
        this.app.acknowledge(item.share);
        break;
      case 'wait':
        this.harness.advance(item.ms);
    }
    this.noteExecutions();
    this.app.check();
  }

  private push(syncHint: number, bindClientSeqId: number): void {
    const content = `p${this.pushes++}`;
    const idempotencyKey = this.pushes % 3 === 0 ? content : '';
    const fields = { content, syncHint, bindClientSeqId, idempotencyKey };
    const result = this.harness.push(OPENID, fields);
    if (result.success) this.accepted.push(content);
  }

  private answer(pick: number, fails: boolean): void {
    const [chosen] = this.open.splice(pick % Math.max(1, this.open.length), 1);
    if (chosen === undefined) return;
    if (fails) this.harness.fail(chosen.index);
    else this.harness.answer(chosen.index);
  }

  private noteExecutions(): void {
    const seen = this.harness.router.seen;
    for (; this.seen < seen.length; this.seen++) {
      const item = seen[this.seen];
      const key = `${item?.request.sessionId}/${item?.clientSeq}`;
      if (this.executed.has(key)) throw new Error(`request ${key} was executed twice`);
      this.executed.add(key);
      this.open.push({ index: this.seen });
    }
  }

  private restartGateway(): void {
    this.app.lose();
    this.harness.journal?.flush();
    const left =
      this.image === null ? this.harness.service.archive.snapshot() : this.image.records();
    const records = copies(left);
    const next = this.newHarness();
    next.service.archive.restore(records);
    Object.assign(this.app, { harness: next });
    this.harness = next;
    this.follow();
    this.open = [];
    this.seen = 0;
  }

  private follow(): void {
    const { image } = this;
    const { journal } = this.harness;
    if (image === null || journal === null) return;
    image.reset(journal.position, copies(journal.snapshot()));
    journal.attach({ take: (batch) => image.apply(batch) });
  }

  /** The client comes back and stays until everything is there. */
  finish(): void {
    while (this.open.length > 0) this.answer(0, false);
    for (let round = 0; round < 3; round++) {
      this.app.connect();
      if (this.options.loginAction !== undefined) this.logIn();
      this.app.acknowledge(1);
    }
    this.app.check();
  }

  /** Every request is one: what waits for the login comes then. */
  private logIn(): void {
    this.app.request('login');
    this.noteExecutions();
    while (this.open.length > 0) this.answer(0, false);
    this.app.check();
  }
}

/** As they come out of a file. */
export function copies(records: Iterable<StateRecord>): StateRecord[] {
  return Array.from(records, (record) =>
    decodeMessage(StateRecord, encodeMessage(StateRecord, record)),
  );
}
