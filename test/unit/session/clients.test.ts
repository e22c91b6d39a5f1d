import { describe, expect, test } from '@jest/globals';
import { ClientDesk } from '../../../src/session/client-desk.js';
import { BroadcastRequest } from '../../../src/wire/messages.js';
import { FakeClock } from '../../support/fake-clock.js';
import { SessionHarness } from '../../support/session-harness.js';

const byOpenid = (targetId: string) => ({ targetType: 'openid', targetId });
const bySession = (targetId: string) => ({ targetType: 'session', targetId });

describe('the desk of clients', () => {
  test('finds a client that is connected, by openid and by session', () => {
    const harness = new SessionHarness();
    const client = harness.started();
    const found = harness.service.clients.find(byOpenid('alice'));
    const now = harness.clock.wallTime();
    expect(found).toEqual({
      online: true,
      sessionId: client.started.connectionId,
      openid: 'alice',
      zone: expect.stringMatching(/^00[1-6]$/),
      transport: 'memory',
      remoteAddress: expect.any(String),
      createdAt: now,
      connectedAt: now,
      lastActivity: now,
      pending: 0,
    });
    expect(harness.service.clients.find(bySession(client.started.connectionId))).toEqual(found);
  });

  test('a client that is away has a session but is not online', () => {
    const harness = new SessionHarness();
    const client = harness.started();
    const began = harness.clock.wallTime();
    client.link.lose();
    harness.settle();
    harness.advance(5_000);
    harness.pushTexts('alice', 'a', 'b');
    expect(harness.service.clients.find(byOpenid('alice'))).toMatchObject({
      online: false,
      connectedAt: began,
      pending: 2,
    });
  });

  test('counts only while the gateway serves', () => {
    const { registry } = new SessionHarness().service;
    const gate = { accepts: true, serves: true, numbers: true, primaryAddress: '' };
    const desk = new ClientDesk(registry, new FakeClock(), gate, () => undefined);
    expect(desk.elsewhere).toBeNull();
    Object.assign(gate, { accepts: false, primaryAddress: '10.0.0.2:8453' });
    expect(desk.elsewhere).toMatch(/not the primary.*10\.0\.0\.2:8453/);
  });

  test('nobody is null', () => {
    const harness = new SessionHarness();
    expect(harness.service.clients.find(byOpenid('alice'))).toBeNull();
    expect(harness.service.clients.find(bySession('alice'))).toBeNull();
    expect(harness.service.clients.kick(byOpenid('alice'), 'x')).toBeNull();
  });

  test('a kicked client hears why, with 403, and its session is gone', () => {
    const harness = new SessionHarness();
    const client = harness.started();
    harness.started('bob');
    const { connectionId } = client.started;
    expect(harness.service.clients.kick(byOpenid('alice'), 'banned')).toBe(connectionId);
    harness.settle();
    expect(client.last).toMatchObject({ seq: 0, code: 403, text: 'banned' });
    expect(harness.service.registry.find(connectionId)).toBeUndefined();
    expect(harness.service.registry.findByOpenid('bob')?.active).toBe(true);
    const again = harness.started('alice', { resumeSessionId: connectionId });
    expect(again.started.resumed).toBe(false);
  });

  test('a session that is ended with its connection is counted as that, without a resume window too', () => {
    const limits = { resumeWindow: 0, sessionTimeout: 60_000, ackTimeout: 0 };
    const harness = new SessionHarness(limits);
    const { ended } = harness.metrics.session;
    harness.started('alice');
    harness.service.clients.kick(byOpenid('alice'), 'banned');
    expect([ended.of('kicked').value, ended.of('resume_window').value]).toEqual([1, 0]);
    harness.started('bob');
    harness.advance(61_000);
    expect([ended.of('session_timeout').value, ended.of('resume_window').value]).toEqual([1, 0]);
    harness.started('carol').link.lose();
    harness.settle();
    expect(ended.of('resume_window').value).toBe(1);
  });

  test('what a kicked client has not acknowledged waits for the openid', () => {
    const harness = new SessionHarness({ offlineTtl: 60_000 });
    harness.started();
    harness.pushTexts('alice', 'one', 'two');
    harness.service.clients.kick(byOpenid('alice'), 'moved');
    harness.settle();
    expect(harness.started('alice').texts).toEqual(['one', 'two']);
  });

  test('kicking a client that is away ends its session as well', () => {
    const harness = new SessionHarness();
    harness.started().link.lose();
    harness.settle();
    expect(harness.service.clients.kick(byOpenid('alice'), 'x')).not.toBeNull();
    expect(harness.service.registry.size).toBe(0);
  });
});

describe('a broadcast to some', () => {
  const broadcast = (harness: SessionHarness, fields: Partial<BroadcastRequest>): number => {
    let sent = -1;
    const request = new BroadcastRequest({ content: 'all', ...fields });
    harness.service.pushes.broadcast(request, (count) => (sent = count));
    harness.settle();
    return sent;
  };

  test('by openids and sessions, each session once; unknown ones are nobody', () => {
    const harness = new SessionHarness();
    const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((openid) => harness.started(openid));
    const sessionIds = [alice?.started.connectionId ?? '', 'nobody'];
    expect(broadcast(harness, { openids: ['alice', 'bob', 'dave'], sessionIds })).toBe(2);
    expect([alice?.texts, bob?.texts, carol?.texts]).toEqual([['all'], ['all'], []]);
  });

  test('by zone', () => {
    const harness = new SessionHarness();
    const openids = Array.from({ length: 30 }, (_, index) => `player-${index}`);
    const clients = openids.map((openid) => harness.started(openid));
    const zoneOf = (openid: string) => harness.service.registry.findByOpenid(openid)?.zone;
    const zone = zoneOf('player-0') ?? '';
    const inZone = openids.filter((openid) => zoneOf(openid) === zone);
    expect(broadcast(harness, { zoneIds: [zone] })).toBe(inZone.length);
    for (const [index, client] of clients.entries()) {
      expect(client.texts).toEqual(inZone.includes(openids[index] ?? '') ? ['all'] : []);
    }
  });

  test('nobody named is everyone', () => {
    const harness = new SessionHarness();
    harness.started('alice');
    harness.started('bob');
    expect(broadcast(harness, {})).toBe(2);
  });
});
