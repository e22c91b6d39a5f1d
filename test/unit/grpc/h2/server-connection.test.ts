import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MAX_CONCURRENT_STREAMS } from '../../../../src/grpc/grpc-server.js';
import type { GrpcServer } from '../../../../src/grpc/grpc-server.js';
import { PREFACE } from '../../../../src/grpc/h2/frames.js';
import { MAX_CALLS_AT_WORK } from '../../../../src/grpc/h2/server-connection.js';
import { grpcServer } from '../../../../src/grpc/server-kinds.js';
import type { StreamMethod, UnaryMethod } from '../../../../src/grpc/server-method.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { frame } from '../../../support/http2-peer.js';
import { RawHttp2Client, headerBlock } from '../../../support/raw-http2-client.js';
import { message, setting, uint32 } from '../../../support/raw-http2-peer.js';
import { until } from '../../../support/until.js';

const ECHO = '/t.T/Echo';
const HOLD = '/t.T/Hold';
const STREAM = '/t.T/Stream';
const UNREAD = '/t.T/Unread';
const [DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION] = [
  0, 1, 2, 3, 4, 6, 7, 8, 9,
] as const;
const END_STREAM = 1;
const HEADER_TABLE_SIZE = 1;
const INITIAL_WINDOW_SIZE = 4;
const [PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, REFUSED_STREAM] = [1, 3, 5, 7] as const;

let server: GrpcServer;
let clock: FakeClock;
let seen: string[];
let held: (() => void)[];
let closedStreams: number;
const clients: RawHttp2Client[] = [];

const unary: UnaryMethod[] = [
  {
    path: ECHO,
    handle: (bytes, _, respond) => {
      seen.push(bytes.toString().slice(0, 20));
      respond(bytes);
    },
  },
  {
    path: HOLD,
    handle: (bytes, _, respond) => {
      seen.push(bytes.toString());
      held.push(() => respond(bytes));
    },
  },
];
const streaming: StreamMethod[] = [
  {
    path: STREAM,
    open: (responses) => ({
      onMessage: (bytes) => responses.write(bytes),
      onHalfClose: () => responses.end(),
      onClosed: () => closedStreams++,
    }),
  },
  {
    path: UNREAD,
    open: (responses) => {
      responses.pause();
      return {
        onMessage: () => undefined,
        onHalfClose: () => undefined,
        onClosed: () => undefined,
      };
    },
  },
];

function connect(acknowledges = true): RawHttp2Client {
  const client = new RawHttp2Client(server.port, acknowledges);
  clients.push(client);
  return client;
}

/** Waits until the server has heard all that was sent. */
async function heard(client: RawHttp2Client): Promise<void> {
  const before = client.pongs.length;
  client.send(PING, 0, 0, Buffer.alloc(8));
  await until(() => client.pongs.length > before);
}

beforeEach(async () => {
  clock = new FakeClock();
  seen = [];
  held = [];
  closedStreams = 0;
  const options = { address: '127.0.0.1:0', maxMessageBytes: 300_000, graceMs: 0 };
  server = grpcServer({ ...options, kind: 'framed' }, unary, clock, streaming);
  await server.start();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.stop();
});

