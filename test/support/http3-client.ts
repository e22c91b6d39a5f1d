import { Registry } from 'prom-client';
import { SystemClock } from '../../src/base/clock.js';
import type { CodedError } from '../../src/base/errors.js';
import { POST_STREAM, StreamingEnd } from '../../src/bench/client/streaming-end.js';
import { CONNECT } from '../../src/bench/client/webtransport-end.js';
import { FrameType, StreamType, encodeFrame } from '../../src/http3/frames.js';
import { MessageStream } from '../../src/http3/message-stream.js';
import { encodeFieldSection } from '../../src/http3/qpack-encoder.js';
import type { Field } from '../../src/http3/qpack-static-table.js';
import { encodeSettings } from '../../src/http3/settings.js';
import { encodeVarints } from '../../src/http3/varint.js';
import type { Link } from '../../src/link/link.js';
import { QuicClient } from '../../src/quic/quic-client.js';
import type { TransportLimits } from '../../src/quic/limits.js';
import type { QuicClosed } from '../../src/quic/quic-closed.js';
import type { QuicConnection } from '../../src/quic/quic-connection.js';
import type { QuicStream } from '../../src/quic/quic-stream.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { QuicMetrics } from '../../src/telemetry/quic-metrics.js';
import { StreamRecorder, eventually } from './quic-harness.js';
import { RecordedWebTransport } from './recorded-webtransport.js';

/** What a GET or a small POST brought. */
export interface Http3Answer {
  readonly status: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** The code of a reset, null where the answer was read to its end. */
  readonly aborted: number | null;
}

export const GET: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/health'],
];

/** The same with other values; a value of null leaves the field out. */
export function altered(fields: readonly Field[], values: Record<string, string | null>): Field[] {
  const kept = fields.filter(([name]) => values[name] === undefined);
  const given = Object.entries(values).flatMap(([name, value]): Field[] =>
    value === null ? [] : [[name, value]],
  );
  const all = [...kept, ...given];
  return [...all.filter(([name]) => name[0] === ':'), ...all.filter(([name]) => name[0] !== ':')];
}

/** A HEADERS frame. */
export function headers(fields: readonly Field[]): Buffer {
  return encodeFrame(FrameType.HEADERS, encodeFieldSection(fields));
}

/** A client for tests that also can break every rule: raw streams beside whole requests. */
export class Http3Client {
  readonly closed: QuicClosed[] = [];
  readonly serverStreams: StreamRecorder[] = [];
  private readonly ends: { connectionGone(closed: QuicClosed): void }[] = [];
  private live: QuicConnection | null = null;

  private constructor(private readonly client: QuicClient) {}

  /** @param control bytes of the control stream behind its type; null opens none. */
  static async connect(
    port: number,
    ca: Buffer,
    control: Buffer | null = encodeSettings(new Map()),
    limits: Partial<TransportLimits> = {},
  ): Promise<Http3Client> {
    const quic = new QuicClient({
      trust: { ca, verify: true },
      alpns: ['h3'],
      metrics: new QuicMetrics(new Registry()),
      log: silentLogger(),
      limits,
    });
    const self = new Http3Client(quic);
    try {
      self.live = await quic.connect(
        { host: '127.0.0.1', port },
        {
          onStream: (stream) => self.serverStreams.push(new StreamRecorder(stream)),
          onClosed: (closed) => {
            self.closed.push(closed);
            for (const end of self.ends) end.connectionGone(closed);
          },
        },
      );
    } catch (error) {
      await quic.stop();
      throw error;
    }
    if (control !== null) self.uni(StreamType.CONTROL, control);
    return self;
  }

  get connection(): QuicConnection {
    if (this.live === null) throw new Error('not connected');
    return this.live;
  }

  /** Opens a unidirectional stream and writes to it. */
  uni(type: number, bytes: Uint8Array): QuicStream {
    const stream = this.connection.openStream('uni');
    stream.write(Buffer.concat([encodeVarints(type), bytes]));
    return stream;
  }

  /** Opens a request stream, writes bytes as they are, and records what comes back. */
  raw(bytes: Uint8Array, end = true): StreamRecorder {
    const recorder = new StreamRecorder(this.connection.openStream());
    recorder.stream.write(bytes);
    if (end) recorder.stream.end();
    return recorder;
  }

  /** A stream for a request: the server may allow it a packet later than it answered the last one. */
  private async requestStream(): Promise<QuicStream> {
    let stream: QuicStream | null = null;
    await eventually(() => {
      try {
        stream = this.connection.openStream();
      } catch (error) {
        if ((error as CodedError).code !== 'STREAM_LIMIT') throw error;
      }
      return stream !== null;
    }, 'the permission to ask');
    return stream as unknown as QuicStream;
  }

  /** A whole request and its answer; `pieces` are written after the head as they are. */
  async ask(fields: readonly Field[], pieces: Uint8Array = Buffer.alloc(0)): Promise<Http3Answer> {
    const stream = await this.requestStream();
    let got: readonly Field[] = [];
    let aborted: number | null = null;
    let body = '';
    let done = false;
    const message = new MessageStream(stream, {
      onHead: (_, answer) => {
        got = answer ?? [];
      },
      onVain: () => undefined,
      onOver: () => undefined,
    });
    message.bind({
      onReadable: () => {
        for (let bytes = message.read(); bytes !== null; bytes = message.read()) {
          body += Buffer.from(bytes).toString('latin1');
        }
        done ||= message.readEnded;
      },
      onDrained: () => undefined,
      onAborted: (code) => {
        aborted = code;
        done = true;
      },
      onStopped: () => undefined,
      onGone: () => (done = true),
    });
    stream.write(Buffer.concat([headers(fields), pieces]));
    stream.end();
    await eventually(() => done || this.closed.length > 0, 'an answer');
    const headerMap = new Map(got);
    return { status: headerMap.get(':status') ?? '', headers: headerMap, body, aborted };
  }

  /** Opens the streaming edge; frames may be sent at once. */
  link(fields: readonly Field[] = POST_STREAM): Link {
    const end = new StreamingEnd(this.connection, new SystemClock(), fields);
    this.ends.push(end);
    return end.link;
  }

  /** Begins a WebTransport session; its frames may be sent at once. */
  webTransport(fields: readonly Field[] = CONNECT): RecordedWebTransport {
    const end = new RecordedWebTransport(this.connection, fields);
    this.ends.push(end);
    return end;
  }

  async stop(): Promise<void> {
    await this.client.stop(0x100);
  }
}
