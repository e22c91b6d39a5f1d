import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_STREAM_TIMEOUT_MS } from '../../src/edge/quic-edge.js';
import type { Http3EdgeOptions } from '../../src/edge/h3-edge.js';
import { CapsuleType, encodeCapsule } from '../../src/http3/capsule-reader.js';
import { FrameType, StreamType, encodeFrame } from '../../src/http3/frames.js';
import { Http3Code } from '../../src/http3/http3-fault.js';
import { DRAIN_LINGER_MS, SWEEP_MS } from '../../src/http3/limits.js';
import { encodeSettings } from '../../src/http3/settings.js';
import { encodeVarints } from '../../src/http3/varint.js';
import { WebTransportCode, bidiHeader, streamErrorCode } from '../../src/http3/webtransport.js';
import { encodeSessionClose } from '../../src/http3/webtransport-close.js';
import type { Link } from '../../src/link/link.js';
import { RecordingObserver } from '../compliance/recording-observer.js';
import { FakeClock } from '../support/fake-clock.js';
import { GET, altered, headers } from '../support/http3-client.js';
import type { Http3Client } from '../support/http3-client.js';
import { Http3Harness } from '../support/http3-harness.js';
import { eventually } from '../support/quic-harness.js';
import { CONNECT, WEBTRANSPORT_CLIENT } from '../../src/bench/client/webtransport-end.js';
import type { RecordedWebTransport } from '../support/recorded-webtransport.js';

let harness: Http3Harness | null = null;
let links: RecordingObserver[];

beforeEach(() => {
  links = [];
});

afterEach(async () => {
  await harness?.close();
  harness = null;
});

async function start(options: Partial<Http3EdgeOptions> = {}): Promise<Http3Harness> {
  const accept = (link: Link) => void links.push(new RecordingObserver(link));
  return (harness = await Http3Harness.start({ accept, ...options }));
}

const connect = (): Promise<Http3Client> => (harness as Http3Harness).connect(WEBTRANSPORT_CLIENT);

/** A frame of the gateway's protocol around a text. */
function frame(text: string): Buffer {
  const bytes = Buffer.alloc(4 + text.length);
  bytes.writeUInt32BE(text.length);
  bytes.write(text, 4);
  return bytes;
}

/** The status of a CONNECT with these fields, on a connection of its own. */
async function statusOf(fields: Record<string, string | null>): Promise<string> {
  const end = (await connect()).webTransport(altered(CONNECT, fields));
  await answered(end);
  return end.answer?.get(':status') ?? '';
}

async function answered(end: RecordedWebTransport): Promise<void> {
  await eventually(() => end.answer !== null || end.aborted !== null, 'an answer');
}

/** A session whose Link the gateway has. */
async function session(client: Http3Client): Promise<[RecordedWebTransport, RecordingObserver]> {
  const before = links.length;
  const end = client.webTransport();
  end.link.send(frame('hello'));
  await eventually(() => links.length > before, 'a Link');
  return [end, links[before] as RecordingObserver];
}