describe('a call', () => {
  test('is answered with headers, one message and trailers', async () => {
    const client = connect().hello();
    client.call(1, ECHO, 'hello');
    const { fields, body, reset } = await client.ended(1);
    expect(fields).toEqual({
      ':status': '200',
      'content-type': 'application/grpc',
      'grpc-accept-encoding': 'identity,deflate,gzip',
      'grpc-status': '0',
    });
    expect(body).toEqual(message('hello'));
    expect(reset).toBeNull();
  });

  test('may come byte by byte, the preface too', async () => {
    const client = connect(false);
    const sent = Buffer.concat([
      PREFACE,
      Buffer.from([0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]),
      requestFrames(1, ECHO, message('slow')),
    ]);
    client.socket.setNoDelay(true);
    for (const byte of sent) {
      client.raw(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    expect((await client.ended(1)).body).toEqual(message('slow'));
  });

  test('may come in many frames, empty ones among them, with padding, priority and trailers', async () => {
    const client = connect().hello();
    const block = headerBlock(fieldsOf(ECHO));
    client.send(PRIORITY, 0, 1, Buffer.alloc(5));
    client.send(HEADERS, 0x20, 1, Buffer.concat([Buffer.alloc(5), block.subarray(0, 10)]));
    client.send(CONTINUATION, 0x4, 1, block.subarray(10));
    client.send(DATA, 0, 1, Buffer.alloc(0));
    client.send(
      DATA,
      0x8,
      1,
      Buffer.concat([Buffer.of(2), message('in pieces').subarray(0, 7), Buffer.alloc(2)]),
    );
    client.send(DATA, 0, 1, message('in pieces').subarray(7));
    client.send(HEADERS, 0x5, 1, headerBlock({ 'x-checksum': '1' }));
    expect((await client.ended(1)).body).toEqual(message('in pieces'));
    expect(seen).toEqual(['in pieces']);
  });

  test('after the table was taken away is answered in literals', async () => {
    const client = connect().hello();
    client.call(1, ECHO, 'one');
    await client.ended(1);
    client.send(SETTINGS, 0, 0, setting(HEADER_TABLE_SIZE, 0));
    client.call(3, ECHO, 'two');
    client.call(5, ECHO, 'three');
    await client.ended(5);
    expect(client.on(3).fields).toEqual(client.on(1).fields);
    expect(client.on(5).fields).toEqual(client.on(1).fields);
  });

  test('waits for the windows of its caller, and ends behind them', async () => {
    const client = connect().hello(setting(INITIAL_WINDOW_SIZE, 3));
    client.call(1, ECHO, 'a long message');
    await until(() => client.on(1).body.length === 3);
    await heard(client);
    expect(client.on(1)).toMatchObject({ ended: false });
    client.send(WINDOW_UPDATE, 0, 1, uint32(4));
    await until(() => client.on(1).body.length === 7);
    client.send(SETTINGS, 0, 0, setting(INITIAL_WINDOW_SIZE, 100));
    const { body, fields } = await client.ended(1);
    expect(body).toEqual(message('a long message'));
    expect(fields['grpc-status']).toBe('0');
  });

  test('larger than the first windows arrives whole, both ways, with credit for more', async () => {
    const client = connect().hello(setting(INITIAL_WINDOW_SIZE, 2 ** 31 - 1));
    client.send(WINDOW_UPDATE, 0, 0, uint32(2 ** 30));
    const body = message(Buffer.alloc(300_000, 'x'));
    client.headers(1, ECHO);
    for (let at = 0; at < body.length; at += 16_384) {
      client.send(DATA, 0, 1, body.subarray(at, at + 16_384));
    }
    client.send(DATA, END_STREAM, 1);
    expect((await client.ended(1)).body.equals(body)).toBe(true);
    expect(client.credits.some(([id]) => id === 1)).toBe(true);
  });

  test('is judged by its own deadline', async () => {
    const client = connect().hello();
    client.call(1, HOLD, 'held', { 'grpc-timeout': '250m' });
    client.headers(3, ECHO, { 'grpc-timeout': '1S' });
    client.call(5, HOLD, 'patient');
    await heard(client);
    clock.advance(250);
    expect((await client.ended(1)).fields['grpc-status']).toBe('4');
    expect(client.on(3).ended).toBe(false);
    clock.advance(750);
    expect(await client.ended(3)).toMatchObject({ fields: { 'grpc-status': '4' }, reset: 0 });
    for (const answer of held) answer();
    expect((await client.ended(5)).body).toEqual(message('patient'));
    expect(client.on(1).body).toHaveLength(0);
  });

  test('whose answer is not read does not outlive its deadline', async () => {
    const client = connect().hello(setting(INITIAL_WINDOW_SIZE, 0));
    client.call(1, ECHO, 'unread', { 'grpc-timeout': '250m' });
    await heard(client);
    clock.advance(250);
    await until(() => client.on(1).reset === 8);
  });

  test('that is compressed is unfolded, and refused where it cannot be', async () => {
    const client = connect().hello();
    const send = (id: number, body: Buffer, encoding: string): void => {
      client.headers(id, ECHO, { 'grpc-encoding': encoding });
      client.send(DATA, END_STREAM, id, body);
    };
    send(1, message(gzipSync('folded'), 1), 'gzip');
    send(3, message('not folded'), 'gzip');
    send(5, message('no gzip', 1), 'gzip');
    send(7, message(gzipSync(Buffer.alloc(300_001)), 1), 'gzip');
    send(9, message('flagged', 1), 'identity');
    send(11, message('what', 1), 'br');
    await client.ended(11);
    expect(client.on(1).body).toEqual(message('folded'));
    expect(client.on(3).body).toEqual(message('not folded'));
    const statuses = [5, 7, 9, 11].map((id) => client.on(id).fields['grpc-status']);
    expect(statuses).toEqual(['13', '8', '13', '12']);
    expect(client.on(11).fields['grpc-accept-encoding']).toBe('identity,deflate,gzip');
  });
});

describe('what is no call is refused, and the connection goes on', () => {
  test.each([
    ['another method', { ':method': 'GET' }, { ':status': '405' }],
    ['another content', { 'content-type': 'text/html' }, { ':status': '415' }],
    ['an unknown path', { ':path': '/no/such' }, { 'grpc-status': '12' }],
    ['a timeout that is none', { 'grpc-timeout': 'soon' }, { 'grpc-status': '13' }],
  ])('%s', async (_, more, expected) => {
    const client = connect().hello();
    client.headers(1, ECHO, more);
    expect(await client.ended(1)).toMatchObject({ fields: expected, ended: true });
    await until(() => client.on(1).reset === 0);
    client.send(DATA, END_STREAM, 1, message('unheard'));
    client.call(3, ECHO, 'goes on');
    expect((await client.ended(3)).body).toEqual(message('goes on'));
    expect(seen).toEqual(['goes on']);
  });

  test.each([
    ['no message', Buffer.alloc(0)],
    ['half a message', message('whole').subarray(0, 7)],
    ['two messages', Buffer.concat([message('one'), message('two')])],
    ['a message and a bit', Buffer.concat([message('one'), Buffer.of(0)])],
  ])('%s', async (_, body) => {
    const client = connect().hello();
    client.headers(1, ECHO);
    client.send(DATA, END_STREAM, 1, body);
    client.call(3, ECHO, 'goes on');
    await client.ended(3);
    expect((await client.ended(1)).fields['grpc-status']).toBe('13');
    expect(seen).toEqual(['goes on']);
  });

  test('a request is handled once, whatever follows its end', async () => {
    const client = connect().hello();
    client.call(1, HOLD, 'once');
    client.send(DATA, END_STREAM, 1, message('again'));
    await until(() => client.on(1).reset === STREAM_CLOSED);
    client.call(3, HOLD, 'twice');
    client.send(HEADERS, 0x5, 3, headerBlock({ 'x-more': '1' }));
    await heard(client);
    expect(seen).toEqual(['once', 'twice']);
  });
});

describe('a caller that gives up', () => {
  test('by RST_STREAM: nothing more is said, a stream is told', async () => {
    const client = connect().hello();
    client.call(1, HOLD, 'held');
    client.headers(3, STREAM);
    await until(() => client.on(3).fields[':status'] === '200');
    client.send(RST_STREAM, 0, 1, uint32(8));
    client.send(RST_STREAM, 0, 3, uint32(8));
    await until(() => closedStreams === 1);
    for (const answer of held) answer();
    await heard(client);
    expect(client.answers.has(1)).toBe(false);
    expect(client.on(3)).toMatchObject({ ended: false, reset: null });
  });

  test('by closing the connection: every stream is told', async () => {
    const client = connect().hello();
    client.headers(1, STREAM);
    client.headers(3, STREAM);
    await until(() => client.on(3).fields[':status'] === '200');
    client.close();
    await until(() => closedStreams === 2);
  });

  test('and calls again and again has no more at work than it may', async () => {
    const client = connect().hello();
    const count = MAX_CALLS_AT_WORK + 20;
    for (let index = 0; index < count; index++) {
      client.call(1 + 2 * index, HOLD, '');
      client.send(RST_STREAM, 0, 1 + 2 * index, uint32(8));
    }
    await heard(client);
    expect(held).toHaveLength(MAX_CALLS_AT_WORK);
    expect(client.on(1 + 2 * (count - 1)).reset).toBe(REFUSED_STREAM);
    for (const answer of held) answer();
    client.call(1 + 2 * count, ECHO, 'room');
    expect((await client.ended(1 + 2 * count)).body).toEqual(message('room'));
  });

  test('of streams as well', async () => {
    const client = connect().hello();
    for (let index = 0; index <= MAX_CONCURRENT_STREAMS; index++) {
      client.headers(1 + 2 * index, STREAM);
    }
    await until(() => client.on(1 + 2 * MAX_CONCURRENT_STREAMS).reset === REFUSED_STREAM);
    client.send(RST_STREAM, 0, 1, uint32(8));
    const next = 3 + 2 * MAX_CONCURRENT_STREAMS;
    client.call(next, ECHO, 'room');
    expect((await client.ended(next)).body).toEqual(message('room'));
  });
});

describe('who breaks the protocol loses the connection, and nobody else', () => {
  const oversizeBlock = Buffer.alloc(16_384, 0x88);
  test.each<[string, number | null, (client: RawHttp2Client) => void]>([
    ['HTTP/1', null, (client) => client.raw(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))],
    ['a request on an even stream', PROTOCOL_ERROR, (client) => client.hello().headers(2, ECHO)],
    [
      'data of a stream that never began',
      PROTOCOL_ERROR,
      (client) => client.hello().send(DATA, 0, 7),
    ],
    [
      'a reset of such',
      PROTOCOL_ERROR,
      (client) => client.hello().send(RST_STREAM, 0, 9, uint32(8)),
    ],
    ['PUSH_PROMISE', PROTOCOL_ERROR, (client) => client.hello().send(5, 4, 1, Buffer.alloc(8))],
    [
      'a credit of nothing',
      PROTOCOL_ERROR,
      (client) => client.hello().send(WINDOW_UPDATE, 0, 0, uint32(0)),
    ],
    [
      'a window beyond all bounds',
      FLOW_CONTROL_ERROR,
      (client) => client.hello().send(WINDOW_UPDATE, 0, 0, uint32(2 ** 31 - 1)),
    ],
    [
      'more than the window of a stream that is not read',
      FLOW_CONTROL_ERROR,
      (client) => {
        client.hello().headers(1, UNREAD);
        for (let sent = 0; sent <= 1_048_576; sent += 16_384) {
          client.send(DATA, 0, 1, Buffer.alloc(16_384));
        }
      },
    ],
    [
      'headers without end',
      11,
      (client) => {
        client.hello().send(HEADERS, 0, 1, oversizeBlock);
        for (let index = 0; index < 4; index++) client.send(CONTINUATION, 0, 1, oversizeBlock);
      },
    ],
    ['headers that are none', 9, (client) => client.hello().send(HEADERS, 4, 1, Buffer.of(0x80))],
  ])('%s', async (_, code, offend) => {
    const bystander = connect().hello();
    const client = connect();
    offend(client);
    await until(() => client.closed);
    expect(client.goaways.map(([, told]) => told)).toEqual(code === null ? [] : [code]);
    bystander.call(1, ECHO, 'unmoved');
    expect((await bystander.ended(1)).body).toEqual(message('unmoved'));
  });

  test('who never begins to speak is not waited for', async () => {
    const client = connect();
    await until(() => client.credits.length > 0);
    clock.advance(20_000);
    await until(() => client.closed);
  });

  test('who does not read its answers is not read either', async () => {
    const client = connect().hello();
    await heard(client);
    client.socket.pause();
    let sent = 0;
    const request = frame(HEADERS, 0x4 | END_STREAM, 0, headerBlock(fieldsOf('/no/such')));
    const ids = (): number => 1 + 2 * sent++;
    let stalled = 0;
    // Refusals are not under flow control: only TCP holds this client up.
    while (stalled < 20 && sent < 400_000) {
      const id = ids();
      request.writeUInt32BE(id, 5);
      // A copy, for the socket keeps what it was given.
      client.raw(Buffer.from(request));
      if (client.socket.writableLength > 1_048_576) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        stalled++;
      } else stalled = 0;
    }
    expect(stalled).toBe(20);
    client.socket.resume();
    await until(() => client.on(1 + 2 * (sent - 1)).ended);
  });
});

