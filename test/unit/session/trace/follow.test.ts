import { describe, expect, test } from '@jest/globals';
import type { Authenticator } from '../../../../src/session/authenticator.js';
import type { TraceEvent, TraceFields } from '../../../../src/session/trace/trace-event.js';
import { NotifySyncHint } from '../../../../src/wire/messages.js';
import { SessionHarness } from '../../../support/session-harness.js';

/** What a listener hears, with contents copied while they are valid. */
class Ear {
  readonly events: TraceEvent[] = [];
  readonly data: string[] = [];
  readonly stop: () => void;

  constructor(harness: SessionHarness, openid = 'alice') {
    this.stop = harness.service.follow(openid, this);
  }

  onEvent(event: TraceEvent): void {
    this.events.push(event);
    if (event.content !== null) this.data.push(Buffer.from(event.content.data).toString());
  }

  /** One short line per event. */
  get story(): string[] {
    return this.events.map(({ kind, fields }) => {
      const { dir, type, what, phase, seq, error } = fields;
      const refusal = (error as TraceFields | undefined)?.['code'];
      const words = [kind, dir, type, what, phase, seq === 0 ? undefined : seq, refusal];
      return words.filter((word) => word !== undefined).join(' ');
    });
  }

  of(kind: TraceEvent['kind']): TraceFields[] {
    return this.events.filter((event) => event.kind === kind).map(({ fields }) => fields);
  }
}