describe('a CONNECT', () => {
  it('begins a session, whose Link has the frames of its first stream', async () => {
    const { metrics, quic } = await start();
    const client = await connect();
    const [end, link] = await session(client);
    await eventually(() => link.frames.length === 1 && end.answer !== null, 'frame and answer');
    expect(end.answer).toEqual(
      new Map([
        [':status', '200'],
        ['sec-webtransport-http3-draft', 'draft02'],
      ]),
    );
    expect(link.link.transport).toBe('webtransport');
    expect(link.frames.map(String)).toEqual(['hello']);
    expect(metrics.requests.of('200').value).toBe(1);
    const announced = client.serverStreams[0]?.bytes ?? Buffer.alloc(0);
    for (const setting of [[8], [0x33], [0x2b603742], [0xc671706a]]) {
      expect(announced.includes(encodeVarints(...setting, 1))).toBe(true);
    }
    expect(quic.server.connectionCount()).toBe(1);
  });

  it('to another path, of another protocol or origin, or while there is no room is refused', async () => {
    let full = false;
    const rejected = new Map<string, number>();
    await start({
      full: () => full,
      rejected: {
        add: (reason: string) => rejected.set(reason, (rejected.get(reason) ?? 0) + 1),
      } as unknown as Http3EdgeOptions['rejected'],
    });
    expect(await statusOf({ ':path': '/elsewhere' })).toBe('404');
    expect(await statusOf({ ':protocol': 'connect-udp' })).toBe('501');
    expect(await statusOf({ origin: 'https://evil.example' })).toBe('403');
    full = true;
    expect(await statusOf({})).toBe('503');
    full = false;
    expect(await statusOf({ origin: 'https://pages.example' })).toBe('200');
    expect(await statusOf({ origin: 'https://localhost:3000', ':path': '/gatesvr?x=1' })).toBe(
      '200',
    );
    harness?.edge.drain();
    expect(Object.fromEntries(rejected)).toEqual({ webtransport_origin: 1, max_connections: 1 });
  });

  it('means nothing where sessions are not offered', async () => {
    await start({ webTransport: null });
    const client = await connect();
    const end = client.webTransport();
    await answered(end);
    expect(end.aborted).toBe(Http3Code.MESSAGE_ERROR);
    expect((await client.ask(GET)).status).toBe('200');
    const announced = client.serverStreams[0]?.bytes ?? Buffer.alloc(0);
    expect(announced.includes(encodeVarints(0x2b603742))).toBe(false);
  });

  it('waits for the settings of the client, which must know WebTransport', async () => {
    await start();
    const late = await (harness as Http3Harness).connect(null);
    const end = late.webTransport();
    end.link.send(frame('early'));
    expect((await late.ask(GET)).status).toBe('200');
    expect([end.answer, links]).toEqual([null, []]);
    late.uni(0, WEBTRANSPORT_CLIENT);
    await eventually(() => links[0]?.frames.length === 1, 'the frame');
    const ignorant = await (harness as Http3Harness).connect(null);
    const refused = ignorant.webTransport();
    expect((await ignorant.ask(GET)).status).toBe('200');
    ignorant.uni(0, encodeSettings(new Map()));
    await answered(refused);
    expect(refused.aborted).toBe(Http3Code.MESSAGE_ERROR);
    expect((await ignorant.ask(GET)).status).toBe('200');
  });

  it('of a second session on a connection is rejected, and the first goes on', async () => {
    await start();
    const client = await connect();
    const [first, link] = await session(client);
    const second = client.webTransport();
    await answered(second);
    expect(second.aborted).toBe(Http3Code.REQUEST_REJECTED);
    first.link.send(frame('still here'));
    await eventually(() => link.frames.length === 2, 'a frame of the first');
    expect(links).toHaveLength(1);
  });

  it('without a stream is given up with 401', async () => {
    const clock = new FakeClock();
    await start({ clock });
    const client = await connect();
    const recorder = client.raw(headers(CONNECT), false);
    await eventually(() => recorder.length > 0, 'the answer');
    clock.advance(DEFAULT_STREAM_TIMEOUT_MS);
    const close = encodeSessionClose(401, 'no stream was opened');
    await eventually(() => recorder.bytes.includes(close), 'the close');
    expect(links).toEqual([]);
  });
});

