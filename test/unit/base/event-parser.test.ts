import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EventParser } from '../../../src/base/event-parser.js';
import { eventText } from '../../../src/ops/stream/event-stream.js';

const parse = (...pieces: string[]) => {
  const parser = new EventParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

describe('the parser of event streams', () => {
  it.each([
    ['event: a\ndata: 1\n\n', [{ name: 'a', data: '1', id: '' }]],
    ['data:1\n\n', [{ name: 'message', data: '1', id: '' }]],
    ['data: 1\ndata:  2\n\n', [{ name: 'message', data: '1\n 2', id: '' }]],
    ['event: a\r\ndata: 1\r\n\r\n', [{ name: 'a', data: '1', id: '' }]],
    ['event: a\rdata: 1\r\rx', [{ name: 'a', data: '1', id: '' }]],
    [': a comment\n\n', []],
    ['event: a\n\ndata: 1\n\n', [{ name: 'message', data: '1', id: '' }]],
    ['id: 7\nretry: 3\nunknown\ndata\n\n', [{ name: 'message', data: '', id: '7' }]],
    ['data: unfinished\n', []],
  ])('reads %j', (text, events) => {
    expect(parse(text)).toEqual(events);
  });

  it('does not mind where pieces end, and reads what the gateway writes', () => {
    const bodies = fc.array(fc.record({ text: fc.string({ unit: 'binary' }) }), { maxLength: 5 });
    fc.assert(
      fc.property(bodies, fc.integer({ min: 1, max: 9 }), (all, size) => {
        const text = all.map((body) => eventText('sample', body)).join('');
        const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
        const data = parse(...pieces).map((event) => JSON.parse(event.data) as unknown);
        expect(data).toEqual(all);
      }),
    );
  });

  it('reads a CRLF that comes in two pieces as one line end', () => {
    expect(parse('data: 1\r', '\n\r', '\ndata: 2\r\n\r\n')).toEqual([
      { name: 'message', data: '1', id: '' },
      { name: 'message', data: '2', id: '' },
    ]);
  });

  it('refuses an event that never ends', () => {
    const lines = new EventParser(100);
    lines.push(`data: ${'x'.repeat(80)}\n`);
    expect(() => lines.push(`data: ${'x'.repeat(80)}\n`)).toThrow('too long');
    expect(() => new EventParser(100).push('x'.repeat(101))).toThrow('too long');
  });
});
