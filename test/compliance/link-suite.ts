import { describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { Link } from '../../src/link/link.js';
import { LINK_BUFFER_BYTES, discardLink } from '../../src/link/link.js';
import { ErrorCode } from '../../src/wire/error-catalogue.js';
import { MAX_FRAME_BYTES } from '../../src/wire/limits.js';
import { undisturbed } from '../support/undisturbed.js';
import { RecordingObserver } from './recording-observer.js';

/**
 * What a byte stream does with raw bytes given to `send`, done by a transport whose messages are
 * frames: there `send` takes whole frames only.
 */
export interface RawMessages {
  /** Sends one frame's body, an empty one too, in as many fragments as the transport likes. */
  send(body: Uint8Array): void;
  /** Begins a message above MAX_FRAME_BYTES. */
  sendTooLong(): void;
}

/** The client's end of one connection, as a transport's fixture makes it. */
export interface Connected {
  readonly client: Link;
  /** Absent: `client.send` takes raw bytes. */
  readonly raw?: RawMessages;
  /** Frees everything; called once after each test. */
  release(): Promise<void>;
}

/**
 * Connects a client.
 * @param accept to be called with the server's end, as an edge would: some transports have one only
 * when the client has sent something.
 */
export type ConnectLink = (accept: (link: Link) => void) => Promise<Connected>;

/** How the suite's bodies travel on transports that look into frames. */
export interface Carriage {
  wrap(body: Buffer): Uint8Array;
  unwrap(frame: Buffer): Buffer;
  /** The largest body that a client can send. */
  readonly largest: number;
}

const asTheyAre: Carriage = {
  wrap: (body) => body,
  unwrap: (frame) => frame,
  largest: MAX_FRAME_BYTES,
};

const settle = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Everything that src/link/link.ts promises, tried on one transport. */
export function linkSuite(name: string, connect: ConnectLink, carriage = asTheyAre): void {
  /** A frame that carries `body`, prefix included. */
  function frame(body: Uint8Array | string): Buffer {
    const bytes = carriage.wrap(Buffer.from(body as string));
    const whole = Buffer.alloc(4 + bytes.length);
    whole.writeUInt32BE(bytes.length, 0);
    whole.set(bytes, 4);
    return whole;
  }

  /** A frame that carries `length` bytes which begin with its number. */
  function numbered(number: number, length: number): Buffer {
    const body = Buffer.alloc(length, number & 0xff);
    body.writeUInt32BE(number, 0);
    return frame(body);
  }

  /** Sends to a peer that does not read until the Link is full, and stays so. */
  async function fill(link: Link): Promise<{ piece: Buffer; taken: number }> {
    // Random, for a transport may compress.
    const piece = frame(randomBytes(32 * 1024));
    let taken = 0;
    // Transports take a window's worth by themselves; after that the buffer must fill.
    for (let quiet = 0; ;) {
      if (link.send(piece) === 'ok') {
        taken++;
        quiet = 0;
      } else if (++quiet < 20) {
        await settle(5);
      } else {
        break;
      }
      expect(taken).toBeLessThan(400);
    }
    return { piece, taken };
  }

  describe(`Link over ${name}`, () => {
    let connected: Connected;
    let pair: { client: Link; server: Link };
    let client: RecordingObserver;
    let server: RecordingObserver;

    const begin = async (): Promise<void> => {
      let accepted: RecordingObserver | null = null;
      connected = await connect(
        (link) => (accepted = new RecordingObserver(link, carriage.unwrap)),
      );
      client = new RecordingObserver(connected.client, carriage.unwrap);
      connected.client.send(frame('hello'));
      await client.until(() => accepted !== null, 'the link of the server');
      server = accepted as unknown as RecordingObserver;
      await server.until(() => server.frames.length === 1, 'the first frame');
      server.frames.length = 0;
      pair = { client: connected.client, server: server.link };
    };

    /** A test with a connection of its own. */
    const it = (promise: string, run: () => Promise<void>): void =>
      test(promise, () =>
        undisturbed(async () => {
          await begin();
          try {
            await run();
          } finally {
            await connected.release();
          }
          expect([...client.breaches, ...server.breaches]).toEqual([]);
        }),
      );

    const bothClosed = async (): Promise<void> => {
      await client.until(() => client.closed.length > 0, 'onClosed of the client');
      await server.until(() => server.closed.length > 0, 'onClosed of the server');
    };

    it('says where the peer is', async () => {
      expect(pair.server.remoteAddress).toMatch(/^(\[[0-9a-f:]+\]|[\w.]+):\d+$/);
      expect(pair.client.transport).toBe(pair.server.transport);
    });

    it('delivers frames of all sizes in order, both ways', async () => {
      const sizes = [4, 100, 1_200, 1_500, 16_384, 65_536, 70_001];
      for (let number = 0; number < 200; number++) {
        const bytes = numbered(number, sizes[number % sizes.length] as number);
        const up = pair.client.send(bytes);
        const down = pair.server.send(bytes);
        if (up === 'full') await client.until(() => client.writable > 0, 'room at the client');
        if (down === 'full') await server.until(() => server.writable > 0, 'room at the server');
        if (up === 'full') expect(pair.client.send(bytes)).toBe('ok');
        if (down === 'full') expect(pair.server.send(bytes)).toBe('ok');
        client.writable = server.writable = 0;
      }
      for (const side of [client, server]) {
        await side.until(() => side.frames.length === 200, '200 frames');
        side.frames.forEach((body, number) => {
          expect(body).toHaveLength(sizes[number % sizes.length] as number);
          expect(body.readUInt32BE(0)).toBe(number);
          expect(body.at(-1)).toBe(body.length > 4 ? number & 0xff : body[3]);
        });
      }
    });

    it('carries a frame of 1 MiB each way', async () => {
      const body = Buffer.alloc(carriage.largest & ~3);
      for (let at = 0; at < body.length; at += 4) body.writeUInt32BE(at, at);
      expect(pair.client.send(frame(body))).toBe('ok');
      expect(pair.server.send(frame(body))).toBe('ok');
      await client.until(() => client.frames.length === 1, 'the frame at the client');
      await server.until(() => server.frames.length === 1, 'the frame at the server');
      expect(client.frames[0]?.equals(body)).toBe(true);
      expect(server.frames[0]?.equals(body)).toBe(true);
    });

    it('puts frames together however their bytes arrive', async () => {
      const bodies = ['one', 'two', 'x'.repeat(3_000), 'four'];
      for (const body of connected.raw ? bodies : []) {
        connected.raw?.send(frame(body).subarray(4));
      }
      const bytes = connected.raw ? Buffer.alloc(0) : Buffer.concat(bodies.map(frame));
      let at = 0;
      for (let size = 1; at < bytes.length; size = (size * 7 + 3) % 611) {
        pair.client.send(bytes.subarray(at, at + size));
        at += size;
        if (size % 5 === 0) await settle(1);
      }
      await server.until(() => server.frames.length === bodies.length, 'all frames');
      expect(server.frames.map(String)).toEqual(bodies);
    });

    it('says full, holds little, and tells when there is room', async () => {
      pair.client.pause();
      const { piece, taken } = await fill(pair.server);
      expect(pair.server.bufferedBytes).toBeLessThan(LINK_BUFFER_BYTES + 2 * piece.length);
      expect(client.frames).toHaveLength(0);
      const before = server.writable;
      pair.client.resume();
      await server.until(() => server.writable > before, 'onWritable');
      expect(pair.server.send(piece)).toBe('ok');
      await client.until(() => client.frames.length === taken + 1, 'everything taken');
    });

    it('stops between two frames when paused and goes on there', async () => {
      client.onEachFrame = (): void => client.call((link) => link.pause());
      for (let number = 0; number < 50; number++) pair.server.send(numbered(number, 50));
      for (let seen = 1; seen <= 50; seen++) {
        await client.until(() => client.frames.length === seen, `frame ${seen}`);
        if (seen % 10 === 0) await settle(5);
        expect(client.frames).toHaveLength(seen);
        client.call((link) => link.pause());
        client.call((link) => link.resume());
        client.call((link) => link.resume());
      }
      expect(client.frames.map((body) => body.readUInt32BE(0))).toEqual([...Array(50).keys()]);
    });

    it('never calls its observer from inside a call', async () => {
      server.onEachFrame = (body): void => {
        server.call((link) => link.send(frame(body)));
        server.call((link) => link.pause());
        server.call((link) => link.resume());
        if (server.frames.length === 20) server.call((link) => link.close(409, 'enough'));
      };
      for (let number = 0; number < 40; number++) {
        client.call((link) => link.send(numbered(number, 20)));
      }
      await bothClosed();
      expect(server.frames).toHaveLength(20);
      expect(client.closed).toEqual([{ code: 409, reason: 'enough', by: 'peer' }]);
    });

    it('delivers everything before the close that finish asked for', async () => {
      for (let number = 0; number < 300; number++) pair.server.send(numbered(number, 500));
      server.call((link) => link.finish(ErrorCode.Replaced, 'replaced elsewhere'));
      server.call((link) => link.finish(ErrorCode.Internal, 'a second time'));
      expect(pair.server.send(frame('late'))).toBe('closed');
      await bothClosed();
      expect(client.frames).toHaveLength(300);
      expect(client.closed).toEqual([{ code: 409, reason: 'replaced elsewhere', by: 'peer' }]);
      expect(server.closed).toEqual([{ code: 409, reason: 'replaced elsewhere', by: 'local' }]);
    });

    it("throws the peer's frames away once it finishes, and closes also when the peer is deaf", async () => {
      pair.client.pause();
      server.call((link) => link.finish(ErrorCode.AckTimeout, 'too late'));
      pair.client.send(frame('nobody reads this'));
      await bothClosed();
      expect(server.frames).toHaveLength(0);
      expect(server.closed).toEqual([{ code: 408, reason: 'too late', by: 'local' }]);
      expect(client.closed).toHaveLength(1);
      expect(client.closed[0]?.code).toBe(408);
    });

    it('closes at once with code and reason, once', async () => {
      client.call((link) => link.close(ErrorCode.None, 'good bye'));
      client.call((link) => link.close(ErrorCode.Internal, 'again'));
      client.call((link) => link.finish(ErrorCode.Internal, 'and again'));
      expect(pair.client.send(frame('late'))).toBe('closed');
      await bothClosed();
      await settle(50);
      expect(client.closed).toEqual([{ code: 0, reason: 'good bye', by: 'local' }]);
      expect(server.closed).toEqual([{ code: 0, reason: 'good bye', by: 'peer' }]);
      expect(pair.server.send(frame('too late'))).toBe('closed');
    });

    const endings = {
      '': () => undefined,
      ' after finish': (link: Link) => link.finish(ErrorCode.Replaced, 'replaced elsewhere'),
      ' after close': (link: Link) => link.close(ErrorCode.Replaced, 'replaced elsewhere'),
    };
    for (const [after, end] of Object.entries(endings)) {
      it(`sends nothing that waits once it discards${after}`, async () => {
        pair.client.pause();
        const { piece, taken } = await fill(pair.server);
        // A quarter of it: some transports make frames longer, or count what the system has taken of a write.
        const waiting = Math.floor(pair.server.bufferedBytes / piece.length / 4);
        expect(waiting).toBeGreaterThan(0);
        server.call(end);
        await settle(50);
        // Whoever heard of the end has no Link left to discard.
        if (server.closed.length === 0) {
          server.call((link) => discardLink(link, ErrorCode.NotPrimary, 'no longer primary'));
          server.call((link) => discardLink(link, ErrorCode.NotPrimary, 'a second time'));
        }
        expect(pair.server.send(piece)).toBe('closed');
        pair.client.resume();
        await bothClosed();
        expect(client.frames.length).toBeLessThanOrEqual(taken - waiting);
        expect(server.closed).toEqual([expect.objectContaining({ by: 'local' })]);
      });
    }

    it('tells both sides of a finish by the client', async () => {
      pair.client.send(frame('stop'));
      client.call((link) => link.finish(ErrorCode.None, 'leaving'));
      await bothClosed();
      expect(server.frames.map(String)).toEqual(['stop']);
      expect(server.closed).toHaveLength(1);
      expect(server.closed[0]).toMatchObject({ code: 0, by: 'peer' });
    });

    it('survives that both sides end at once', async () => {
      client.call((link) => link.finish(ErrorCode.None, 'client leaves'));
      server.call((link) => link.finish(ErrorCode.Overloaded, 'server leaves'));
      await bothClosed();
      await settle(20);
      expect(client.closed).toHaveLength(1);
      expect(server.closed).toHaveLength(1);
    });

    it('refuses a frame of length 0 and reads no further', async () => {
      const { raw } = connected;
      if (raw === undefined) {
        pair.client.send(Buffer.concat([frame('good'), Buffer.alloc(4), frame('never seen')]));
      } else {
        raw.send(frame('good').subarray(4));
        raw.send(Buffer.alloc(0));
        raw.send(frame('never seen').subarray(4));
      }
      await server.until(() => server.bad.length > 0, 'onBadFrame');
      server.call((link) => link.pause());
      server.call((link) => link.resume());
      pair.client.send(frame('nor this'));
      await settle(30);
      expect(server.frames.map(String)).toEqual(['good']);
      expect(server.bad).toEqual([{ code: 400, reason: expect.stringContaining('length 0') }]);
      expect(pair.server.send(frame('why'))).toBe('ok');
      server.call((link) => link.finish(ErrorCode.BadFrame, 'bad frame'));
      await bothClosed();
      expect(client.frames.map(String)).toEqual(['why']);
      expect(client.closed[0]).toMatchObject({ code: 400, by: 'peer' });
    });

    it('refuses a frame above 1 MiB before its bytes come', async () => {
      const announced = Buffer.alloc(4);
      announced.writeUInt32BE(MAX_FRAME_BYTES + 1, 0);
      if (connected.raw === undefined) pair.client.send(announced);
      else connected.raw.sendTooLong();
      await server.until(() => server.bad.length > 0, 'onBadFrame');
      expect(server.bad).toEqual([{ code: 413, reason: expect.stringContaining('1048576') }]);
    });
  });
}
