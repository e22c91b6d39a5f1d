import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { constants, deflateRawSync } from 'node:zlib';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';
import { makeCertificates } from '../../src/config/certificates.js';
import { TimerWheel } from '../../src/base/timer-wheel.js';
import type { WsServerOptions } from '../../src/edge/ws-server.js';
import type { Link } from '../../src/link/link.js';
import { ErrorCode } from '../../src/wire/error-catalogue.js';
import { MAX_FRAME_BYTES } from '../../src/wire/limits.js';
import { RecordingObserver } from '../compliance/recording-observer.js';
import { FakeClock } from '../support/fake-clock.js';
import { eventually } from '../support/quic-harness.js';
import { openWebSocket } from '../support/ws-client.js';
import { WsHarness } from '../support/ws-harness.js';
import { PATIENCE_MS } from '../support/patience.js';

let harness: WsHarness;
let links: RecordingObserver[];
let sockets: Pick<Socket, 'destroy' | 'write'>[];

beforeEach(() => {
  links = [];
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await harness.close();
  expect(links.flatMap(({ breaches }) => breaches)).toEqual([]);
  for (const link of links) expect(link.closed).toHaveLength(1);
});

/** Like the session layer, a Link that meets a bad frame says a last word and finishes. */
const accept = (link: Link): void => {
  const observer = new RecordingObserver(link);
  links.push(observer);
  const note = observer.onBadFrame.bind(observer);
  observer.onBadFrame = (code, reason) => {
    note(code, reason);
    link.send(Buffer.from([0, 0, 0, 2, 0x08, 0x01]));
    link.finish(code, reason);
  };
};

async function start(options: Partial<WsServerOptions> = {}): Promise<number> {
  harness = await WsHarness.start({ accept, ...options });
  return harness.server.port;
}

async function open(subprotocol = 'gatesvr', options: ClientOptions = {}): Promise<WebSocket> {
  const { webSocket, socket } = await openWebSocket(harness.server.port, subprotocol, options);
  sockets.push(socket);
  return webSocket;
}

/** A client's binary message, compressed by RFC 7692 section 7.2.1, masked with zeros. */
function compressedFrame(message: Buffer): Buffer {
  const flushed = deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH });
  const payload = flushed.subarray(0, -4);
  const head = Buffer.from([0xc2, 0x80 | 126, 0, 0, 0, 0, 0, 0]);
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

