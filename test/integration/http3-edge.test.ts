import { afterEach, describe, expect, it } from '@jest/globals';
import type { TakePlace } from '../../src/edge/h3-edge.js';
import type { Link } from '../../src/link/link.js';
import { FrameType, encodeFrame } from '../../src/http3/frames.js';
import { Http3Code } from '../../src/http3/http3-fault.js';
import { DRAIN_LINGER_MS, MIN_SWEPT_BYTES, SWEEP_MS } from '../../src/http3/limits.js';
import { RecordingObserver } from '../compliance/recording-observer.js';
import { FakeClock } from '../support/fake-clock.js';
import { POST_STREAM } from '../../src/bench/client/streaming-end.js';
import { GET, altered, headers } from '../support/http3-client.js';
import type { Http3Client } from '../support/http3-client.js';
import { Http3Harness } from '../support/http3-harness.js';
import { eventually, settled } from '../support/quic-harness.js';

let harness: Http3Harness | null = null;

afterEach(async () => {
  await harness?.close();
  harness = null;
});

const links: RecordingObserver[] = [];
const accept = (link: Link) => void links.push(new RecordingObserver(link));
const frame = (text: string) => Buffer.concat([Buffer.of(0, 0, 0, text.length), Buffer.from(text)]);

async function start(options: Partial<Parameters<typeof Http3Harness.start>[0]> = {}) {
  links.length = 0;
  harness = await Http3Harness.start({ accept, ...options });
  return harness;
}

function here(): Http3Harness {
  if (harness === null) throw new Error('nothing was started');
  return harness;
}

describe('the pages', () => {
  it('tell machines who is there', async () => {
    const client = await (await start()).connect();
    const health = await client.ask(GET);
    expect(health.headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(health.body)).toEqual({ status: 'healthy', ready: true, state: 'serving' });
    const found = await client.ask(altered(GET, { ':path': '/.well-known/gatesvr?x' }));
    expect(JSON.parse(found.body)).toEqual({
      protocol_version: 1,
      version: '1.2.3',
      transports: [
        { transport: 'quic', port: 8453, alpn: 'gatesvr' },
        {
          transport: 'http3',
          port: 8453,
          alpn: 'h3',
          path: '/gatesvr/stream',
          content_type: 'application/x-gatesvr',
        },
        { transport: 'webtransport', port: 8453, alpn: 'h3', path: '/gatesvr' },
        {
          transport: 'websocket',
          port: 8454,
          path: '/gatesvr',
          subprotocols: ['gatesvr', 'gatesvr.json'],
        },
      ],
      limits: {
        frame_bytes: 1_048_576,
        openid_bytes: 128,
        requests_in_flight: 64,
        streams_per_connection: 16,
        idle_timeout_ms: 90_000,
      },
    });
  });

  it('answer HEAD without a body, and other methods and paths not at all', async () => {
    const { metrics } = await start();
    const client = await here().connect();
    const head = await client.ask(altered(GET, { ':method': 'HEAD' }));
    expect([head.status, head.body]).toEqual(['200', '']);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(10);
    const post = await client.ask(altered(GET, { ':method': 'POST' }));
    expect([post.status, post.headers.get('allow')]).toEqual(['405', 'GET, HEAD']);
    expect((await client.ask(altered(GET, { ':path': '/stats' }))).status).toBe('404');
    const body = encodeFrame(FrameType.DATA, Buffer.alloc(200_000));
    expect((await client.ask(altered(GET, { ':path': '/nowhere' }), body)).status).toBe('404');
    expect(
      (await client.ask(altered(GET, { ':method': 'CONNECT', ':path': null, ':scheme': null })))
        .status,
    ).toBe('501');
    expect(metrics.requests.of('404').value).toBe(2);
  });
});

