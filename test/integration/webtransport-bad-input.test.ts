import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapsuleType, encodeCapsule } from '../../src/http3/capsule-reader.js';
import { encodeFrame } from '../../src/http3/frames.js';
import { Http3Code, http3CodeName } from '../../src/http3/http3-fault.js';
import { DATAGRAM_QUEUE, MAX_CAPSULE_BYTES, MAX_VAIN_STREAMS } from '../../src/http3/limits.js';
import { encodeVarints } from '../../src/http3/varint.js';
import { WebTransportCode, bidiHeader } from '../../src/http3/webtransport.js';
import { encodeSessionClose } from '../../src/http3/webtransport-close.js';
import type { Link } from '../../src/link/link.js';
import { RecordingObserver } from '../compliance/recording-observer.js';
import { GET, headers } from '../support/http3-client.js';
import type { Http3Client } from '../support/http3-client.js';
import { Http3Harness } from '../support/http3-harness.js';
import { eventually } from '../support/quic-harness.js';
import { CONNECT, WEBTRANSPORT_CLIENT } from '../../src/bench/client/webtransport-end.js';
import type { RecordedWebTransport } from '../support/recorded-webtransport.js';

let harness: Http3Harness;
let good: RecordingObserver;
let goodEnd: RecordedWebTransport;
const links: RecordingObserver[] = [];
const hello = Buffer.from('\0\0\0\x05hello');

beforeAll(async () => {
  harness = await Http3Harness.start({
    accept: (link: Link) => void links.push(new RecordingObserver(link)),
  });
  goodEnd = (await connect()).webTransport();
  goodEnd.link.send(hello);
  await eventually(() => links.length === 1, 'the good session');
  good = links[0] as RecordingObserver;
});

afterAll(async () => {
  await harness.close();
});

afterEach(async () => {
  // Whatever a peer did, others noticed nothing.
  const before = good.frames.length;
  goodEnd.link.send(hello);
  await eventually(() => good.frames.length > before, 'a frame of the good session');
});

const connect = (limits: object = {}): Promise<Http3Client> =>
  harness.connect(WEBTRANSPORT_CLIENT, limits);

async function begun(client: Http3Client): Promise<[RecordedWebTransport, RecordingObserver]> {
  const before = links.length;
  const end = client.webTransport();
  end.link.send(hello);
  await eventually(() => links.length > before, 'a Link');
  return [end, links[before] as RecordingObserver];
}

async function closedWith(client: Http3Client, code: number): Promise<void> {
  await eventually(() => client.closed.length > 0, `a close with ${http3CodeName(code)}`);
  expect(client.closed[0]).toMatchObject({ application: true, code, by: 'peer' });
}

describe('what breaks a rule of the connection closes it', () => {
  it.each<[string, Buffer, number]>([
    ['a session id that cannot be', bidiHeader(3), Http3Code.ID_ERROR],
    ['a server stream as session', encodeVarints(0x41, 1), Http3Code.ID_ERROR],
    [
      'the signal of a stream behind a request',
      Buffer.concat([headers(GET), encodeVarints(0x41, 0)]),
      Http3Code.FRAME_ERROR,
    ],
    [
      'the signal behind another frame',
      Buffer.concat([encodeFrame(0x21, Buffer.alloc(0)), encodeVarints(0x41, 0)]),
      Http3Code.FRAME_ERROR,
    ],
  ])('%s', async (_, bytes, code) => {
    const client = await connect();
    client.raw(bytes, false);
    await closedWith(client, code);
  });

  it.each([
    ['empty', Buffer.alloc(0)],
    ['cut short', Buffer.of(0x40)],
    ['for a stream that cannot be', Buffer.from('d000000000000000', 'hex')],
  ])('a datagram that is %s', async (_, bytes) => {
    const client = await connect({ datagramQueue: 4 });
    await begun(client);
    expect(client.connection.sendDatagram(bytes)).toBe(true);
    await closedWith(client, Http3Code.DATAGRAM_ERROR);
  });

  it('HEADERS behind a CONNECT that succeeded', async () => {
    const client = await connect();
    const [{ message }] = await begun(client);
    message.sendFields([['x', 'y']]);
    await closedWith(client, Http3Code.FRAME_UNEXPECTED);
  });

  it('a flood of streams that nobody wants', async () => {
    const client = await connect();
    const [{ session }] = await begun(client);
    let opened = 0;
    await eventually(() => {
      try {
        while (!client.connection.closed) {
          client.raw(bidiHeader(session.id), true);
          opened++;
        }
      } catch {
        // The limit of streams; later.
      }
      return client.closed.length > 0;
    }, 'an end of it');
    await closedWith(client, Http3Code.EXCESSIVE_LOAD);
    expect(opened).toBeGreaterThan(MAX_VAIN_STREAMS);
  });

  it('a flood of datagrams, which are waste of QUIC', async () => {
    const client = await connect({ datagramQueue: 64 });
    await begun(client);
    const datagram = Buffer.alloc(1_000);
    let sent = 0;
    await eventually(() => {
      while (sent < 20_000 && client.connection.sendDatagram(datagram)) sent++;
      return client.closed.length > 0;
    }, 'an end of it');
    expect(client.closed[0]).toMatchObject({ application: false, code: 0x0a, by: 'peer' });
    expect(sent).toBeGreaterThan(DATAGRAM_QUEUE);
    expect(sent).toBeLessThan(20_000);
  });
});

