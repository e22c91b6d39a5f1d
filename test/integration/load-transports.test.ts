import { afterEach, expect, it } from '@jest/globals';
import { SystemClock } from '../../src/base/clock.js';
import {
  STREAMING_TRANSPORT,
  WEBTRANSPORT_TRANSPORT,
} from '../../src/bench/client/http3-transports.js';
import type { LoadTransport } from '../../src/bench/client/load-transport.js';
import type { Http3EdgeOptions } from '../../src/edge/h3-edge.js';
import type { Link } from '../../src/link/link.js';
import type { QuicClient } from '../../src/quic/quic-client.js';
import { RecordingObserver } from '../compliance/recording-observer.js';
import { Http3Harness } from '../support/http3-harness.js';
import { eventually } from '../support/quic-harness.js';

let harness: Http3Harness | null = null;
let socket: QuicClient | null = null;
const served: RecordingObserver[] = [];

afterEach(async () => {
  await socket?.stop();
  await harness?.close();
  harness = socket = null;
  served.length = 0;
});

/** A Link of a load to an edge of its own. */
async function open(
  transport: LoadTransport,
  options: Partial<Http3EdgeOptions> = {},
): Promise<Link> {
  const accept = (link: Link) => void served.push(new RecordingObserver(link));
  harness = await Http3Harness.start({ accept, ...options });
  socket = transport.socket({ ca: harness.quic.ca.toString(), idleTimeoutMs: 60_000 });
  const target = { host: '127.0.0.1', port: harness.quic.server.port };
  return transport.open(socket, target, new SystemClock());
}

it.each([WEBTRANSPORT_TRANSPORT, STREAMING_TRANSPORT])(
  '$name: frames both ways, and how it ends',
  async (transport) => {
    const end = new RecordingObserver(await open(transport));
    end.link.send(Buffer.from([0, 0, 0, 2, 1, 2]));
    await eventually(() => served[0]?.frames.length === 1, 'a frame up');
    expect(served[0]?.link.transport).toBe(transport.name);
    served[0]?.link.send(Buffer.from([0, 0, 0, 2, 3, 4]));
    await eventually(() => end.frames.length === 1, 'a frame down');
    served[0]?.link.finish(409, 'replaced');
    await eventually(() => end.closed.length === 1, 'the end');
    expect(end.closed[0]).toEqual({ code: 409, reason: 'replaced', by: 'peer' });
  },
);

it.each([WEBTRANSPORT_TRANSPORT, STREAMING_TRANSPORT])(
  '$name: a load that is refused hears why',
  async (transport) => {
    const refused = open(transport, { full: () => true });
    await expect(refused).rejects.toThrow(`${transport.name}: answered with 503`);
  },
);

it('a load that is broken off, or whose connection ends, does not wait for an answer', async () => {
  const refused = open(WEBTRANSPORT_TRANSPORT, { webTransport: null });
  await expect(refused).rejects.toThrow('webtransport: ');
});
