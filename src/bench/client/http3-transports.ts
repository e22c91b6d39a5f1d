import { rootCertificates } from 'node:tls';
import type { Clock } from '../../base/clock.js';
import { CodedError, messageOf } from '../../base/errors.js';
import { HTTP3_ALPN } from '../../edge/h3-edge.js';
import { StreamType } from '../../http3/frames.js';
import { encodeVarints } from '../../http3/varint.js';
import { QuicClient } from '../../quic/quic-client.js';
import type { QuicConnection } from '../../quic/quic-connection.js';
import type { QuicStream } from '../../quic/quic-stream.js';
import { silentLogger } from '../../telemetry/log.js';
import { Metrics } from '../../telemetry/metrics.js';
import type { LoadSocketOptions, LoadTransport } from './load-transport.js';
import { StreamingEnd } from './streaming-end.js';
import { WEBTRANSPORT_CLIENT, WebTransportEnd } from './webtransport-end.js';

type Begin = (connection: QuicConnection, clock: Clock) => StreamingEnd | WebTransportEnd;

/** A WebTransport session per connection, as browsers begin it. */
export const WEBTRANSPORT_TRANSPORT = http3Transport(
  'webtransport',
  (connection, clock) => new WebTransportEnd(connection, clock),
);

/** `POST /gatesvr/stream`, one per connection, as the HTTP stacks of phones do it. */
export const STREAMING_TRANSPORT = http3Transport(
  'http3',
  (connection, clock) => new StreamingEnd(connection, clock),
);

function http3Transport(name: string, begin: Begin): LoadTransport {
  return {
    name,
    socket: http3Socket,
    open: async (socket, target, clock) => {
      let end: ReturnType<Begin> | null = null;
      const connection = await socket.connect(target, {
        onStream: throwAway,
        onClosed: (closed) => end?.connectionGone(closed),
      });
      openUniStreams(connection);
      end = begin(connection, clock);
      await end.request.granted().catch((error: unknown) => {
        throw new CodedError('REFUSED', `${name}: ${messageOf(error)}`, { cause: error });
      });
      return end.link;
    },
  };
}

function http3Socket(options: LoadSocketOptions): QuicClient {
  const { ca = rootCertificates.join('\n'), insecure = false } = options;
  const { idleTimeoutMs, handshakeTimeoutMs } = options;
  return new QuicClient({
    trust: { ca: Buffer.from(ca), verify: !insecure },
    alpns: [HTTP3_ALPN],
    metrics: new Metrics().quic,
    log: silentLogger(),
    limits: {
      ...(idleTimeoutMs === undefined ? {} : { idleTimeout: idleTimeoutMs }),
      ...(handshakeTimeoutMs === undefined ? {} : { handshakeTimeout: handshakeTimeoutMs }),
    },
  });
}

/** Those that every client opens: the gateway's memory of a session holds its ends of them. */
function openUniStreams(connection: QuicConnection): void {
  const { CONTROL, QPACK_ENCODER, QPACK_DECODER } = StreamType;
  const control = Buffer.concat([encodeVarints(CONTROL), WEBTRANSPORT_CLIENT]);
  connection.openStream('uni').write(control);
  for (const type of [QPACK_ENCODER, QPACK_DECODER]) {
    connection.openStream('uni').write(encodeVarints(type));
  }
}

/** The server's control stream: a load knows what it says. */
function throwAway(stream: QuicStream): void {
  stream.bind({
    onReadable: () => {
      while (stream.read() !== null);
    },
    onDrained: () => undefined,
    onAborted: () => undefined,
  });
}
