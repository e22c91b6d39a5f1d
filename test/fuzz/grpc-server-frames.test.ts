import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { GrpcServer } from '../../src/grpc/grpc-server.js';
import { PREFACE } from '../../src/grpc/h2/frames.js';
import { grpcServer } from '../../src/grpc/server-kinds.js';
import { frame } from '../support/http2-peer.js';
import { RawHttp2Client, headerBlock } from '../support/raw-http2-client.js';
import { message } from '../support/raw-http2-peer.js';

const UNARY = '/t.T/Unary';
const STREAM = '/t.T/Stream';
const PATIENT = { timeout: 120_000 };

let server: GrpcServer;
/** How often each message of a unary call was handled. */
const handled = new Map<string, number>();
let open = 0;
const failures: string[] = [];

beforeAll(async () => {
  const unary = {
    path: UNARY,
    handle: (bytes: Uint8Array, _: string, respond: (answer: Uint8Array) => void) => {
      const text = Buffer.from(bytes).toString('hex');
      handled.set(text, (handled.get(text) ?? 0) + 1);
      respond(bytes);
    },
  };
  const stream = {
    path: STREAM,
    open: (responses: { write(bytes: Uint8Array): boolean; end(): void }) => {
      let closed = 0;
      open++;
      return {
        onMessage: (bytes: Uint8Array) => {
          if (closed > 0) failures.push('a message behind the end');
          responses.write(bytes);
        },
        onHalfClose: () => responses.end(),
        onClosed: () => {
          open--;
          if (++closed > 1) failures.push('closed twice');
        },
      };
    },
  };
  server = grpcServer({ kind: 'framed', address: '127.0.0.1:0', graceMs: 0 }, [unary], undefined, [
    stream,
  ]);
  await server.start();
});

afterAll(() => server.stop());

/** Sends all and waits until the server has closed, or has answered a ping behind it. */
async function offer(bytes: Buffer): Promise<void> {
  const socket = connect(server.port, '127.0.0.1');
  const answered = new Promise<void>((resolve) => {
    const pong = Buffer.from('fuzzpong');
    let told = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      told = Buffer.concat([told, chunk]);
      if (told.includes(pong)) resolve();
    });
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
  });
  socket.write(bytes);
  // In the middle of a frame it is a part of that frame; the end of the connection follows.
  socket.write(frame(6, 0, 0, Buffer.from('fuzzpong')));
  socket.end();
  await answered;
  socket.destroy();
}

async function expectAlive(): Promise<void> {
  const client = new RawHttp2Client(server.port).hello();
  client.call(1, UNARY, 'alive');
  expect((await client.ended(1)).body).toEqual(message('alive'));
  client.close();
  expect(failures).toEqual([]);
}

const blocks = fc.oneof(
  fc.constantFrom(UNARY, STREAM, '/x/y').map((path) =>
    headerBlock({
      ':method': 'POST',
      ':scheme': 'http',
      ':path': path,
      'content-type': 'application/grpc',
    }),
  ),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);
const streamIds = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(1, 3, 5) },
  fc.constantFrom(0, 2, 7, 2 ** 31 - 1),
);
const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 30 }).map((bytes) => message(Buffer.from(bytes))),
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
);
const flags = fc.oneof(fc.constantFrom(0, 1, 4, 5), fc.integer({ min: 0, max: 255 }));
const frames: fc.Arbitrary<[number, number, number, Buffer]> = fc.oneof(
  fc.tuple(fc.constant(1), flags, streamIds, blocks),
  fc.tuple(fc.constant(0), flags, streamIds, bodies),
  fc.tuple(
    fc.integer({ min: 0, max: 12 }),
    flags,
    streamIds,
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  ),
);

test(
  'frames in any order end at most the connection that sent them',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frames, { maxLength: 25 }), async (sent) => {
        const settings = frame(4, 0, 0, Buffer.alloc(0));
        await offer(Buffer.concat([PREFACE, settings, ...sent.map((one) => frame(...one))]));
      }),
      { numRuns: 500 },
    );
    await expectAlive();
  },
  PATIENT.timeout,
);

test(
  'bytes behind the preface, and instead of it',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.uint8Array({ maxLength: 200 }), async (polite, bytes) => {
        await offer(Buffer.concat([polite ? PREFACE : Buffer.alloc(0), bytes]));
      }),
      { numRuns: 200 },
    );
    await expectAlive();
  },
  PATIENT.timeout,
);

test(
  'a unary call is handled once, whatever its frames were',
  async () => {
    let nonce = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(frames, { maxLength: 10 }), async (others) => {
        const text = `call ${nonce++}`;
        const head = headerBlock({
          ':method': 'POST',
          ':scheme': 'http',
          ':path': UNARY,
          'content-type': 'application/grpc',
        });
        const call = [frame(1, 4, 9, head), frame(0, 1, 9, message(text))];
        const again = [frame(0, 1, 9, message(text)), frame(1, 5, 9, head)];
        const settings = frame(4, 0, 0, Buffer.alloc(0));
        await offer(
          Buffer.concat([
            PREFACE,
            settings,
            ...call,
            ...others.map((one) => frame(...one)),
            ...again,
          ]),
        );
        expect(handled.get(Buffer.from(text).toString('hex'))).toBe(1);
      }),
      { numRuns: 200 },
    );
    await expectAlive();
  },
  PATIENT.timeout,
);

test('every stream that was opened was closed', async () => {
  await server.stop();
  expect(open).toBe(0);
  expect(failures).toEqual([]);
});
