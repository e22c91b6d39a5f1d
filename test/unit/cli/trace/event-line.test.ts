import { describe, expect, it } from '@jest/globals';
import { eventLine } from '../../../../src/cli/trace/event-line.js';

const AT = new Date(2026, 10, 21, 17, 0, 5, 73).getTime() + 0.25;

function line(event: string, data: Record<string, unknown>): string {
  return eventLine({ event, id: 1, data: { at: AT, openid: 'ann', session: 's1', ...data } });
}

describe('the line of an event', () => {
  it.each([
    [
      'frame',
      { dir: 'in', type: 'BUSINESS', msg_id: 2, seq: 1, bytes: 23, action: 'echo', connection: 1 },
      '17:00:05.073  ->  BUSINESS         m2 #1              23 B  action=echo',
    ],
    [
      'frame',
      {
        dir: 'out',
        type: 'ERROR',
        msg_id: 2,
        seq: 4,
        bytes: 64,
        error: { code: 502, name: 'upstream_failed', detail: 'the upstream failed' },
      },
      '17:00:05.073  <-  ERROR            m2 #4              64 B  502 upstream_failed: the upstream failed',
    ],
    [
      'request',
      {
        phase: 'written',
        msg_id: 2,
        seq: 1,
        action: 'echo',
        timing_ms: { decode: 0.1, total: 2.345 },
        unsent_bytes: 0,
      },
      '17:00:05.073      written          m2 #1                    ms: decode 0.10, total 2.35',
    ],
    [
      'session',
      { what: 'ended', reason: 'stop', connection: 1 },
      '17:00:05.073  --  ended                                     session s1 reason=stop',
    ],
    [
      'connection',
      { what: 'closing', code: 409, name: 'replaced', reason: 'a newer one', connection: 2 },
      '17:00:05.073  --  closing                                   connection 2 code=409 name=replaced reason=a newer one',
    ],
    [
      'dropped',
      { count: 7 },
      '17:00:05.073  !!  dropped                                   7 events: this listener was too slow',
    ],
    [
      'open',
      { sessions: [], payload: false },
      '17:00:05.073  **  watching                                  ann, who has no session',
    ],
  ])('%s', (event, data, expected) => {
    expect(line(event, data)).toBe(expected);
  });

  it('shows contents, cut where they are long', () => {
    const base64 = Buffer.from('a'.repeat(500)).toString('base64');
    const payload = { base64, bytes: 500, truncated: false };
    const shown = line('frame', { dir: 'in', type: 'BUSINESS', payload, headers: { a: 'b' } });
    expect(shown).toContain(`data (500 B)="${'a'.repeat(160)}"...`);
    expect(shown).toContain('headers={"a":"b"}');
  });

  it('is one line, whatever clients and upstreams write', () => {
    for (const evil of ['\n->  BUSINESS', '\u001b[2J', '\u0007', '\u202e', '\u2028', '\ud800']) {
      const base64 = Buffer.from(evil).toString('base64');
      const shown = line('frame', {
        dir: 'in',
        type: evil,
        action: evil,
        headers: { [evil]: evil },
        payload: { base64, bytes: 9, truncated: false },
        error: { code: 1, name: 'x', detail: evil },
        [evil]: evil,
      });
      expect(shown).not.toMatch(/[\p{C}\u2028\u2029]/u);
    }
  });

  it('bears what it does not know', () => {
    expect(line('future', { thing: 1, connection: null })).toContain('future');
    expect(eventLine({ event: 'frame', id: 0, data: {} })).toContain('<-');
    expect(line('open', { sessions: 'x' })).toContain('no session');
    expect(line('request', { timing_ms: { decode: 'x' }, error: 7 })).toContain('decode x');
  });
});