describe('going away', () => {
  test('a client that says GOAWAY gets its answers, and then the end', async () => {
    const client = connect().hello();
    client.call(1, HOLD, 'held');
    client.send(GOAWAY, 0, 0, uint32(0, 0));
    await heard(client);
    expect(client.closed).toBe(false);
    held[0]?.();
    expect((await client.ended(1)).body).toEqual(message('held'));
    await until(() => client.closed);
  });

  test('a server that drains says which calls it took; the others it did not look at', async () => {
    const client = connect().hello();
    client.call(1, HOLD, 'held');
    await heard(client);
    const drained = server.drain();
    await until(() => client.goaways.length === 1);
    client.call(3, HOLD, 'too late');
    expect((await client.ended(3)).reset).toBe(REFUSED_STREAM);
    held[0]?.();
    expect((await client.ended(1)).body).toEqual(message('held'));
    await drained;
    expect(client.goaways[0]).toEqual([1, 0]);
    expect(seen).toEqual(['held']);
  });

  test('a caller that vanished during a long call is found by a ping', async () => {
    const client = connect().hello();
    client.headers(1, STREAM);
    await until(() => client.on(1).fields[':status'] === '200');
    client.socket.pause();
    clock.advance(60_000);
    clock.advance(20_000);
    await until(() => closedStreams === 1);
  });
});

function fieldsOf(path: string): Record<string, string> {
  return {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': path,
    'content-type': 'application/grpc',
  };
}

/** HEADERS and a last DATA frame. */
function requestFrames(streamId: number, path: string, body: Buffer): Buffer {
  return Buffer.concat([
    frame(HEADERS, 0x4, streamId, headerBlock(fieldsOf(path))),
    frame(DATA, END_STREAM, streamId, body),
  ]);
}
