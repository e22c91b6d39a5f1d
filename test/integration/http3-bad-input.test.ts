import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Link } from '../../src/link/link.js';
import { FrameType, StreamType, encodeFrame } from '../../src/http3/frames.js';
import { Http3Code, http3CodeName } from '../../src/http3/http3-fault.js';
import { MAX_FIELD_SECTION_BYTES, MAX_REQUESTS, MAX_VAIN_STREAMS } from '../../src/http3/limits.js';
import { encodeSettings } from '../../src/http3/settings.js';
import { encodeVarints } from '../../src/http3/varint.js';
import { RecordingObserver } from '../compliance/recording-observer.js';
import type { Http3Client } from '../support/http3-client.js';
import { POST_STREAM } from '../../src/bench/client/streaming-end.js';
import { GET, altered, headers } from '../support/http3-client.js';
import { Http3Harness } from '../support/http3-harness.js';
import { StreamRecorder, eventually } from '../support/quic-harness.js';

let harness: Http3Harness;
let good: Http3Client;
const links: RecordingObserver[] = [];

beforeAll(async () => {
  harness = await Http3Harness.start({
    accept: (link: Link) => links.push(new RecordingObserver(link)),
  });
  good = await harness.connect();
});

afterAll(async () => {
  await harness.close();
});

afterEach(async () => {
  // Whatever a peer did, others noticed nothing.
  expect((await good.ask(GET)).status).toBe('200');
});

const settings = encodeSettings(new Map());
const data = (text: string) => encodeFrame(FrameType.DATA, Buffer.from(text));
const get = headers(GET);
const empty = Buffer.alloc(0);

async function closedWith(client: Http3Client, code: number): Promise<void> {
  await eventually(() => client.closed.length > 0, `a close with ${http3CodeName(code)}`);
  expect(client.closed[0]).toMatchObject({ application: true, code, by: 'peer' });
}

