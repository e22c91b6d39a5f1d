import { describe, expect, it } from '@jest/globals';
import type { FastifyReply } from 'fastify';
import { EventEmitter } from 'node:events';
import { EventStream, eventText, refuseAbove } from '../../../../src/ops/stream/event-stream.js';

/** An HTTP response whose reader is as slow as the test wants. */
class Response extends EventEmitter {
  writableLength = 0;
  destroyed = false;
  readonly written: string[] = [];

  writeHead(): void {}
  flushHeaders(): void {}

  write(text: string): void {
    this.written.push(text);
  }

  end(): void {
    this.emit('close');
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function open() {
  const response = new Response();
  const ends: string[] = [];
  const reply = { hijack: () => undefined, raw: response } as unknown as FastifyReply;
  return { response, ends, stream: new EventStream(reply, () => ends.push('ended')) };
}

describe('an event stream', () => {
  it('writes an event on two lines, whatever is in it', () => {
    expect(eventText('sample', { text: 'a\nb\r\u2028' })).toBe(
      'event: sample\ndata: {"text":"a\\nb\\r\u2028"}\n\n',
    );
  });

  it('skips what a slow listener does not read, and goes on when it reads again', () => {
    const { response, stream } = open();
    response.writableLength = 300 * 1024;
    expect(stream.send('a')).toBe(false);
    response.writableLength = 0;
    expect(stream.send('b')).toBe(true);
    expect(response.written).toEqual(['b']);
  });

  it('cuts off whoever reads nothing for long', () => {
    const { response, ends, stream } = open();
    response.writableLength = 300 * 1024;
    for (let event = 0; event < 29; event++) stream.send('a');
    expect(response.destroyed).toBe(false);
    stream.send('a');
    expect([response.destroyed, ends]).toEqual([true, ['ended']]);
    expect(stream.send('a')).toBe(false);
  });

  it('ends once', () => {
    const { ends, stream } = open();
    stream.end();
    stream.end();
    expect(ends).toEqual(['ended']);
  });

  it('ends with its connection', () => {
    const { response, ends, stream } = open();
    response.emit('close');
    expect(ends).toEqual(['ended']);
    expect(stream.send('a')).toBe(false);
  });

  it('is refused above the limit', () => {
    expect(() => refuseAbove(2, 3)).not.toThrow();
    expect(() => refuseAbove(3, 3)).toThrow('3 listen already');
  });
});