describe('the streaming edge', () => {
  it('refuses what is no stream of ours', async () => {
    let full = false;
    await start({ full: () => full });
    const client = await here().connect();
    const status = async (values: Record<string, string | null>) =>
      (await client.ask(altered(POST_STREAM, values))).status;
    expect(await status({ ':method': 'GET' })).toBe('405');
    expect(await status({ 'content-type': null })).toBe('415');
    expect(await status({ 'content-type': 'text/plain' })).toBe('415');
    expect(await status({ origin: 'https://evil.example' })).toBe('403');
    full = true;
    const refused = await client.ask(POST_STREAM);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual(['503', '5']);
    expect(links).toHaveLength(0);
    full = false;
    for (const origin of ['https://pages.example', 'https://localhost:3000']) {
      expect(await status({ origin, 'content-type': 'application/x-gatesvr; v=1' })).toBe('200');
    }
    expect(links).toHaveLength(2);
  });

  it('makes each stream of a connection a Link of its own', async () => {
    await start();
    const client = await here().connect();
    const ends = [client.link(), client.link()].map((link) => new RecordingObserver(link));
    for (const [index, end] of ends.entries()) end.link.send(frame(`hello ${index}`));
    await eventually(() => links.length === 2 && links.every((l) => l.frames.length === 1), 'both');
    const [first, second] = [...links].sort((a, b) =>
      String(a.frames).localeCompare(String(b.frames)),
    );
    first?.link.finish(409, 'replaced');
    await eventually(() => ends[0]?.closed.length === 1, 'the end of one');
    expect(ends[0]?.closed[0]).toEqual({ code: 409, reason: 'replaced', by: 'peer' });
    second?.link.send(frame('still here'));
    await eventually(() => ends[1]?.frames.length === 1, 'a frame on the other');
    await client.stop();
    await eventually(() => second?.closed.length === 1, 'the end of the other');
    expect(second?.closed[0]).toMatchObject({ code: 0, by: 'peer' });
  });

  it('of a client that has ended its side can be discarded while anything waits', async () => {
    await start();
    const client = await here().connect();
    const reader = client.raw(headers(POST_STREAM), false);
    const { stream } = reader;
    stream.pause();
    await eventually(() => links.length === 1, 'the Link');
    const [server] = links as [RecordingObserver];
    const piece = Buffer.concat([Buffer.of(0, 0, 128, 0), Buffer.alloc(32 * 1024)]);
    while (server.link.send(piece) === 'ok') await new Promise((turn) => setImmediate(turn));
    stream.end();
    await eventually(() => server.link.send(piece) === 'closed', "the client's end");
    await settled(() => server.closed.length);
    // As its owner does, who knows of no Link that has ended.
    if (server.closed.length === 0) server.link.discard?.(421, 'not the primary gateway');
    stream.resume();
    await eventually(() => stream.readEnded || reader.aborted !== null, 'an end');
    expect(stream.readEnded).toBe(false);
    expect(server.closed).toHaveLength(1);
  });
});

describe('a connection', () => {
  it('that drains serves what it has, rejects the rest, and closes when that is over', async () => {
    const clock = new FakeClock();
    const { edge } = await start({ clock });
    const client = await here().connect();
    const end = new RecordingObserver(client.link());
    end.link.send(frame('hello'));
    await eventually(() => links[0]?.frames.length === 1, 'the frame');
    edge.drain();
    edge.drain();
    const goaway = encodeFrame(FrameType.GOAWAY, Buffer.of(4));
    await eventually(
      () => client.serverStreams[0]?.bytes.includes(goaway) === true,
      'GOAWAY that names the next request',
    );
    const late = client.raw(headers(GET));
    await eventually(() => late.aborted !== null, 'a rejection');
    expect(late.aborted).toBe(Http3Code.REQUEST_REJECTED);
    links[0]?.link.send(frame('still served'));
    await eventually(() => end.frames.length === 1, 'the frame');
    end.link.finish(0, 'leaving');
    await eventually(() => end.closed.length === 1, 'its end');
    await eventually(() => {
      clock.advance(200);
      return client.closed.length === 1;
    }, 'the close');
    expect(client.closed[0]).toMatchObject({ code: Http3Code.NO_ERROR, reason: 'going away' });
  });

  it('without requests is closed, and a request without head is ended', async () => {
    const clock = new FakeClock();
    await start({ clock });
    const client = await here().connect();
    const slow = client.raw(headers(GET).subarray(0, 3), false);
    const idle = await here().connect();
    await idle.ask(GET);
    for (let sweep = 0; sweep < 3; sweep++) {
      for (let step = 0; step < 10; step++) clock.advance(SWEEP_MS / 10);
      await new Promise((done) => setTimeout(done, 20));
    }
    await eventually(() => slow.aborted !== null && idle.closed.length === 1, 'both ends');
    expect(slow.aborted).toBe(Http3Code.REQUEST_INCOMPLETE);
    expect(idle.closed[0]).toMatchObject({ code: Http3Code.NO_ERROR, reason: 'no requests' });
  });
});