describe('whoever follows an openid', () => {
  test('hears its whole story, from before the first connection on', () => {
    const harness = new SessionHarness();
    const ear = new Ear(harness);
    const client = harness.started('alice');
    client.business(1);
    harness.answer(0);
    client.ack(1).heartbeat();
    harness.pushTexts('alice', 'news');
    client.link.lose();
    harness.settle();
    const resumeSessionId = client.started.connectionId;
    harness.started('alice', { resumeSessionId, lastAckedSeqId: 1 }).ack(2).stop();
    expect(ear.story).toEqual([
      'frame in START',
      'session started',
      'frame out START_RESP',
      'frame in BUSINESS 1',
      'request answered 1',
      'frame out BUSINESS_DATA 1',
      'request written 1',
      'frame in ACK',
      'frame in HEARTBEAT',
      'frame out HEARTBEAT_RESP',
      'frame out BUSINESS_DATA 2',
      'session detached',
      'connection closed',
      'frame in START',
      'session resumed',
      'frame out START_RESP',
      'frame out BUSINESS_DATA 2',
      'frame in ACK',
      'frame in STOP',
      'session ended',
      'connection closing',
      'connection closed',
    ]);
    expect(new Set(ear.events.map(({ openid }) => openid))).toEqual(new Set(['alice']));
    const connections = ear.of('connection').map(({ what }) => what);
    expect(connections).toEqual(['closed', 'closing', 'closed']);
    expect(ear.data).toEqual(['r1', 'r1', 'news', 'news']);
  });

  test('is told what a frame says, its size, and whether it was sent before', () => {
    const harness = new SessionHarness();
    const ear = new Ear(harness);
    const client = harness.started('alice');
    harness.pushTexts('alice', 'one');
    client.link.lose();
    harness.settle();
    harness.pushTexts('alice', 'two');
    const resumeSessionId = client.started.connectionId;
    harness.started('alice', { resumeSessionId });
    const pushes = ear.of('frame').filter(({ type }) => type === 'BUSINESS_DATA');
    expect(pushes).toMatchObject([
      { seq: 1, push: true, code: 200, msg_id: 0 },
      { seq: 1, push: true, replay: true },
      { seq: 2, push: true },
    ]);
    expect(pushes[2]).not.toHaveProperty('replay');
    const starts = ear.of('frame').filter(({ type }) => type === 'START');
    expect(starts).toMatchObject([
      { last_acked: 0, transport: 'memory', bytes: expect.any(Number) },
      { resume_session: resumeSessionId },
    ]);
    expect(ear.of('session')[0]).toMatchObject({ kind: 'new', zone: '001', recovered: true });
    expect(ear.events.map(({ connection }) => connection)).toContain(2);
  });

  test('hears what each stage of a request took', () => {
    const harness = new SessionHarness();
    const ear = new Ear(harness);
    const client = harness.started('alice').business(1);
    harness.clock.advance(25);
    harness.answer(0, 201);
    const [answered, written] = ear.of('request');
    expect(answered).toMatchObject({
      phase: 'answered',
      msg_id: 101,
      seq: 1,
      action: 'echo',
      code: 201,
    });
    const timing = written?.['timing_ms'];
    expect(timing).toMatchObject({ upstream: 25, total: 25 });
    expect(Object.keys(timing as TraceFields)).toEqual([
      ...['decode', 'admission', 'upstream', 'encode', 'outbox', 'flush', 'total'],
    ]);
    client.business(2);
    harness.fail(1);
    expect(ear.of('request').slice(2)).toMatchObject([
      { phase: 'failed', code: 504, reason: 'test' },
      { phase: 'written' },
    ]);
  });

  test('hears why something is refused', () => {
    const harness = new SessionHarness({}, undefined, undefined, {
      sessionQps: 1,
      sessionBurst: 1,
    });
    const ear = new Ear(harness);
    const client = harness.started('alice').business(1).business(2);
    client.business(9).ack(77);
    expect(ear.of('request')).toMatchObject([
      { phase: 'refused', seq: 2, code: 429, reason: 'session_rate' },
    ]);
    const errors = ear.of('frame').filter(({ type }) => type === 'ERROR');
    expect(errors).toMatchObject([
      { seq: 1, error: { code: 429, name: 'too_many_requests' } },
      { seq: 0, error: { code: 400, detail: 'seq_id 9 leaves a gap, expected 3' } },
      { seq: 0, error: { code: 400, detail: expect.stringContaining('77 was never sent') } },
    ]);
  });

  test('hears of STARTs that are refused, and never a token', () => {
    const authenticator: Authenticator = {
      verify: (_, done) => done({ ok: false, reason: 'signature' }),
    };
    const harness = new SessionHarness({}, authenticator);
    const ear = new Ear(harness);
    harness.client().start('alice', { authToken: 'very-secret' });
    expect(ear.story).toEqual([
      'frame in START',
      'frame out START_RESP 401',
      'connection closing',
      'connection closed',
    ]);
    expect(JSON.stringify(ear.events)).not.toContain('very-secret');
    expect(ear.events.map(({ session }) => session)).toEqual([null, null, null, null]);
  });

  test('hears of takeovers and of new incarnations', () => {
    const harness = new SessionHarness();
    const ear = new Ear(harness);
    const first = harness.started('alice');
    const resumeSessionId = first.started.connectionId;
    harness.started('alice', { resumeSessionId });
    expect(ear.story.slice(3)).toEqual([
      'frame in START',
      'session taken_over',
      'frame out ERROR 409',
      'connection closing',
      'session resumed',
      'frame out START_RESP',
      'connection closed',
    ]);
    harness.started('alice');
    expect(ear.of('session').slice(-3)).toMatchObject([
      { what: 'ended', reason: 'new_incarnation' },
      { what: 'taken_over' },
      { what: 'started', kind: 'new_incarnation' },
    ]);
  });

  test('may begin and end in the middle; two hear the same', () => {
    const harness = new SessionHarness();
    const client = harness.started('alice').business(1);
    const ear = new Ear(harness);
    const other = new Ear(harness);
    harness.answer(0);
    client.ack(1);
    expect(ear.story).toEqual(['frame out BUSINESS_DATA 1', 'frame in ACK']);
    expect(other.story).toEqual(ear.story);
    ear.stop();
    client.heartbeat();
    expect(ear.story).toHaveLength(2);
    expect(other.story).toHaveLength(4);
    other.stop();
    ear.stop();
    client.heartbeat().business(2);
    expect(other.story).toHaveLength(4);
    expect(harness.service.environment.tracing.requests).toBeNull();
    expect(harness.router.seen.at(-1)?.request.trace).toBeNull();
  });

  test('hears nothing of others, and costs them no trace', () => {
    const harness = new SessionHarness();
    const ear = new Ear(harness, 'alice');
    const bob = harness.started('bob').business(1);
    harness.answer(0);
    bob.ack(1).stop();
    expect(ear.events).toEqual([]);
    expect(harness.router.seen[0]?.request.trace).toBeNull();
  });

  test('hears of frames that are none, and of those before START', () => {
    const harness = new SessionHarness();
    const ear = new Ear(harness, 'x');
    // BareClient puts openid x on every frame.
    harness.client().business(1);
    expect(ear.story.slice(0, 2)).toEqual(['frame in BUSINESS 1', 'frame out ERROR 401']);
    const alice = new Ear(harness);
    harness.started('alice').raw(Buffer.from([0, 0, 0, 2, 0xff, 0xff]));
    expect(alice.story.slice(3, 5)).toEqual(['frame in BAD', 'session detached']);
    expect(alice.story).toContain('frame out ERROR 400');
  });

  test('hears of pushes bound to an answer in their order', () => {
    const harness = new SessionHarness();
    const ear = new Ear(harness);
    harness.started('alice').business(1);
    harness.push('alice', {
      content: 'after',
      syncHint: NotifySyncHint.NSH_AFTER_RESPONSE,
      bindClientSeqId: 1,
    });
    harness.answer(0);
    const out = ear.of('frame').filter(({ dir }) => dir === 'out');
    expect(out.slice(1)).toMatchObject([
      { msg_id: 101, seq: 1, push: false },
      { msg_id: 0, seq: 2, push: true },
    ]);
  });
});