describe('the end of a session', () => {
  it('has code and reason of the gateway, and the connection is closed after it', async () => {
    const clock = new FakeClock();
    await start({ clock });
    const client = await connect();
    const [end, link] = await session(client);
    const observer = new RecordingObserver(end.link);
    link.link.send(frame('last words'));
    link.link.finish(409, 'replaced');
    await eventually(() => observer.closed.length === 1, 'the end');
    expect(observer.closed[0]).toEqual({ code: 409, reason: 'replaced', by: 'peer' });
    expect(observer.frames.map(String)).toEqual(['last words']);
    expect(client.closed).toEqual([]);
    await eventually(() => {
      clock.advance(DRAIN_LINGER_MS / 10);
      return client.closed.length === 1;
    }, 'the close of the connection');
    expect(client.closed[0]).toMatchObject({ application: true, code: Http3Code.NO_ERROR });
  });

  it('may come from the client, with frames and the close in one flight', async () => {
    await start();
    const [end, link] = await session(await connect());
    end.link.send(frame('stop'));
    end.link.close(0, 'leaving');
    await eventually(() => link.closed.length === 1, 'the end');
    expect(link.closed[0]).toEqual({ code: 0, reason: 'leaving', by: 'peer' });
  });

  it.each<[string, (end: RecordedWebTransport) => void, number, string]>([
    ['a FIN', (end) => end.message.end(), 0, ''],
    ['a reset', (end) => end.message.reset(0x10c), 0, 'the session was broken off'],
    [
      'a code of its own',
      (end) => end.message.write(encodeSessionClose(4_000_000_000, 'ü')),
      4_000_000_000,
      'ü',
    ],
  ])('may be %s of the client', async (_, finish, code, reason) => {
    await start();
    const client = await connect();
    const [end, link] = await session(client);
    finish(end);
    await eventually(() => link.closed.length === 1, 'the end');
    expect(link.closed[0]).toEqual({ code, reason, by: 'peer' });
    expect(link.link.send(frame('late'))).toBe('closed');
  });

  it('leaves other requests of the connection alone', async () => {
    const clock = new FakeClock();
    await start({ clock });
    const client = await connect();
    const other = new RecordingObserver(client.link());
    other.link.send(frame('over HTTP/3'));
    await eventually(() => links.length === 1, 'the Link of the other');
    const [end, link] = await session(client);
    end.link.close(0, '');
    await eventually(() => link.closed.length === 1, 'the end');
    for (let step = 0; step < 20; step++) clock.advance(DRAIN_LINGER_MS / 10);
    links[0]?.link.send(frame('still here'));
    await eventually(() => other.frames.length === 1, 'a frame of the other');
    expect(client.closed).toEqual([]);
  });
});

describe('streams and datagrams', () => {
  it('that nobody here wants are refused with 403, and the session goes on', async () => {
    const { metrics } = await start();
    const client = await (harness as Http3Harness).connect(WEBTRANSPORT_CLIENT, {
      datagramQueue: 4,
    });
    const [end, link] = await session(client);
    const extra = client.raw(Buffer.concat([bidiHeader(end.session.id), frame('x')]), false);
    await eventually(() => extra.aborted !== null, 'a refusal');
    expect(extra.aborted).toBe(streamErrorCode(403));
    // What it is told to stop with, the test with a browser sees.
    client.uni(0x54, encodeVarints(end.session.id, 1));
    expect(client.connection.sendDatagram(Buffer.of(0, 1, 2, 3))).toBe(true);
    const refused = (kind: string) => metrics.webTransportRefused.of(kind).value;
    await eventually(() => refused('datagram') + refused('uni_stream') === 2, 'both');
    expect([refused('bidi_stream'), refused('uni_stream'), refused('stray_stream')]).toEqual([
      1, 1, 0,
    ]);
    end.link.send(frame('still here'));
    await eventually(() => link.frames.length === 2, 'a frame');
    expect(links).toHaveLength(1);
  });

  it('that came before their session: the first is kept for it', async () => {
    await start();
    const client = await connect();
    // The ids of the streams that will be: CONNECT is 0.
    const held = client.connection.openStream();
    const first = client.raw(Buffer.concat([bidiHeader(0), frame('one')]), false);
    expect((await client.ask(GET)).status).toBe('200');
    const second = client.raw(Buffer.concat([bidiHeader(0), frame('two')]), false);
    await eventually(() => second.aborted !== null, 'the refusal of the second');
    expect(second.aborted).toBe(WebTransportCode.BUFFERED_STREAM_REJECTED);
    expect(links).toEqual([]);
    held.write(headers(CONNECT));
    await eventually(() => links[0]?.frames.length === 1, 'the frame');
    expect(links[0]?.frames.map(String)).toEqual(['one']);
    links[0]?.link.send(frame('answer'));
    await eventually(() => first.length > 0, 'an answer');
  });

  it('of a session that was refused, or is over, are told so', async () => {
    const { metrics } = await start();
    const client = await connect();
    const held = client.connection.openStream();
    const early = client.raw(Buffer.concat([bidiHeader(0), frame('one')]), false);
    expect((await client.ask(GET)).status).toBe('200');
    held.write(headers(altered(CONNECT, { ':path': '/no' })));
    await eventually(() => early.aborted !== null, 'the refusal');
    expect(early.aborted).toBe(WebTransportCode.SESSION_GONE);
    const [end, link] = await session(await connect());
    const { link: whole } = link;
    whole.close(500, 'an end');
    await eventually(() => link.closed.length === 1, 'the end');
    expect(metrics.webTransportRefused.of('stray_stream').value).toBe(1);
    expect(end.link.send(frame('late'))).not.toBe('full');
  });
});