describe('a page to a slow client', () => {
  const WINDOW = 16 * 1024;
  const pages = new Map([['/large', () => ({ text: 'x'.repeat(300_000) })]]);

  /** Asks for it and takes a window's worth for each call of `more`. */
  async function slowly(clock: FakeClock) {
    await start({ clock, pages });
    const limits = { streamWindow: WINDOW, maxStreamWindow: WINDOW };
    const client = await here().connect(undefined, limits);
    const stream = client.connection.openStream();
    const got = { bytes: 0, ended: false, aborted: false };
    stream.bind({
      onReadable: () => {
        got.bytes += stream.read()?.length ?? 0;
        got.ended = stream.readEnded;
        stream.pause();
      },
      onDrained: () => undefined,
      onAborted: () => (got.aborted = true),
    });
    stream.write(headers(altered(GET, { ':path': '/large' })));
    stream.end();
    await eventually(() => got.bytes > 0, 'the first bytes');
    const more = async (bytes: number): Promise<void> => {
      const enough = got.bytes + bytes;
      await eventually(() => {
        stream.resume();
        return got.bytes >= enough || got.ended || got.aborted;
      }, 'more of the page');
    };
    return { client, got, more };
  }

  it('is served to its end as long as it is taken', async () => {
    const clock = new FakeClock();
    const { client, got, more } = await slowly(clock);
    let sweeps = 0;
    for (; !got.ended && !got.aborted && client.closed.length === 0; sweeps++) {
      // Beyond the window, for of that much the gateway may have sent any part before.
      await more(WINDOW + MIN_SWEPT_BYTES);
      clock.advance(SWEEP_MS);
    }
    expect(got).toMatchObject({ ended: true, aborted: false });
    expect(got.bytes).toBeGreaterThan(300_000);
    expect(sweeps).toBeGreaterThan(4);
  });

  it('is given up where it is not', async () => {
    const clock = new FakeClock();
    const { client, got } = await slowly(clock);
    await eventually(() => {
      clock.advance(SWEEP_MS);
      return client.closed.length === 1;
    }, 'the close');
    expect(client.closed[0]).toMatchObject({ code: Http3Code.NO_ERROR, reason: 'no requests' });
    expect(got.ended).toBe(false);
  });
});

describe('a connection without a lasting place', () => {
  /** So many connections have a lasting place; one that ends gives it up. All others are brief. */
  function places(count: number): TakePlace {
    let free = count;
    const lasting = { brief: false, giveUp: () => void free++ };
    return () => (free > 0 ? (free--, lasting) : { brief: true, giveUp: () => undefined });
  }

  const goneAway = (client: Http3Client, id: number): boolean =>
    client.serverStreams[0]?.bytes.includes(encodeFrame(FrameType.GOAWAY, Buffer.of(id))) === true;

  /** Behind the GOAWAY the clock alone decides; it need not move before. */
  async function goesAway(clock: FakeClock, client: Http3Client, id: number): Promise<void> {
    await eventually(() => goneAway(client, id), 'GOAWAY');
    clock.advance(DRAIN_LINGER_MS + 200);
    await eventually(() => client.closed.length === 1, 'the close');
    expect(client.closed[0]).toMatchObject({ code: Http3Code.NO_ERROR, reason: 'going away' });
  }

  it('serves its page and ends; those with a place stay', async () => {
    const clock = new FakeClock();
    await start({ clock, takePlace: places(2) });
    const clients: Http3Client[] = [];
    for (let count = 0; count < 5; count++) {
      const client = await here().connect();
      expect((await client.ask(GET)).status).toBe('200');
      clients.push(client);
    }
    for (const client of clients.slice(2)) await goesAway(clock, client, 4);
    for (const client of clients.slice(0, 2)) expect((await client.ask(GET)).status).toBe('200');
    await clients[0]?.stop();
    await eventually(async () => {
      const next = await here().connect();
      await next.ask(GET);
      return (await next.ask(GET)).status === '200';
    }, 'the place that was given up');
  });

  it('stays as long as its Link, and ends with it', async () => {
    const clock = new FakeClock();
    await start({ clock, takePlace: places(0) });
    const client = await here().connect();
    const end = new RecordingObserver(client.link());
    end.link.send(frame('hello'));
    await eventually(() => links[0]?.frames.length === 1, 'the frame');
    for (let step = 0; step < 40; step++) clock.advance(SWEEP_MS / 10);
    expect((await client.ask(GET)).status).toBe('200');
    links[0]?.link.finish(429, 'too many');
    await eventually(() => end.closed.length === 1, 'its end');
    await goesAway(clock, client, 8);
  });

  it('ends with the first sweep where it asks for nothing', async () => {
    const clock = new FakeClock();
    await start({ clock, takePlace: places(0) });
    const client = await here().connect();
    await eventually(() => client.serverStreams.length === 1, 'its SETTINGS');
    clock.advance(SWEEP_MS + 200);
    await eventually(() => client.closed.length === 1, 'the close');
    expect(client.closed[0]).toMatchObject({ code: Http3Code.NO_ERROR, reason: 'no requests' });
  });
});
