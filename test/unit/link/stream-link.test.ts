import { beforeEach, describe, expect, it } from '@jest/globals';
import type { LinkClosed, LinkObserver } from '../../../src/link/link.js';
import { LINGER_MS } from '../../../src/link/link.js';
import { StreamLink } from '../../../src/link/stream-link.js';
import type {
  ByteStream,
  ByteStreamCarrier,
  ByteStreamObserver,
} from '../../../src/link/stream-link.js';
import { FakeClock } from '../../support/fake-clock.js';

/** A byte stream that the test fills and empties by hand. */
class FakeStream implements ByteStream, ByteStreamCarrier {
  readonly remoteAddress = '192.0.2.1:4433';
  readonly written: Buffer[] = [];
  readonly incoming: Uint8Array[] = [];
  readonly closes: [number, string][] = [];
  bufferedBytes = 0;
  readEnded = false;
  ended = false;
  paused = false;
  wakeMark = -1;
  observer: ByteStreamObserver | null = null;

  bind(observer: ByteStreamObserver): void {
    this.observer = observer;
  }
  /** Like a transport with one read buffer for all: what was read before is overwritten. */
  read(): Uint8Array | null {
    if (this.paused) return null;
    const next = this.incoming.shift();
    if (next === undefined) return null;
    this.shared.fill(0xee);
    this.shared.set(next);
    return this.shared.subarray(0, next.length);
  }
  write(chunk: Uint8Array): void {
    this.written.push(Buffer.from(chunk));
    this.bufferedBytes += chunk.length;
  }
  end(): void {
    this.ended = true;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  wakeBelow(bytes: number): void {
    this.wakeMark = bytes;
  }
  close(code: number, reason: string): void {
    this.closes.push([code, reason]);
  }
  receive(...chunks: Uint8Array[]): void {
    this.incoming.push(...chunks);
    this.observer?.onReadable();
  }
  private readonly shared = new Uint8Array(4_096);
}

class Log implements LinkObserver {
  readonly calls: string[] = [];
  onFrameDo: (() => void) | null = null;
  onFrame(frame: Uint8Array): void {
    this.calls.push(Buffer.from(frame).toString());
    this.onFrameDo?.();
  }
  onBadFrame(code: number): void {
    this.calls.push(`bad ${code}`);
  }
  onWritable(): void {
    this.calls.push('writable');
  }
  onClosed({ code, reason, by }: LinkClosed): void {
    this.calls.push(`closed ${code} ${reason} ${by}`);
  }
}

const frame = (text: string): Buffer => {
  const bytes = Buffer.from(`....${text}`);
  bytes.writeUInt32BE(text.length, 0);
  return bytes;
};

let clock: FakeClock;
let stream: FakeStream;
let log: Log;
let link: StreamLink;

beforeEach(() => {
  clock = new FakeClock();
  stream = new FakeStream();
  log = new Log();
  link = new StreamLink('test', stream, stream, clock, 100);
  link.bind(log);
});

describe('StreamLink', () => {
  it('says full at its limit and wakes once half of it is free', () => {
    expect(link.send(Buffer.alloc(60))).toBe('ok');
    expect(link.send(Buffer.alloc(60))).toBe('ok');
    expect(link.send(Buffer.alloc(1))).toBe('full');
    expect(link.bufferedBytes).toBe(120);
    expect(stream.wakeMark).toBe(50);
    stream.bufferedBytes = 50;
    stream.observer?.onDrained();
    stream.observer?.onDrained();
    expect(log.calls).toEqual(['writable']);
    expect(link.send(Buffer.alloc(1))).toBe('ok');
  });

  it('keeps what it was paused in the middle of, although the read buffer is shared', () => {
    log.onFrameDo = (): void => link.pause();
    stream.receive(Buffer.concat([frame('one'), frame('two'), frame('three').subarray(0, 6)]));
    expect(log.calls).toEqual(['one']);
    stream.incoming.push(frame('three').subarray(6));
    for (const seen of [2, 3]) {
      link.resume();
      stream.observer?.onReadable();
      expect(log.calls).toHaveLength(seen);
    }
    expect(log.calls).toEqual(['one', 'two', 'three']);
  });

  it('tells how much of a frame has come that is not complete', () => {
    const large = frame('x'.repeat(300));
    expect(link.partBytes).toBe(0);
    stream.receive(frame('one'), large.subarray(0, 104));
    expect(link.partBytes).toBe(100);
    stream.receive(large.subarray(104, 204));
    expect(link.partBytes).toBe(200);
    stream.receive(large.subarray(204));
    expect(link.partBytes).toBe(0);
  });

  it('ends what is read after a pause although the end of the stream was seen before', () => {
    log.onFrameDo = (): void => link.pause();
    stream.readEnded = true;
    stream.receive(Buffer.concat([frame('one'), frame('two')]));
    expect([log.calls, stream.ended]).toEqual([['one'], false]);
    link.resume();
    stream.observer?.onReadable();
    link.resume();
    stream.observer?.onReadable();
    expect([log.calls, stream.ended]).toEqual([['one', 'two'], true]);
  });

  it('finishes: end of stream, then the close when the peer ends too', () => {
    link.send(frame('last'));
    link.finish(409, 'replaced');
    expect(stream.ended).toBe(true);
    expect(link.send(frame('late'))).toBe('closed');
    stream.receive(frame('ignored'));
    expect([log.calls, stream.closes]).toEqual([[], []]);
    stream.readEnded = true;
    stream.receive();
    expect(stream.closes).toEqual([[409, 'replaced']]);
    link.connectionClosed({ code: 0, reason: '', by: 'loss' });
    link.connectionClosed({ code: 0, reason: '', by: 'loss' });
    expect(log.calls).toEqual(['closed 409 replaced local']);
  });

  it('finishes after LINGER_MS where the peer does nothing, also when paused or after a bad frame', () => {
    link.pause();
    stream.receive(Buffer.alloc(4));
    link.resume();
    stream.receive();
    expect(log.calls).toEqual(['bad 400']);
    link.pause();
    link.finish(400, 'bad frame');
    expect(stream.paused).toBe(false);
    clock.advance(LINGER_MS - 1);
    expect(stream.closes).toEqual([]);
    clock.advance(1);
    expect(stream.closes).toEqual([[400, 'bad frame']]);
    expect(clock.pending).toBe(0);
  });

  it('gives its last frame time where the end of the peer came with what made it finish', () => {
    log.onFrameDo = () => link.finish(401, 'not authenticated');
    stream.readEnded = true;
    stream.receive(frame('one'));
    expect([stream.ended, stream.closes]).toEqual([true, []]);
    clock.advance(LINGER_MS);
    expect(stream.closes).toEqual([[401, 'not authenticated']]);
  });

  it('closes at once where a peer took its leave and ended, and nothing more is to be said', () => {
    log.onFrameDo = () => link.finish(0, 'stopped');
    stream.readEnded = true;
    stream.receive(frame('stop'));
    expect([stream.ended, stream.closes]).toEqual([true, [[0, 'stopped']]]);
    expect(clock.pending).toBe(0);
  });

  it('does not wait for a peer that goes on talking, once what was said before the end has left', () => {
    const flood = (chunks: number): void =>
      stream.receive(...Array.from({ length: chunks }, () => Buffer.alloc(4_096)));
    link.finish(400, 'bad frame');
    flood(4);
    expect([stream.closes, stream.paused]).toEqual([[], false]);
    flood(1);
    expect([stream.closes, stream.paused]).toEqual([[[400, 'bad frame']], true]);
    clock.advance(LINGER_MS);
    expect(stream.closes).toHaveLength(1);
  });

  it('holds back a peer that goes on talking while its answer still waits to be sent', () => {
    link.send(frame('answer'));
    link.finish(503, 'busy');
    stream.receive(...Array.from({ length: 9 }, () => Buffer.alloc(4_096)));
    expect([stream.closes, stream.paused, stream.incoming.length]).toEqual([[], true, 4]);
    clock.advance(LINGER_MS);
    expect(stream.closes).toEqual([[503, 'busy']]);
  });

  it("answers the peer's end with its own and waits longer than the peer for a close", () => {
    stream.readEnded = true;
    stream.receive(frame('stop'));
    expect([log.calls, stream.ended, link.send(frame('x'))]).toEqual([['stop'], true, 'closed']);
    clock.advance(LINGER_MS + 1);
    expect(stream.closes).toEqual([]);
    clock.advance(LINGER_MS);
    expect(stream.closes).toEqual([[0, 'peer finished']]);
    link.connectionClosed({ code: 0, reason: 'x', by: 'local' });
    expect(log.calls).toEqual(['stop', 'closed 0 peer finished peer']);
  });

  it('closes at once, once, and delivers nothing afterwards', () => {
    log.onFrameDo = (): void => {
      link.close(403, 'no');
      link.close(500, 'twice');
      link.finish(500, 'thrice');
    };
    stream.receive(Buffer.concat([frame('one'), frame('two')]));
    stream.receive(frame('three'));
    stream.observer?.onAborted(1);
    stream.observer?.onDrained();
    expect([log.calls, stream.closes]).toEqual([['one'], [[403, 'no']]]);
    link.connectionClosed({ code: 403, reason: 'no', by: 'local' });
    expect(log.calls.at(-1)).toBe('closed 403 no local');
  });

  it('ends when the peer breaks the stream off', () => {
    stream.observer?.onAborted(7);
    expect(stream.closes).toEqual([[0, 'the peer broke the stream off']]);
    link.connectionClosed({ code: 0, reason: '', by: 'local' });
    expect(log.calls).toEqual(['closed 0 the peer broke the stream off peer']);
  });
});