describe('what breaks a rule of the connection closes it', () => {
  it.each<[string, Buffer, number]>([
    ['DATA before HEADERS', data('x'), Http3Code.FRAME_UNEXPECTED],
    ['SETTINGS on a request', Buffer.concat([get, settings]), Http3Code.FRAME_UNEXPECTED],
    [
      'GOAWAY on a request',
      Buffer.concat([get, encodeFrame(FrameType.GOAWAY, Buffer.of(0))]),
      Http3Code.FRAME_UNEXPECTED,
    ],
    [
      'PUSH_PROMISE of a client',
      Buffer.concat([get, encodeFrame(FrameType.PUSH_PROMISE, Buffer.of(0))]),
      Http3Code.FRAME_UNEXPECTED,
    ],
    [
      'PRIORITY_UPDATE on a request',
      Buffer.concat([get, encodeFrame(FrameType.PRIORITY_UPDATE_REQUEST, Buffer.of(0))]),
      Http3Code.FRAME_UNEXPECTED,
    ],
    ['WINDOW_UPDATE of HTTP/2', encodeFrame(8, Buffer.alloc(4)), Http3Code.FRAME_UNEXPECTED],
    [
      'DATA behind trailers',
      Buffer.concat([get, headers([['a', 'b']]), data('x')]),
      Http3Code.FRAME_UNEXPECTED,
    ],
    [
      'HEADERS a third time',
      Buffer.concat([get, headers([]), headers([])]),
      Http3Code.FRAME_UNEXPECTED,
    ],
    ['an end within a frame', get.subarray(0, -1), Http3Code.FRAME_ERROR],
    [
      'a QPACK index that is none',
      encodeFrame(FrameType.HEADERS, Buffer.from('0000ff24', 'hex')),
      Http3Code.QPACK_DECOMPRESSION_FAILED,
    ],
    [
      'a dynamic table in HEADERS',
      encodeFrame(FrameType.HEADERS, Buffer.from('020080', 'hex')),
      Http3Code.QPACK_DECOMPRESSION_FAILED,
    ],
    [
      'Huffman that is none',
      encodeFrame(FrameType.HEADERS, Buffer.from('00005184ffffffff', 'hex')),
      Http3Code.QPACK_DECOMPRESSION_FAILED,
    ],
  ])('%s on a request stream', async (_, bytes, code) => {
    const client = await harness.connect();
    client.raw(bytes);
    await closedWith(client, code);
  });

  it.each<[string, Buffer, number]>([
    ['without SETTINGS first', encodeFrame(0x21, empty), Http3Code.MISSING_SETTINGS],
    ['SETTINGS twice', Buffer.concat([settings, settings]), Http3Code.FRAME_UNEXPECTED],
    [
      'a setting twice',
      encodeFrame(FrameType.SETTINGS, encodeVarints(6, 1, 6, 2)),
      Http3Code.SETTINGS_ERROR,
    ],
    [
      'a setting of HTTP/2',
      encodeFrame(FrameType.SETTINGS, encodeVarints(4, 1)),
      Http3Code.SETTINGS_ERROR,
    ],
    ['DATA', Buffer.concat([settings, data('x')]), Http3Code.FRAME_UNEXPECTED],
    [
      'PING of HTTP/2',
      Buffer.concat([settings, encodeFrame(6, empty)]),
      Http3Code.FRAME_UNEXPECTED,
    ],
  ])('a control stream: %s', async (_, control, code) => {
    await closedWith(await harness.connect(control), code);
  });

  it('a control stream that ends, or is reset', async () => {
    const ending = await harness.connect(null);
    ending.uni(StreamType.CONTROL, settings).end();
    await closedWith(ending, Http3Code.CLOSED_CRITICAL_STREAM);
    const resetting = await harness.connect(null);
    const stream = resetting.uni(StreamType.CONTROL, settings);
    expect((await resetting.ask(GET)).status).toBe('200');
    stream.reset(0);
    await closedWith(resetting, Http3Code.CLOSED_CRITICAL_STREAM);
  });

  it.each<[string, number, Buffer, number]>([
    ['a second control stream', StreamType.CONTROL, settings, Http3Code.STREAM_CREATION_ERROR],
    ['a push stream', StreamType.PUSH, empty, Http3Code.STREAM_CREATION_ERROR],
    [
      'an insertion into the dynamic table',
      StreamType.QPACK_ENCODER,
      Buffer.from('c00161', 'hex'),
      Http3Code.QPACK_ENCODER_STREAM_ERROR,
    ],
    [
      'an acknowledgement of nothing',
      StreamType.QPACK_DECODER,
      Buffer.of(0x84),
      Http3Code.QPACK_DECODER_STREAM_ERROR,
    ],
  ])('%s', async (_, type, bytes, code) => {
    const client = await harness.connect();
    client.uni(type, bytes);
    await closedWith(client, code);
  });

  it('a client that allows no control stream', async () => {
    const client = await harness.connect(null, { maxStreamsUni: 0 });
    await closedWith(client, Http3Code.GENERAL_PROTOCOL_ERROR);
  });

  it('a flood of requests that are reset at once', async () => {
    const client = await harness.connect();
    let opened = 0;
    await eventually(() => {
      // Each must be there before it is reset.
      for (let burst = 0; burst < 4 && !client.connection.closed; burst++) {
        try {
          const { stream } = client.raw(Buffer.of(1, 0x40), false);
          setTimeout(() => stream.reset(Http3Code.REQUEST_CANCELLED), 20);
          opened++;
        } catch {
          // The limit of streams; later.
        }
      }
      return client.closed.length > 0;
    }, 'an end of it');
    await closedWith(client, Http3Code.EXCESSIVE_LOAD);
    expect(opened).toBeGreaterThan(MAX_VAIN_STREAMS);
  });
});