/** How a connection ended, as the client saw it. */
async function ending(webSocket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(webSocket, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}

/** The HTTP answer to an upgrade that fails. */
function refusalOf(path: string, subprotocol: string[], options: ClientOptions = {}) {
  const url = `wss://127.0.0.1:${harness.server.port}${path}`;
  const webSocket = new WebSocket(url, subprotocol, { rejectUnauthorized: false, ...options });
  return new Promise<{ status: number; body: string; headers: IncomingMessage['headers'] }>(
    (resolve, reject) => {
      webSocket.on('error', () => undefined);
      webSocket.once('open', () => reject(new Error('was upgraded')));
      webSocket.once('unexpected-response', (_, response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('close', () => {
          resolve({ status: response.statusCode ?? 0, body, headers: response.headers });
        });
      });
    },
  );
}

async function openTls(port: number): Promise<TLSSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

/** Everything a socket sends until it ends. */
async function drained(socket: TLSSocket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  await once(socket, 'close');
  return text;
}

describe('a message that cannot be taken', () => {
  it.each([
    ['text where binary is due', 'gatesvr', 'text', 400, 1003],
    ['binary where text is due', 'gatesvr.json', Buffer.from('{"msgId":1}'), 400, 1003],
    ['text that is no JSON', 'gatesvr.json', '{"msgId":', 400, 1007],
    ['JSON that is no request', 'gatesvr.json', '{"msgID":1}', 400, 4400],
    ['an empty message', 'gatesvr', Buffer.alloc(0), 400, 4400],
  ])('%s: told, then closed with a code of its own', async (_what, protocol, data, code, close) => {
    await start();
    const webSocket = await open(protocol);
    const messages: unknown[] = [];
    webSocket.on('message', (message) => messages.push(message));
    webSocket.send(data);
    webSocket.send(data);
    const { code: closeCode, reason } = await ending(webSocket);
    expect(closeCode).toBe(close);
    const [link] = links as [RecordingObserver];
    await link.until(() => link.closed.length === 1, 'the end');
    expect(link.frames).toEqual([]);
    expect(link.bad).toEqual([{ code, reason }]);
    expect(link.closed).toEqual([{ code, reason, by: 'local' }]);
    expect(messages).toHaveLength(1);
  });

  it.each([
    ['too long', (ws: WebSocket) => ws.send(Buffer.alloc(MAX_FRAME_BYTES + 1)), 413, 1009],
    [
      'too long in fragments',
      (ws: WebSocket) => {
        for (let sent = 0; sent <= MAX_FRAME_BYTES; sent += 65_536) {
          ws.send(Buffer.alloc(65_536), { fin: false });
        }
      },
      413,
      1009,
    ],
    [
      'in thousands of fragments',
      (ws: WebSocket) => {
        for (let sent = 0; sent < 2_000; sent++) ws.send(Buffer.alloc(1), { fin: false });
      },
      413,
      1008,
    ],
    [
      'not UTF-8',
      (ws: WebSocket) => ws.send(Buffer.from([0xc3, 0x28]), { binary: false }),
      400,
      1007,
    ],
  ])('%s: closed at once by RFC 6455', async (_what, send, code, close) => {
    await start();
    const webSocket = await open();
    webSocket.on('error', () => undefined);
    send(webSocket);
    expect((await ending(webSocket)).code).toBe(close);
    const [link] = links as [RecordingObserver];
    await link.until(() => link.closed.length === 1, 'the end');
    expect(link.bad.map((bad) => bad.code)).toEqual([code]);
    expect(link.closed).toMatchObject([{ code, by: 'local' }]);
  });

  it('unmasked bytes of no client: closed with 1002', async () => {
    const port = await start();
    const socket = await openTls(port);
    socket.write(upgradeHead(port));
    await once(socket, 'data');
    socket.write(Buffer.from([0x82, 0x01, 0x00]));
    const answer = await drained(socket);
    expect(Buffer.from(answer, 'latin1').subarray(0, 4)).toEqual(Buffer.from([0x88, 2, 3, 0xea]));
  });

  it('a compressed bomb: closed with 1009 before it is whole', async () => {
    await start({ compression: true });
    const webSocket = await open('gatesvr', { perMessageDeflate: true });
    expect(webSocket.extensions).toBe('permessage-deflate');
    webSocket.send(Buffer.alloc(50 * 1024 * 1024));
    expect((await ending(webSocket)).code).toBe(1009);
  });

  it('compressed frames to a paused Link: closed with 429 before they fill memory', async () => {
    await start({ compression: true });
    const webSocket = await open('gatesvr', { perMessageDeflate: true });
    await eventually(() => links.length === 1, 'the link');
    links[0]?.call((link) => link.pause());
    // In one write: several arrive in one read. One by one, the first would stop the reading.
    const frame = compressedFrame(Buffer.alloc(MAX_FRAME_BYTES));
    sockets.at(-1)?.write(Buffer.concat(new Array<Buffer>(64).fill(frame)));
    expect((await ending(webSocket)).code).toBe(4429);
    expect(links[0]?.frames).toEqual([]);
  });
});

describe('compression', () => {
  it('is off unless configured', async () => {
    await start();
    expect((await open('gatesvr', { perMessageDeflate: true })).extensions).toBe('');
  });
});

describe('the upgrade', () => {
  it('is refused on other paths, and without a subprotocol of ours', async () => {
    await start();
    expect(await refusalOf('/other', ['gatesvr'])).toMatchObject({ status: 404 });
    expect(await refusalOf('/gatesvr', ['mqtt'])).toMatchObject({
      status: 400,
      body: 'offer subprotocol gatesvr or gatesvr.json\n',
    });
    expect(await refusalOf('/gatesvr', [])).toMatchObject({ status: 400 });
    for (const reason of ['ws_path', 'ws_subprotocol']) {
      expect(await harness.rejected(reason)).toBeGreaterThan(0);
    }
  });

  it('is answered 503 where there is no room, before anything is read', async () => {
    await start({ full: () => true });
    const refusal = await refusalOf('/gatesvr', ['gatesvr']);
    expect(refusal).toMatchObject({ status: 503, body: 'at capacity\n' });
    expect(refusal.headers['retry-after']).toBe('5');
    expect(await harness.rejected('max_connections')).toBe(1);
  });

  it('is answered 503 while shutting down', async () => {
    const port = await start();
    const socket = await openTls(port);
    harness.server.drain();
    socket.write(upgradeHead(port));
    expect(await drained(socket)).toMatch(/^HTTP\/1.1 503 [^]*shutting down\n$/);
  });

  it('prefers gatesvr where both are offered, and may carry a query', async () => {
    const port = await start();
    const both = ['gatesvr.json', 'gatesvr'];
    const url = `wss://127.0.0.1:${port}/gatesvr?from=test`;
    const webSocket = new WebSocket(url, both, { rejectUnauthorized: false });
    await once(webSocket, 'open');
    expect(webSocket.protocol).toBe('gatesvr');
    webSocket.terminate();
  });

  it('closes a page of a foreign origin with 4403, which its script can read', async () => {
    await start({ origins: ['https://game.test'] });
    const stranger = await open('gatesvr', { origin: 'https://evil.example' });
    expect(await ending(stranger)).toEqual({
      code: 4403,
      reason: 'origin https://evil.example is not allowed here',
    });
    expect(links).toEqual([]);
    expect(await harness.rejected('ws_origin')).toBe(1);
    await open('gatesvr', { origin: 'https://game.test' });
    await open('gatesvr', { origin: 'http://127.0.0.1:3000' });
    await open('gatesvr');
    expect(links).toHaveLength(3);
  });

  it('tells of HTTP/3 once there is something to tell', async () => {
    const port = await start({ altSvc: () => 'h3=":8453"; ma=3600' });
    const webSocket = new WebSocket(`wss://127.0.0.1:${port}/gatesvr`, 'gatesvr', {
      rejectUnauthorized: false,
    });
    const opened = once(webSocket, 'open');
    const [response] = (await once(webSocket, 'upgrade')) as [IncomingMessage];
    expect(response.headers['alt-svc']).toBe('h3=":8453"; ma=3600');
    await opened;
    webSocket.terminate();
    expect((await refusalOf('/x', ['gatesvr'])).headers['alt-svc']).toBe('h3=":8453"; ma=3600');
  });

  it('asks the hook for the address of a client behind a proxy', async () => {
    await start({ addressOf: ({ headers }) => String(headers['x-forwarded-for']) });
    await open('gatesvr', { headers: { 'x-forwarded-for': '192.0.2.7:4711' } });
    expect(links[0]?.link.remoteAddress).toBe('192.0.2.7:4711');
  });
});

describe('HTTP that is no upgrade', () => {
  it('gets 426 at the endpoint and 404 elsewhere, and the connection ends', async () => {
    const port = await start();
    const status = async (path: string): Promise<[number, string]> => {
      const url = `https://127.0.0.1:${port}${path}`;
      const [response] = (await once(get(url, { rejectUnauthorized: false }), 'response')) as [
        IncomingMessage,
      ];
      response.resume();
      await once(response, 'close');
      return [response.statusCode ?? 0, String(response.headers.connection)];
    };
    expect(await status('/gatesvr')).toEqual([426, 'close']);
    expect(await status('/')).toEqual([404, 'close']);
    expect(await status('/../../etc/passwd')).toEqual([404, 'close']);
  });

  it.each([
    ['nonsense', 'nonsense\r\n\r\n', '400'],
    ['headers without end', `GET /gatesvr HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n`, '431'],
    ['a bad key', upgradeHead(0).replace(/Key: .*/, 'Key: short'), '400'],
    ['another protocol', upgradeHead(0).replace('Upgrade: websocket', 'Upgrade: h2c'), '400'],
  ])('%s is answered and closed', async (_what, text, status) => {
    const socket = await openTls(await start());
    socket.write(text);
    expect(await drained(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('a version of the protocol that is not ours is told which is', async () => {
    const port = await start();
    for (const version of ['Sec-WebSocket-Version: 7', 'X-None: 1']) {
      const socket = await openTls(port);
      socket.write(upgradeHead(0).replace('Sec-WebSocket-Version: 13', version));
      const answer = await drained(socket);
      expect(answer).toMatch(/^HTTP\/1.1 426 /);
      expect(answer).toContain('\r\nSec-WebSocket-Version: 13\r\n');
    }
  });
});

describe('slow connections', () => {
  it('that send nothing, dribble headers or stall TLS end after the handshake timeout', async () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock, 100);
    const port = await start({ clock, wheel });
    const silent = await openTls(port);
    const dribbling = await openTls(port);
    const posting = await openTls(port);
    const tcp = connectTcp({ port, host: '127.0.0.1' });
    sockets.push(tcp);
    await once(tcp, 'connect');
    const upgraded = await open();
    const gone: string[] = [];
    silent.once('close', () => gone.push('silent'));
    dribbling.once('close', () => gone.push('dribbling'));
    posting.once('close', () => gone.push('posting'));
    tcp.once('close', () => gone.push('tcp'));
    // Without reading they would not see their end.
    for (const socket of [silent, dribbling, posting, tcp]) socket.resume();
    posting.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nx');
    for (let second = 0; second < 9; second++) {
      dribbling.write(second === 0 ? 'GET /gatesvr HTTP/1.1\r\n' : `x-${second}: y\r\n`);
      await clock.advanceAsync(1_000);
    }
    expect(gone.filter((name) => name !== 'posting')).toEqual([]);
    await clock.advanceAsync(2_000, 100);
    await eventually(() => gone.length === 4, 'all of them to be closed');
    expect(await harness.rejected('ws_handshake_timeout')).toBeGreaterThanOrEqual(3);
    expect(upgraded.readyState).toBe(WebSocket.OPEN);
    upgraded.terminate();
    // The clock stands still: let the listener's own timers pass.
    await eventually(() => links[0]?.closed.length === 1, 'the end of the client');
  });

  it('give way to new ones where there are too many', async () => {
    const port = await start();
    const waiting: { closed: boolean }[] = [];
    for (let count = 0; count < 1_010; count++) {
      const entry = { closed: false };
      const socket = connectTcp({ port, host: '127.0.0.1' });
      socket.on('error', () => undefined);
      socket.once('close', () => (entry.closed = true));
      sockets.push(socket);
      waiting.push(entry);
      if (count % 50 === 0) await once(socket, 'connect');
    }
    await eventually(() => waiting.filter(({ closed }) => closed).length >= 10, 'the oldest to go');
    const webSocket = await open();
    expect(webSocket.readyState).toBe(WebSocket.OPEN);
    expect(waiting.at(-1)?.closed).toBe(false);
    expect(await harness.rejected('ws_handshakes')).toBeGreaterThanOrEqual(10);
  });
});

describe('a peer that is gone', () => {
  it('is found out by a ping that nothing answers', async () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock, 100);
    await start({ clock, wheel });
    const deaf = await open('gatesvr', { autoPong: false } as ClientOptions);
    const alive = await open();
    let pings = 0;
    deaf.on('ping', () => pings++);
    alive.on('ping', () => pings++);
    await clock.advanceAsync(25_300, 100);
    await eventually(() => pings === 2, 'the pings');
    // The pong of the living one travels in real time, ahead of a ping of its own.
    alive.ping();
    await once(alive, 'pong');
    await clock.advanceAsync(10_300, 100);
    await links[0]?.until(() => links[0]?.closed.length === 1, 'the end of the deaf one');
    expect(links[0]?.closed).toEqual([{ code: 0, reason: 'no answer to a ping', by: 'loss' }]);
    expect(links[1]?.closed).toEqual([]);
    alive.terminate();
    await links[1]?.until(() => links[1]?.closed.length === 1, 'the end of the other');
    expect(links[1]?.closed).toEqual([{ code: 0, reason: 'connection lost', by: 'loss' }]);
  });

  it('gets an answer to each of many pings that come at once, as behind a stall of the network', async () => {
    await start();
    const webSocket = await open();
    let pongs = 0;
    webSocket.on('pong', () => pongs++);
    const { _socket: socket } = webSocket as unknown as { _socket: Socket };
    socket.cork();
    for (let count = 0; count < 300; count++) webSocket.ping(String(count));
    socket.uncork();
    await eventually(() => pongs === 300 || links[0]?.closed.length === 1, 'the pongs');
    expect(pongs).toBe(300);
  });

  it('is cut off when it pings and never reads', async () => {
    await start();
    const webSocket = await open();
    webSocket.on('error', () => undefined);
    webSocket.pause();
    const flood = Buffer.alloc(125);
    const end = Date.now() + PATIENCE_MS;
    while (links[0]?.closed.length === 0 && Date.now() < end) {
      for (let count = 0; count < 2_000; count++) webSocket.ping(flood);
      await new Promise((done) => setImmediate(done));
    }
    expect(links[0]?.closed).toHaveLength(1);
  });
});

describe('the listener', () => {
  it('shows a new certificate to new connections and keeps the old ones', async () => {
    const port = await start();
    const old = await open();
    const serial = async (): Promise<string> => {
      const socket = await openTls(port);
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    const before = await serial();
    const made = await makeCertificates();
    harness.server.useIdentity({
      cert: Buffer.from(made.certificate),
      key: Buffer.from(made.key),
    });
    expect(await serial()).not.toBe(before);
    expect(old.readyState).toBe(WebSocket.OPEN);
    await open();
  });

  it('keeps its clients while it drains, and tells them when it stops', async () => {
    const port = await start();
    const webSocket = await open();
    harness.server.drain();
    harness.server.drain();
    const late = connectTcp({ port, host: '127.0.0.1' });
    await expect(once(late, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(webSocket.readyState).toBe(WebSocket.OPEN);
    const told = ending(webSocket);
    await harness.server.stop(ErrorCode.Overloaded, 'maintenance');
    expect(await told).toEqual({ code: 4503, reason: 'maintenance' });
    await harness.server.stop();
  });

  it('stops although a client neither reads nor answers', async () => {
    await start();
    const webSocket = await open();
    webSocket.pause();
    await eventually(() => links.length === 1, 'the link');
    const piece = Buffer.alloc(65_536);
    piece.writeUInt32BE(piece.length - 4, 0);
    while (links[0]?.link.send(piece) === 'ok') await new Promise((done) => setImmediate(done));
    await harness.server.stop();
    expect(links[0]?.closed).toMatchObject([{ code: 503, by: 'local' }]);
  });

  it('says which address is taken', async () => {
    const port = await start();
    await expect(WsHarness.start({ accept, port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(`server.ws_addr 127.0.0.1:${port} is in use`),
    });
  });
});

/** An upgrade request as bytes. */
function upgradeHead(port: number): string {
  return [
    'GET /gatesvr HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: gatesvr',
    '\r\n',
  ].join('\r\n');
}