describe('what breaks a rule of a session ends it', () => {
  const close = encodeSessionClose(1, 'why');

  it.each<[string, Buffer, boolean, number]>([
    [
      'bytes behind its close',
      Buffer.concat([close, Buffer.of(1)]),
      false,
      Http3Code.MESSAGE_ERROR,
    ],
    ['a second close', Buffer.concat([close, close]), false, Http3Code.MESSAGE_ERROR],
    [
      'a close without a code',
      encodeCapsule(CapsuleType.CLOSE_WEBTRANSPORT_SESSION, Buffer.alloc(3)),
      false,
      Http3Code.MESSAGE_ERROR,
    ],
    [
      'a close with a reason above 1,024 bytes',
      encodeCapsule(CapsuleType.CLOSE_WEBTRANSPORT_SESSION, Buffer.alloc(1_029)),
      false,
      Http3Code.MESSAGE_ERROR,
    ],
    ['a capsule that is cut short', close.subarray(0, 9), true, Http3Code.MESSAGE_ERROR],
    [
      'a close that would be 2^62 bytes long',
      Buffer.from('6843ffffffffffffffff', 'hex'),
      false,
      Http3Code.MESSAGE_ERROR,
    ],
    [
      'a capsule of 2^62 bytes that is really sent',
      Buffer.concat([Buffer.from('21ffffffffffffffff', 'hex'), Buffer.alloc(MAX_CAPSULE_BYTES)]),
      false,
      Http3Code.EXCESSIVE_LOAD,
    ],
    [
      'thousands of empty capsules',
      Buffer.alloc(MAX_CAPSULE_BYTES + 2, Buffer.of(0x21, 0)),
      false,
      Http3Code.EXCESSIVE_LOAD,
    ],
  ])('%s', async (_, bytes, ends, code) => {
    const client = await connect();
    const [end, link] = await begun(client);
    end.message.write(bytes);
    if (ends) end.message.end();
    await eventually(() => end.aborted !== null && link.closed.length === 1, 'the end');
    expect(end.aborted).toBe(code);
    // The connection itself ends about a second later, in peace.
    expect(client.closed.filter((one) => one.code !== Http3Code.NO_ERROR)).toEqual([]);
  });

  it('DATA outside of capsules of the session is no harm: grease is read over', async () => {
    const client = await connect();
    const [end, link] = await begun(client);
    end.message.write(encodeCapsule(0x1f * 7 + 0x21, Buffer.alloc(300)));
    end.message.write(encodeCapsule(CapsuleType.DATAGRAM, Buffer.alloc(300)));
    end.message.write(encodeCapsule(CapsuleType.DRAIN_WEBTRANSPORT_SESSION, Buffer.alloc(0)));
    end.link.send(hello);
    await eventually(() => link.frames.length === 2, 'a frame');
    expect([link.closed, end.aborted]).toEqual([[], null]);
  });
});

describe('what breaks a rule of a stream ends that stream', () => {
  it('a header that never ends, or is not finished', async () => {
    const client = await connect();
    const unfinished = client.raw(Buffer.of(0x40), true);
    await eventually(() => unfinished.aborted !== null, 'a refusal');
    expect(unfinished.aborted).toBe(Http3Code.REQUEST_INCOMPLETE);
    expect((await client.ask(GET)).status).toBe('200');
  });

  it('streams of sessions that never come: one is kept, the others are refused', async () => {
    const client = await connect();
    const strays = [0, 1, 2].map(() => client.raw(bidiHeader(400), false));
    await eventually(() => strays.slice(1).every(({ aborted }) => aborted !== null), 'refusals');
    expect(strays.map(({ aborted }) => aborted)).toEqual([
      null,
      WebTransportCode.BUFFERED_STREAM_REJECTED,
      WebTransportCode.BUFFERED_STREAM_REJECTED,
    ]);
    client.raw(headers(CONNECT), false);
    await eventually(() => strays[0]?.aborted === WebTransportCode.SESSION_GONE, 'the last one');
  });

  it('bytes ahead of a session are held back by flow control', async () => {
    const client = await connect();
    const held = client.connection.openStream();
    const early = client.raw(Buffer.concat([bidiHeader(held.id), Buffer.alloc(2 ** 21)]), false);
    expect((await client.ask(GET)).status).toBe('200');
    await new Promise((done) => setTimeout(done, 50));
    expect(early.stream.bufferedBytes).toBeGreaterThan(2 ** 20);
    held.write(headers(CONNECT));
    await eventually(() => links.at(-1)?.bad.length === 1, 'an empty frame refused');
  });
});