describe('what breaks a rule of a request ends that request only', () => {
  it.each<[string, Buffer, number]>([
    ['no :path', headers(altered(GET, { ':path': null })), Http3Code.MESSAGE_ERROR],
    ['an upper-case name', headers(altered(GET, { 'X-A': 'b' })), Http3Code.MESSAGE_ERROR],
    ['no HEADERS', encodeFrame(0x21, Buffer.from('grease')), Http3Code.REQUEST_INCOMPLETE],
    [
      'a WebTransport session of a client that announced none',
      headers(altered(GET, { ':method': 'CONNECT', ':protocol': 'webtransport' })),
      Http3Code.MESSAGE_ERROR,
    ],
  ])('%s', async (_, bytes, code) => {
    const client = await harness.connect();
    const { stream } = client.raw(bytes);
    const recorder = new StreamRecorder(stream);
    await eventually(() => recorder.aborted !== null, 'a reset');
    expect(recorder.aborted).toBe(code);
    expect((await client.ask(GET)).status).toBe('200');
    expect(client.closed).toEqual([]);
  });

  it('a header section that is too large is answered 431', async () => {
    const client = await harness.connect();
    const long = 'x'.repeat(MAX_FIELD_SECTION_BYTES);
    expect((await client.ask(altered(GET, { a: long }))).status).toBe('431');
    // Short on the wire, long once decoded: :method GET counts 42 bytes.
    const bomb = encodeFrame(
      FrameType.HEADERS,
      Buffer.concat([Buffer.of(0, 0), Buffer.alloc(1_000, 0xd1)]),
    );
    const recorder = client.raw(bomb);
    await eventually(() => recorder.length > 0, 'an answer');
    expect(recorder.bytes.toString('latin1')).toContain('431');
    expect((await client.ask(GET)).status).toBe('200');
  });

  it.each([
    ['longer', '3', '\0\0\0\x01a'],
    ['shorter', '9', '\0\0\0\x01a'],
  ])('a body %s than its content-length', async (_, length, body) => {
    const client = await harness.connect();
    const fields = altered(POST_STREAM, { 'content-length': length });
    const before = links.length;
    const recorder = client.raw(Buffer.concat([headers(fields), data(body)]));
    await eventually(() => recorder.aborted !== null, 'a reset');
    expect(recorder.aborted).toBe(Http3Code.MESSAGE_ERROR);
    await eventually(() => links.length > before && links.at(-1)?.closed.length === 1, 'its end');
    expect((await client.ask(GET)).status).toBe('200');
  });

  it('a stream that is reset tells its Link', async () => {
    const client = await harness.connect();
    const before = links.length;
    const { stream } = client.raw(headers(POST_STREAM), false);
    await eventually(() => links.length > before, 'a Link');
    stream.reset(Http3Code.REQUEST_CANCELLED);
    stream.stopReading(Http3Code.REQUEST_CANCELLED);
    await eventually(() => links.at(-1)?.closed.length === 1, 'its end');
    expect(links.at(-1)?.closed[0]).toMatchObject({ code: 0, by: 'peer' });
    expect((await client.ask(GET)).status).toBe('200');
  });
});

describe('what means nothing is read over', () => {
  it('grease, priorities and streams of types that nobody knows', async () => {
    const control = Buffer.concat([
      encodeSettings(new Map([[0x1f * 5 + 0x21, 7]])),
      encodeFrame(FrameType.PRIORITY_UPDATE_REQUEST, Buffer.from('\0u=1')),
      encodeFrame(0x1f * 3 + 0x21, Buffer.from('grease')),
    ]);
    const client = await harness.connect(control);
    client.uni(StreamType.QPACK_ENCODER, Buffer.of(0x20));
    client.uni(StreamType.QPACK_DECODER, Buffer.of(0x40));
    const before = harness.metrics.faults.of('stream_creation_error').value;
    client.uni(0x1f * 4 + 0x21, Buffer.from('whatever'));
    const grease = encodeFrame(0x1f * 6 + 0x21, Buffer.alloc(70_000));
    const message = Buffer.concat([grease, get, grease]);
    const recorder = client.raw(message);
    await eventually(() => recorder.length > 0, 'an answer');
    expect((await client.ask(altered(GET, { priority: 'u=1, i' }))).status).toBe('200');
    const faults = () => harness.metrics.faults.of('stream_creation_error').value - before;
    await eventually(() => faults() > 0, 'the stream that nobody knows');
    expect(faults()).toBe(1);
    expect(client.closed).toEqual([]);
  });

  it('more requests than may be open wait', async () => {
    const client = await harness.connect();
    const open = Array.from({ length: MAX_REQUESTS }, () => client.raw(get, false));
    expect(() => client.raw(get)).toThrow('allows no further');
    for (const { stream } of open) stream.end();
    await eventually(() => open.every(({ stream }) => stream.readEnded), 'all answers');
    expect((await client.ask(GET)).status).toBe('200');
  });
});
