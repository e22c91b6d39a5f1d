import { describe, expect, it } from '@jest/globals';
import { traceLine } from '../../../src/console/trace-line.js';

describe('a line of the live trace', () => {
  it.each([
    [
      'frame',
      { at: 5.25, dir: 'in', type: 'BUSINESS', seq: 7, bytes: 1_120, action: 'echo' },
      { at: 5.25, way: 'in', what: 'BUSINESS', detail: 'seq 7, action echo, 1,120 B', tone: null },
    ],
    [
      'frame',
      { dir: 'out', type: 'BUSINESS_DATA', seq: 9, bytes: 60, push: true, replay: true },
      { way: 'out', what: 'BUSINESS_DATA', detail: 'seq 9, push, replay, 60 B', tone: null },
    ],
    [
      'frame',
      {
        dir: 'out',
        type: 'ERROR',
        seq: 0,
        bytes: 9,
        error: { code: 503, name: 'BUSY', detail: '' },
      },
      { way: 'out', what: 'ERROR', detail: '503 BUSY, 9 B', tone: 'bad' },
    ],
    [
      'request',
      { phase: 'answered', action: 'echo', code: 0, timing_ms: { upstream: 1.239, total: 2 } },
      {
        way: '',
        what: 'request answered',
        detail: 'action echo, code 0; ms: upstream 1.24, total 2.00',
        tone: null,
      },
    ],
    [
      'request',
      { phase: 'attempt_failed', upstream: '127.0.0.1:1', kind: 'connect', reason: 'refused' },
      { what: 'request attempt failed', tone: 'warn' },
    ],
    [
      'request',
      { phase: 'refused', reason: 'too many' },
      { detail: 'reason too many', tone: 'bad' },
    ],
    [
      'session',
      { what: 'ended', reason: 'kicked' },
      { what: 'session ended', detail: 'reason kicked' },
    ],
    [
      'connection',
      { what: 'closed', by: 'loss', code: 0 },
      { what: 'connection closed', tone: 'warn' },
    ],
    ['dropped', { count: 12 }, { detail: '12: this page was too slow' }],
    ['open', {}, { at: 0, what: 'trace begins' }],
    ['of tomorrow', { at: 1 }, { at: 1, what: 'of tomorrow', detail: '' }],
  ])('tells of %s %j', (name, data, line) => {
    expect(traceLine(name, data)).toMatchObject(line);
  });
});
