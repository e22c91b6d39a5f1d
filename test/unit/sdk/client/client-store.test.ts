import { afterEach, describe, expect, test } from '@jest/globals';
import type { ResumeState, ResumeStore } from '../../../../src/sdk/client/index.js';
import type { CoreClientOptions } from '../../../../src/sdk/client/core/options.js';
import { readResumeState } from '../../../../src/sdk/client/core/resume-store.js';
import { ClientBench } from '../../../support/client-bench.js';
import { turns } from '../../../support/fake-gateway.js';

/** A store whose saves the test holds back, or lets fail. */
class TestStore implements ResumeStore {
  saved: unknown = null;
  readonly saves: (ResumeState | null)[] = [];
  error: Error | null = null;
  private held: (() => void)[] | null = null;

  load(): unknown {
    return this.saved;
  }

  async save(state: ResumeState | null): Promise<void> {
    if (this.error !== null) throw this.error;
    if (this.held !== null) await new Promise<void>((resolve) => this.held?.push(resolve));
    this.saved = state;
    this.saves.push(state);
  }

  hold(): void {
    this.held = [];
  }

  release(): void {
    const held = this.held ?? [];
    this.held = null;
    for (const go of held) go();
  }
}

/** The session that the fake gateway knows. */
const STORED = { version: 1, openid: 'alice', sessionId: 's-1', epoch: 3, epochProof: '0aff' };

const benches: ClientBench[] = [];

afterEach(() => {
  for (const bench of benches.splice(0)) bench.client.close();
});

function process(store: ResumeStore, options: Partial<CoreClientOptions> = {}): ClientBench {
  const bench = new ClientBench({ store, ...options });
  benches.push(bench);
  return bench;
}

