import { setTimeout as pause } from 'node:timers/promises';
import type { QuicClient } from '../../quic/quic-client.js';
import type { QuicClosed } from '../../quic/quic-closed.js';
import type { QuicConnection } from '../../quic/quic-connection.js';

const HOST = '127.0.0.1';

/** The server name of the development certificate. */
const SERVER_NAME = 'localhost';

/** Where the load goes. */
export interface EchoTarget {
  readonly port: number;
  /** Rest between the handshake and the first stream, ms. */
  readonly settle: number;
}

/** A connection, and word of its end for whoever waits for something on it. */
export interface EchoConnection {
  readonly connection: QuicConnection;
  /** Resolves when it ends, by whomever. */
  readonly ended: Promise<QuicClosed>;
}

/** Connects, ready for the first stream. @throws {CodedError} where that does not come about. */
export async function connectTo(
  client: QuicClient,
  { port, settle }: EchoTarget,
): Promise<EchoConnection> {
  const target = { host: HOST, port, serverName: SERVER_NAME };
  let onClosed: (closed: QuicClosed) => void = () => undefined;
  const ended = new Promise<QuicClosed>((resolve) => (onClosed = resolve));
  const connection = await client.connect(target, { onStream: () => undefined, onClosed });
  if (settle > 0) await pause(settle);
  return { connection, ended };
}

/** One connection that sends a frame, waits for its echo, compares every byte, and sends the next. */
export class EchoLoop {
  readonly connection: QuicConnection;
  /** Echoes that came back whole and right. */
  echoed = 0;
  private sequence = 0;
  private expected: Buffer;
  private matched = 0;
  private running = true;
  private readonly idle: Promise<void>;
  private onIdle: () => void = () => undefined;
  private onBroken: (error: Error) => void = () => undefined;

  constructor(
    { connection, ended }: EchoConnection,
    private readonly number: number,
    private readonly frameBytes: number,
  ) {
    this.connection = connection;
    this.expected = this.nextFrame();
    this.idle = new Promise((resolve, reject) => {
      this.onIdle = resolve;
      this.onBroken = reject;
    });
    // Whoever calls finish() hears of it.
    this.idle.catch(() => undefined);
    // A stream is not told of the end of its connection.
    void ended.then(({ code, reason, by }) => {
      const why = [code, reason].filter(Boolean).join(' ');
      this.onBroken(new Error(`connection ${number} ended (${by}): ${why}`));
    });
    const stream = connection.openStream();
    stream.bind({
      onReadable: () => {
        for (let bytes = stream.read(); bytes !== null; bytes = stream.read()) {
          this.compare(bytes);
        }
        if (this.matched < this.frameBytes) return;
        this.echoed++;
        this.matched = 0;
        this.expected = this.nextFrame();
        if (this.running) stream.write(this.expected);
        else this.onIdle();
      },
      onDrained: () => undefined,
      onAborted: (code) => {
        this.onBroken(new Error(`stream of connection ${number} broke off with ${code}`));
      },
    });
    stream.write(this.expected);
  }

  /**
   * Sends no further frame and waits for the echo of the last.
   * @throws {Error} where a byte was not the one that was sent, or stream or connection ended before.
   */
  finish(): Promise<void> {
    this.running = false;
    return this.idle;
  }

  private compare(bytes: Uint8Array): void {
    const wanted = this.expected.subarray(this.matched, this.matched + bytes.length);
    if (!wanted.equals(bytes)) {
      this.onBroken(new Error(`connection ${this.number}: a wrong echo`));
    }
    this.matched += bytes.length;
  }

  private nextFrame(): Buffer {
    const frame = Buffer.alloc(this.frameBytes, this.sequence & 0xff);
    frame.writeUInt32BE(this.number, 0);
    frame.writeUInt32BE(this.sequence++, 4);
    return frame;
  }
}

/**
 * Connects, echoes one frame and closes, again and again.
 * @returns how many connections did that.
 */
export async function handshakeLoop(
  client: QuicClient,
  target: EchoTarget,
  until: number,
): Promise<number> {
  let done = 0;
  while (performance.now() < until) {
    const loop = new EchoLoop(await connectTo(client, target), done, 100);
    await loop.finish();
    loop.connection.close(0, '');
    done++;
  }
  return done;
}
