import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EventReader } from '../../../../src/cli/trace/event-reader.js';
import { eventText } from '../../../../src/ops/stream/event-stream.js';

describe('the reader of an event stream', () => {
  it('finds the events of the gateway, however they are cut into pieces', () => {
    const events = fc.array(
      fc.record({
        name: fc.constantFrom('open', 'frame', 'request'),
        data: fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })),
      }),
    );
    fc.assert(
      fc.property(events, fc.infiniteStream(fc.nat({ max: 40 })), (sent, cuts) => {
        const text = sent
          .map(({ name, data }, index) => `: \n\n${eventText(name, data, index)}`)
          .join('');
        const reader = new EventReader();
        const found = [];
        let at = 0;
        for (const length of cuts) {
          if (at >= text.length) break;
          found.push(...reader.feed(text.slice(at, at + length + 1)));
          at += length + 1;
        }
        expect(found).toEqual(
          sent.map(({ name, data }, index) => ({ event: name, id: index, data: { ...data } })),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('takes other line ends, several data lines, and fields that it does not know', () => {
    const reader = new EventReader();
    const text = 'retry: 5\r\nevent: a\r\ndata: {"x":\r\ndata: 1}\r\n\r\n: only a comment\r\n\r\n';
    expect(reader.feed(text)).toEqual([{ event: 'a', id: 0, data: { x: 1 } }]);
  });

  it.each(['data: nonsense\n\n', 'data: 7\n\n', 'data: null\n\n'])('refuses %j', (text) => {
    expect(() => new EventReader().feed(text)).toThrow('is it a gateway?');
  });

  it('does not collect an event without end', () => {
    const reader = new EventReader();
    const feed = () => {
      for (let count = 0; count < 100; count++) reader.feed('x'.repeat(100_000));
    };
    expect(feed).toThrow('too long');
  });
});