describe('a client with a store', () => {
  test('goes on in another process: session, numbers, msg_ids', async () => {
    const store = new TestStore();
    const first = process(store);
    await first.connect();
    await first.client.request('a');
    first.gateway.last.push(first.gateway.nextPush++, 'x');
    await first.pass(50);
    expect(store.saved).toMatchObject({
      version: 1,
      openid: 'alice',
      sessionId: 's-1',
      lastSeq: 2,
    });
    expect(first.gateway.last.acks.at(-1)).toBe(2);

    const second = process(store);
    second.gateway.nextPush = 3;
    second.gateway.onStart = (connection, msgId) =>
      second.gateway.accept(connection, msgId, { nextClientSeq: 2 });
    await second.connect();
    const [start] = second.gateway.last.starts;
    expect(start).toMatchObject({ resumeSessionId: 's-1', lastAckedSeqId: 2 });
    expect(second.log).toEqual(['connected:resumed:whole']);
    await second.client.request('b');
    const [request] = second.gateway.last.requests;
    expect(request?.seqId).toBe(2);
    // An answer of the former life that comes only now must find nobody.
    expect(request?.msgId).toBeGreaterThan(1_000_000);
  });

  test('acknowledges only what is stored, and claims no more', async () => {
    const store = new TestStore();
    const bench = process(store);
    await bench.connect();
    await bench.pass(50);
    store.hold();
    bench.gateway.last.push(1, 'x');
    bench.gateway.last.push(2, 'y');
    await bench.pass(200);
    expect(bench.gateway.last.acks).toEqual([]);
    bench.cut();
    bench.gateway.nextPush = 1;
    await bench.pass(300);
    expect(bench.gateway.last.starts[0]?.lastAckedSeqId).toBe(0);
    for (const seq of [1, 2]) bench.gateway.last.push(seq, 'again');
    store.release();
    await bench.pass(200);
    expect(bench.gateway.last.acks.at(-1)).toBe(2);
    expect(bench.log.filter((line) => line.startsWith('push'))).toEqual(['push:1:x', 'push:2:y']);
  });

  test('a push that was taken and not stored comes again to the next process', async () => {
    const store = new TestStore();
    const first = process(store, { ack: 'handled' });
    first.client.onPush(() => new Promise(() => undefined));
    await first.connect();
    first.gateway.last.push(1, 'x');
    await first.pass(100);
    expect(store.saved).toMatchObject({ lastSeq: 0 });
    const second = process(store);
    await second.connect();
    expect(second.gateway.last.starts[0]?.lastAckedSeqId).toBe(0);
    second.gateway.last.push(1, 'x');
    await turns();
    expect(second.log.at(-1)).toBe('push:1:x');
  });

  test('stop forgets the session, close keeps it up to date', async () => {
    const store = new TestStore();
    const first = process(store);
    await first.connect();
    first.gateway.last.push(1, 'x');
    await turns();
    first.client.close();
    await turns();
    expect(store.saved).toMatchObject({ sessionId: 's-1', lastSeq: 1 });
    const second = process(store);
    await second.connect();
    const stopping = second.client.stop();
    await second.pass(50);
    await stopping;
    expect(store.saved).toBeNull();
  });

  test('a session that the gateway has forgotten is told, and stored anew', async () => {
    const store = new TestStore();
    const old = { version: 1, openid: 'alice', sessionId: 'old', epoch: 3, epochProof: '0aff' };
    store.saved = { ...old, lastSeq: 70, nextMsgId: 9 };
    const bench = process(store);
    bench.gateway.onStart = (connection, msgId) =>
      bench.gateway.accept(connection, msgId, { recovered: false, nextPushSeq: 1 });
    await bench.connect();
    const [start] = bench.gateway.last.starts;
    expect(start).toMatchObject({ resumeSessionId: 'old', lastAckedSeqId: 70, seenEpoch: 3 });
    expect(Buffer.from(start?.epochProof ?? []).toString('hex')).toBe('0aff');
    expect(bench.log).toEqual(['connected:new:holes', 'unrecovered:70:1']);
    bench.gateway.last.push(1, 'fresh');
    await bench.pass(50);
    expect(bench.log.at(-1)).toBe('push:1:fresh');
    expect(store.saved).toMatchObject({ sessionId: 's-1', lastSeq: 1 });
    expect(bench.gateway.last.acks.at(-1)).toBe(1);
  });

  test.each([
    ['no object', 'text'],
    ['another version', { version: 2 }],
    ['no session', { version: 1, openid: 'alice', sessionId: '' }],
    [
      'a number below 0',
      { version: 1, openid: 'alice', sessionId: 's', epochProof: '', lastSeq: -1 },
    ],
    ['proof that is no hex', { version: 1, openid: 'alice', sessionId: 's', epochProof: 'x' }],
  ])('a damaged store (%s) is reported and means a new session', async (_, saved) => {
    const store = new TestStore();
    store.saved = saved;
    const bench = process(store);
    await bench.connect();
    expect(bench.errors.map(({ code }) => code)).toEqual(['RESUME_STORE_FAILED']);
    expect(bench.gateway.last.starts[0]).toMatchObject({ resumeSessionId: '', lastAckedSeqId: 0 });
    expect(() => readResumeState(saved)).toThrow(/cannot be read: /);
  });

  test('the state of another openid is left alone', async () => {
    const store = new TestStore();
    store.saved = {
      version: 1,
      openid: 'bob',
      sessionId: 's-9',
      lastSeq: 5,
      nextMsgId: 1,
      epoch: 0,
      epochProof: '',
    };
    const bench = process(store);
    await bench.connect();
    expect(bench.gateway.last.starts[0]?.resumeSessionId).toBe('');
    expect(bench.errors).toEqual([]);
  });

  test('a store that throws is reported once, and the client works on', async () => {
    const store = new TestStore();
    store.load = () => {
      throw new Error('unreadable');
    };
    const bench = process(store);
    store.error = new Error('disk full');
    await bench.connect();
    for (const seq of [1, 2, 3]) {
      bench.gateway.last.push(seq, 'x');
      await bench.pass(50);
    }
    expect(bench.errors.map(({ code }) => code)).toEqual([
      'RESUME_STORE_FAILED',
      'RESUME_STORE_FAILED',
    ]);
    expect(bench.gateway.last.acks.at(-1)).toBe(3);
    store.error = null;
    bench.gateway.last.push(4, 'x');
    await bench.pass(50);
    expect(store.saved).toMatchObject({ lastSeq: 4 });
  });

  test('a store slower than connect() is waited for by the next one too', async () => {
    const store = new TestStore();
    const state = { ...STORED, lastSeq: 70, nextMsgId: 9 };
    let give: () => void = () => undefined;
    store.load = () => new Promise((resolve) => (give = () => resolve(state)));
    const bench = process(store, { connectTimeoutMs: 1_000 });
    const failure = bench.client.connect().catch((error: unknown) => error);
    await bench.pass(1_100);
    expect(await failure).toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringContaining('the store'),
    });
    const connecting = bench.client.connect();
    await bench.pass(500);
    expect([bench.client.state, bench.gateway.tried]).toEqual(['connecting', []]);
    give();
    await turns();
    await connecting;
    expect(bench.gateway.tried).toHaveLength(1);
    const start = { resumeSessionId: 's-1', lastAckedSeqId: 70, seenEpoch: 3 };
    expect(bench.gateway.last.starts).toEqual([expect.objectContaining(start)]);
    expect(bench.log).toEqual(['connected:resumed:whole']);
  });

  test('a store that could not be read is read again by the next connect()', async () => {
    const store = new TestStore();
    store.load = () => {
      throw new Error('unreadable');
    };
    const bench = process(store, { connectTimeoutMs: 1_000 });
    bench.gateway.openError = new Error('no way');
    const code = ClientBench.codeOf(bench.client.connect());
    await bench.pass(1_100);
    expect(await code).toBe('CONNECT_FAILED');
    expect(bench.errors.map(({ code }) => code)).toEqual(['RESUME_STORE_FAILED']);
    bench.gateway.openError = null;
    store.load = () => ({ ...STORED, lastSeq: 0, nextMsgId: 9 });
    await bench.connect();
    expect(bench.gateway.last.starts[0]?.resumeSessionId).toBe('s-1');
    expect(bench.errors).toHaveLength(1);
  });

  test('close while the store is read ends it', async () => {
    const store = new TestStore();
    const bench = process(store);
    const connecting = bench.client.connect();
    bench.client.close();
    await expect(connecting).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    await turns();
    expect(bench.gateway.tried).toEqual([]);
  });

  test('a save that never ends is told as a failure, and holds up nothing', async () => {
    const store = new TestStore();
    store.hold();
    const bench = process(store);
    const connecting = ClientBench.codeOf(bench.client.connect());
    await turns();
    bench.gateway.last.push(1, 'x');
    await bench.pass(4_900);
    expect([bench.log, bench.errors]).toEqual([['connected:new:whole', 'push:1:x'], []]);
    await bench.pass(200);
    expect(await connecting).toBe('resolved');
    expect(bench.errors).toEqual([
      expect.objectContaining({
        code: 'RESUME_STORE_FAILED',
        message: expect.stringMatching(/cannot be stored.*: no answer within 5000 ms/),
      }),
    ]);
    expect(bench.gateway.last.acks.at(-1)).toBe(1);
    bench.gateway.last.push(2, 'y');
    await bench.pass(100);
    expect(bench.gateway.last.acks.at(-1)).toBe(2);
    expect(bench.errors).toHaveLength(1);
    const stopping = bench.client.stop();
    await bench.pass(100);
    await stopping;
  });

  test('what a save that took too long kept back is saved after it, one call at a time', async () => {
    const store = new TestStore();
    let under = 0;
    let most = 0;
    const save = store.save.bind(store);
    store.save = async (state) => {
      most = Math.max(most, ++under);
      await save(state);
      under--;
    };
    const bench = process(store);
    await bench.connect();
    store.hold();
    for (const seq of [1, 2]) bench.gateway.last.push(seq, 'x');
    await bench.pass(5_200);
    for (const seq of [3, 4]) {
      bench.gateway.last.push(seq, 'x');
      await bench.pass(100);
    }
    expect([bench.gateway.last.acks.at(-1), store.saves.at(-1)?.lastSeq]).toEqual([4, 0]);
    store.release();
    await turns();
    expect(store.saves.map((state) => state?.lastSeq)).toEqual([0, 2, 4]);
    expect([most, bench.errors.length]).toEqual([1, 1]);
  });

  test('connect() whose time ends while the session is being stored has its session', async () => {
    const store = new TestStore();
    store.hold();
    const bench = process(store, { connectTimeoutMs: 1_000 });
    const connecting = ClientBench.codeOf(bench.client.connect());
    await bench.pass(1_100);
    expect(await connecting).toBe('resolved');
    expect(bench.client.state).toBe('connected');
  });
});
