import { Registry } from 'prom-client';
import { QuicClient } from '../../src/quic/quic-client.js';
import type { QuicClientOptions } from '../../src/quic/quic-client.js';
import type { QuicClosed } from '../../src/quic/quic-closed.js';
import type { QuicConnectionObserver } from '../../src/quic/connection-observer.js';
import type { QuicConnection } from '../../src/quic/quic-connection.js';
import { QuicServer } from '../../src/quic/quic-server.js';
import type { ConnectionHandler, QuicServerOptions } from '../../src/quic/quic-server.js';
import type { QuicStream } from '../../src/quic/quic-stream.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { QuicMetrics } from '../../src/telemetry/quic-metrics.js';
import { sharedCertificates } from './shared-certificates.js';
import { allIsRead } from './until.js';

export { until as eventually } from './until.js';

let certificates: ReturnType<typeof sharedCertificates> | null = null;

/** A CA and a server certificate for localhost, always the same in a test file. */
export async function testIdentity(): Promise<{ cert: Buffer; key: Buffer; ca: Buffer }> {
  const made = await (certificates ??= sharedCertificates());
  return {
    cert: Buffer.from(made.certificate),
    key: Buffer.from(made.key),
    ca: Buffer.from(made.ca),
  };
}

/** Waits until a count of packets or bytes no longer grows: acknowledgements and repetitions are over. */
export async function settled(count: () => number): Promise<void> {
  for (let before = -1; before !== count();) {
    before = count();
    await new Promise((done) => setTimeout(done, 150));
    await allIsRead();
  }
}

/** Sends back every byte of every stream, and the end after the end. */
export const echoHandler: ConnectionHandler = (connection) => {
  connection.bind({
    onStream: (stream) => {
      stream.bind({
        onReadable: () => {
          for (let bytes = stream.read(); bytes !== null; bytes = stream.read()) {
            stream.write(Buffer.from(bytes));
          }
          if (stream.readEnded) stream.end();
        },
        onDrained: () => undefined,
        onAborted: () => stream.reset(0),
      });
    },
    onClosed: () => undefined,
  });
};

/** One end of a stream with everything it received. */
export class StreamRecorder {
  readonly chunks: Buffer[] = [];
  length = 0;
  aborted: number | null = null;

  constructor(readonly stream: QuicStream) {
    stream.bind({
      onReadable: () => {
        for (let bytes = stream.read(); bytes !== null; bytes = stream.read()) {
          this.chunks.push(Buffer.from(bytes));
          this.length += bytes.length;
        }
      },
      onDrained: () => undefined,
      onAborted: (code) => (this.aborted = code),
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

/** What a client's connection reported. */
export class ConnectionRecorder implements QuicConnectionObserver {
  readonly streams: QuicStream[] = [];
  readonly closed: QuicClosed[] = [];

  onStream(stream: QuicStream): void {
    this.streams.push(stream);
  }

  onClosed(closed: QuicClosed): void {
    this.closed.push(closed);
  }
}

/** A server on a free port of 127.0.0.1 and as many clients as a test wants; `close` ends them all. */
export class QuicHarness {
  readonly clients: QuicClient[] = [];

  private constructor(
    readonly server: QuicServer,
    readonly metrics: QuicMetrics,
    readonly ca: Buffer,
  ) {}

  static async start(options: Partial<QuicServerOptions> = {}): Promise<QuicHarness> {
    const { cert, key, ca } = await testIdentity();
    const metrics = new QuicMetrics(new Registry());
    const server = new QuicServer({
      host: '127.0.0.1',
      port: 0,
      identity: { cert, key },
      protocols: { gatesvr: echoHandler },
      log: silentLogger(),
      metrics,
      ...options,
    });
    await server.start();
    return new QuicHarness(server, metrics, ca);
  }

  client(options: Partial<QuicClientOptions> = {}): QuicClient {
    const client = new QuicClient({
      trust: { ca: this.ca, verify: true },
      alpns: ['gatesvr'],
      metrics: new QuicMetrics(new Registry()),
      log: silentLogger(),
      ...options,
    });
    this.clients.push(client);
    return client;
  }

  /** Connects a fresh client with a socket of its own. */
  async connect(
    options: Partial<QuicClientOptions> = {},
    port = this.server.port,
  ): Promise<{ client: QuicClient; connection: QuicConnection; recorder: ConnectionRecorder }> {
    const client = this.client(options);
    const recorder = new ConnectionRecorder();
    const connection = await client.connect({ host: '127.0.0.1', port }, recorder);
    return { client, connection, recorder };
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.stop()));
    await this.server.stop();
  }
}