describe('what does not get on', () => {
  it('is ended by sweeps: half a header, a stream without session, a CONNECT without settings', async () => {
    const clock = new FakeClock();
    await start({ clock });
    const client = await connect();
    // Without any request the whole connection would be ended.
    client.link().send(frame('over HTTP/3'));
    const half = client.raw(Buffer.of(0x40), false);
    const stray = client.raw(bidiHeader(400), false);
    const silent = await (harness as Http3Harness).connect(null);
    const unsettled = silent.webTransport();
    expect((await client.ask(GET)).status).toBe('200');
    expect((await silent.ask(GET)).status).toBe('200');
    for (let sweep = 0; sweep < 3; sweep++) {
      for (let step = 0; step < 10; step++) clock.advance(SWEEP_MS / 10);
      await new Promise((done) => setTimeout(done, 20));
    }
    await eventually(() => half.aborted !== null && stray.aborted !== null, 'both refusals');
    expect([half.aborted, stray.aborted]).toEqual([
      Http3Code.REQUEST_INCOMPLETE,
      WebTransportCode.BUFFERED_STREAM_REJECTED,
    ]);
    await eventually(() => silent.closed.length === 1, 'the close');
    expect(silent.closed[0]).toMatchObject({ code: Http3Code.MISSING_SETTINGS });
    expect(unsettled.answer).toBeNull();
  });
});

describe('a CONNECT that its client cancels before its SETTINGS', () => {
  it('is forgotten: another begins on that connection', async () => {
    await start();
    const client = await (harness as Http3Harness).connect(null);
    const cancelled = client.raw(headers(CONNECT), false);
    // What is answered later was sent later.
    expect((await client.ask(GET)).status).toBe('200');
    cancelled.stream.reset(Http3Code.REQUEST_CANCELLED);
    expect((await client.ask(GET)).status).toBe('200');
    const end = client.webTransport();
    client.uni(StreamType.CONTROL, WEBTRANSPORT_CLIENT);
    end.link.send(frame('hello'));
    await eventually(() => links[0]?.frames.length === 1 || end.aborted !== null, 'a Link');
    expect([links.length, end.aborted, client.closed]).toEqual([1, null, []]);
  });
});

describe('a drain', () => {
  it('tells the session by capsule and GOAWAY, and lets it go on', async () => {
    const { edge } = await start();
    const client = await connect();
    const capsules: Buffer[] = [];
    const [end, link] = await session(client);
    const take = end.message.read.bind(end.message);
    end.message.read = () => {
      const bytes = take();
      if (bytes !== null) capsules.push(Buffer.from(bytes));
      return bytes;
    };
    edge.drain();
    edge.drain();
    const drain = encodeCapsule(CapsuleType.DRAIN_WEBTRANSPORT_SESSION, Buffer.alloc(0));
    await eventually(() => capsules.length > 0, 'the capsule');
    expect(Buffer.concat(capsules)).toEqual(drain);
    const goaway = encodeFrame(FrameType.GOAWAY, Buffer.of(8));
    await eventually(() => client.serverStreams[0]?.bytes.includes(goaway) === true, 'GOAWAY');
    end.link.send(frame('still here'));
    await eventually(() => link.frames.length === 2, 'a frame');
    const late = client.webTransport();
    await answered(late);
    expect(late.aborted).toBe(Http3Code.REQUEST_REJECTED);
  });

  it('lets a session that began just before it open its stream', async () => {
    const { edge } = await start();
    const client = await connect();
    const connectStream = client.raw(headers(CONNECT), false);
    await eventually(() => connectStream.length > 0, 'the answer');
    edge.drain();
    client.raw(Buffer.concat([bidiHeader(0), frame('at last')]), false);
    await eventually(() => links[0]?.frames.length === 1, 'the frame');
  });
});
