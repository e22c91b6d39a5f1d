import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Http3Code } from '../../src/http3/http3-fault.js';
import { DRAIN_LINGER_MS, SETTLE_MS } from '../../src/http3/limits.js';
import { bidiHeader } from '../../src/http3/webtransport.js';
import { encodeSessionClose } from '../../src/http3/webtransport-close.js';
import { CONNECT, WEBTRANSPORT_CLIENT } from '../../src/bench/client/webtransport-end.js';
import { RecordingObserver } from '../compliance/recording-observer.js';
import { FakeClock } from '../support/fake-clock.js';
import { GET, headers } from '../support/http3-client.js';
import type { Http3Client } from '../support/http3-client.js';
import { Http3Harness } from '../support/http3-harness.js';
import { eventually } from '../support/quic-harness.js';

let harness: Http3Harness;
let links: RecordingObserver[];

afterEach(() => harness.close());

async function start(clock: FakeClock): Promise<Http3Client> {
  links = [];
  harness = await Http3Harness.start({
    accept: (link) => void links.push(new RecordingObserver(link)),
    clock,
  });
  return harness.connect(WEBTRANSPORT_CLIENT);
}

type Recorder = ReturnType<Http3Client['raw']>;

/** The CONNECT of a session that the gateway has ended; the client does not say that it has read the end. */
async function unread(client: Http3Client): Promise<Recorder> {
  const connectStream = client.raw(headers(CONNECT), false);
  await eventually(() => connectStream.length > 0, 'the answer');
  const hello = Buffer.of(0, 0, 0, 1, 0);
  client.raw(Buffer.concat([bidiHeader(0), hello]), false);
  await eventually(() => links[0]?.frames.length === 1, 'the frame');
  links[0]?.link.close(503, 'the gateway stops');
  const close = encodeSessionClose(503, 'the gateway stops');
  await eventually(() => connectStream.bytes.includes(close), 'the close of the session');
  return connectStream;
}

/** Only what is due in so many ms closes it. */
async function closedAfter(ms: number, clock: FakeClock, client: Http3Client): Promise<void> {
  await new Promise((done) => setTimeout(done, 50));
  expect(client.closed).toEqual([]);
  // Two ticks of the wheel of timers more.
  clock.advance(ms + 200);
  await eventually(() => client.closed.length === 1, 'the close of the connection');
  expect(client.closed[0]).toMatchObject({ application: true, code: Http3Code.NO_ERROR });
}

describe('a stop', () => {
  let clock: FakeClock;
  let client: Http3Client;

  beforeEach(async () => {
    clock = new FakeClock();
    client = await start(clock);
  });

  it('closes a connection a little later than its client has read how the session ended', async () => {
    const connectStream = await unread(client);
    const stopped = harness.edge.stop('the gateway stops');
    clock.advance(SETTLE_MS + 200);
    // What is answered later was sent later.
    const late = client.webTransport();
    await eventually(() => late.aborted !== null, 'the refusal');
    connectStream.stream.end();
    await closedAfter(SETTLE_MS, clock, client);
    await stopped;
  });

  it('waits for no client longer than DRAIN_LINGER_MS', async () => {
    await unread(client);
    const stopped = harness.edge.stop('the gateway stops');
    await closedAfter(DRAIN_LINGER_MS, clock, client);
    await stopped;
  });

  it('closes connections without requests soon, and those that come meanwhile', async () => {
    await unread(client);
    const idle = await harness.connect();
    expect((await idle.ask(GET)).status).toBe('200');
    const stopped = harness.edge.stop('the gateway stops');
    await closedAfter(SETTLE_MS, clock, idle);
    await closedAfter(SETTLE_MS, clock, await harness.connect());
    expect(client.closed).toEqual([]);
    await client.stop();
    await stopped;
    await harness.edge.stop('again');
  });
});
