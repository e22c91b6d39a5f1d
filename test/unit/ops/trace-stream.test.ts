import { describe, expect, it } from '@jest/globals';
import {
  MAX_WAITING_BYTES,
  MAX_WAITING_EVENTS,
  TraceStream,
} from '../../../src/ops/trace-stream.js';
import { MAX_PAYLOAD_BYTES, traceData } from '../../../src/ops/trace-text.js';
import type { TraceEvent } from '../../../src/session/trace/trace-event.js';

function event(changes: Partial<TraceEvent> = {}): TraceEvent {
  const place = { openid: 'ann', session: 's1', connection: 1 };
  const fields = { dir: 'in', type: 'ACK', acked: 7 };
  return {
    kind: 'frame',
    at: 1_700_000_000_000 + 123.4567,
    ...place,
    fields,
    content: null,
    ...changes,
  };
}

/** A listener that reads when the test says so, and the turns of its event loop. */
class Reader {
  readonly written: string[] = [];
  takes = true;
  readonly stream: TraceStream;
  private readonly tasks: (() => void)[] = [];

  constructor(withContent = false) {
    this.stream = new TraceStream(this, withContent, (run) => this.tasks.push(run));
  }

  write(text: string): boolean {
    this.written.push(text);
    return this.takes;
  }

  turn(): void {
    for (const task of this.tasks.splice(0)) task();
  }

  get text(): string {
    return this.written.join('');
  }

  get names(): string[] {
    return [...this.text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name ?? '');
  }
}

describe('the stream of a listener', () => {
  it('is made of events as the standard has them, a turn of them at a time', () => {
    const reader = new Reader();
    reader.stream.onEvent(event());
    reader.stream.onEvent(event({ fields: { detail: 'two\nlines' } }));
    expect(reader.written).toEqual([]);
    reader.turn();
    expect(reader.written).toEqual([
      'event: frame\nid: 1\n' +
        'data: {"at":1700000000123.457,"openid":"ann","session":"s1","connection":1,' +
        '"dir":"in","type":"ACK","acked":7}\n\n' +
        'event: frame\nid: 2\n' +
        'data: {"at":1700000000123.457,"openid":"ann","session":"s1","connection":1,' +
        '"detail":"two\\nlines"}\n\n',
    ]);
  });

  it('keeps a bounded number of events for whoever reads slowly, and tells what it dropped', () => {
    const reader = new Reader();
    reader.takes = false;
    reader.stream.onEvent(event());
    reader.turn();
    for (let count = 0; count < MAX_WAITING_EVENTS + 50; count++) reader.stream.onEvent(event());
    expect(reader.written).toHaveLength(1);
    reader.takes = true;
    reader.stream.onDrain();
    reader.turn();
    expect(reader.names.slice(0, -1)).toEqual(Array(1 + MAX_WAITING_EVENTS).fill('frame'));
    expect(reader.names.at(-1)).toBe('dropped');
    expect(reader.text).toContain('"count":50}');
    reader.stream.onEvent(event());
    reader.turn();
    expect(reader.names.at(-1)).toBe('frame');
    expect(reader.text.match(/"count"/g)).toHaveLength(1);
  });

  it('keeps a bounded number of bytes', () => {
    const reader = new Reader();
    reader.takes = false;
    reader.stream.onEvent(event());
    reader.turn();
    const detail = 'x'.repeat(MAX_WAITING_BYTES / 4);
    for (let count = 0; count < 20; count++) reader.stream.onEvent(event({ fields: { detail } }));
    reader.stream.onDrain();
    expect(reader.text.length).toBeLessThan(2 * MAX_WAITING_BYTES);
    reader.stream.onDrain();
    expect(reader.text).toContain('"count":16}');
  });

  it('says that it lives while nothing else does', () => {
    const reader = new Reader();
    reader.stream.keepAlive();
    expect(reader.written).toEqual([': \n\n']);
    reader.stream.onEvent(event());
    reader.turn();
    reader.stream.keepAlive();
    expect(reader.written).toHaveLength(2);
    reader.stream.keepAlive();
    expect(reader.written.at(-1)).toBe(': \n\n');
  });

  it('writes nothing once it has ended', () => {
    const reader = new Reader();
    reader.stream.onEvent(event());
    reader.stream.end();
    reader.stream.onEvent(event());
    reader.stream.keepAlive();
    reader.turn();
    expect(reader.written).toEqual([]);
  });
});

describe('contents of messages', () => {
  const content = {
    data: Buffer.alloc(MAX_PAYLOAD_BYTES + 1, 'x'),
    headers: { cookie: 'y'.repeat(300) },
    params: { room: '7' },
  };

  it('are shown only where asked for, and cut', () => {
    expect(JSON.stringify(traceData(event({ content }), false))).not.toMatch(/payload|cookie|room/);
    expect(traceData(event({ content }), true)).toMatchObject({
      acked: 7,
      payload: {
        base64: Buffer.alloc(MAX_PAYLOAD_BYTES, 'x').toString('base64'),
        bytes: MAX_PAYLOAD_BYTES + 1,
        truncated: true,
      },
      headers: { cookie: 'y'.repeat(256) },
      params: { room: '7' },
    });
  });

  it('are not where a frame has none', () => {
    expect(traceData(event(), true)).not.toHaveProperty('payload');
  });
});
