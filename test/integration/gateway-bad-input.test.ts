import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SystemClock } from '../../src/base/clock.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import type { LinkClosed, LinkObserver } from '../../src/link/link.js';
import { StreamLink } from '../../src/link/stream-link.js';
import type { QuicClient } from '../../src/quic/quic-client.js';
import { createQuicClient } from '../../src/sdk/client/quic-client.js';
import { encodeRequestFrame } from '../../src/wire/frame-encoder.js';
import {
  ErrorMessage,
  PushType,
  RequestType,
  ServerPush,
  StartRequest,
  StartResponse,
  decodeMessage,
  encodeMessage,
} from '../../src/wire/messages.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { PATIENCE_MS } from '../support/patience.js';

/** A client that says what it is told over real QUIC and remembers what came back. */
class RawClient implements LinkObserver {
  readonly pushes: ServerPush[] = [];
  closed: LinkClosed | null = null;
  link!: StreamLink;

  static async open(quic: QuicClient, port: number): Promise<RawClient> {
    const raw = new RawClient();
    const connection = await quic.connect(
      { host: '127.0.0.1', port, serverName: 'localhost' },
      {
        onStream: (stream) => stream.reset(0),
        onClosed: ({ code, reason, by }) => raw.link.connectionClosed({ code, reason, by }),
      },
    );
    raw.link = new StreamLink('quic', connection.openStream(), connection, new SystemClock());
    raw.link.bind(raw);
    return raw;
  }

  onFrame(frame: Uint8Array): void {
    this.pushes.push(decodeMessage(ServerPush, Buffer.from(frame)));
  }
  onBadFrame(): void {
    throw new Error('the gateway sent a bad frame');
  }
  onWritable(): void {
    return;
  }
  onClosed(closed: LinkClosed): void {
    this.closed = closed;
  }

  start(openid: string, msgId = 1): this {
    const payload = encodeMessage(StartRequest, { openid });
    this.link.send(encodeRequestFrame({ type: RequestType.REQUEST_START, msgId, payload }));
    return this;
  }

  bytes(...bytes: number[]): this {
    this.link.send(Buffer.from(bytes));
    return this;
  }

  async until(condition: () => boolean): Promise<void> {
    for (const deadline = Date.now() + PATIENCE_MS; !condition();) {
      if (Date.now() > deadline) throw new Error('it did not happen');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async started(): Promise<StartResponse> {
    await this.until(() => this.pushes.length > 0);
    return decodeMessage(StartResponse, (this.pushes[0] as ServerPush).payload);
  }

  async closeCode(): Promise<number> {
    await this.until(() => this.closed !== null);
    return this.closed?.code ?? -1;
  }

  lastError(): ErrorMessage {
    const push = this.pushes.at(-1);
    if (push?.type !== PushType.PUSH_ERROR) throw new Error('the last frame is no PUSH_ERROR');
    return decodeMessage(ErrorMessage, push.payload);
  }
}

describe('bad input over real QUIC', () => {
  const harness = new GatewayHarness();
  const quic = createQuicClient({ insecure: true });
  let gateway: Gateway;
  let good: RawClient;
  let openids = 0;

  const open = () => RawClient.open(quic, gateway.quicPort);
  const started = async () => {
    const client = (await open()).start(`bad-${openids++}`);
    expect((await client.started()).success).toBe(true);
    return client;
  };

  beforeAll(async () => {
    gateway = await harness.gateway();
    good = (await open()).start('good');
    await good.started();
  });
  beforeEach(() => expect(good.closed).toBeNull());
  afterAll(async () => {
    expect(good.closed).toBeNull();
    await quic.stop();
    await harness.close();
  });

  test.each([
    ['length 0', [0, 0, 0, 0], 400],
    ['length above 1 MiB', [0, 0x10, 0, 1], 413],
    ['length 2^32 - 1', [0xff, 0xff, 0xff, 0xff], 413],
    ['bytes that are no protobuf', [0, 0, 0, 2, 0xff, 0xff], 400],
  ])('a frame with %s: PUSH_ERROR, then close; the session stays', async (_, bytes, code) => {
    const before = gateway.sessions.registry.size;
    const client = await started();
    client.bytes(...bytes);
    expect(await client.closeCode()).toBe(code);
    expect(client.lastError().errorCode).toBe(code);
    expect(gateway.sessions.registry.size).toBe(before + 1);
  });

  test('a first frame that is no START: PUSH_ERROR 401, close', async () => {
    const client = await open();
    client.link.send(encodeRequestFrame({ type: RequestType.REQUEST_HEARTBEAT, msgId: 3 }));
    expect(await client.closeCode()).toBe(401);
    expect(client.lastError().errorCode).toBe(401);
  });

  test('an empty openid: START_RESP success=false, close', async () => {
    const client = (await open()).start('', 9);
    const response = await client.started();
    expect(response).toMatchObject({ success: false, error: { errorCode: 400 } });
    expect(client.pushes[0]?.msgId).toBe(9);
    expect(await client.closeCode()).toBe(400);
  });

  test('STOP in the middle of a request, and frames after it, harm nobody', async () => {
    const client = await started();
    const frame = (type: RequestType, seqId: number) =>
      encodeRequestFrame({ type, msgId: 5, seqId, payload: new Uint8Array(0) });
    client.link.send(frame(RequestType.REQUEST_BUSINESS, 1));
    client.link.send(frame(RequestType.REQUEST_STOP, 0));
    client.link.send(frame(RequestType.REQUEST_BUSINESS, 2));
    expect(await client.closeCode()).toBe(0);
  });

  test('a client that opens many streams is refused them, its session goes on', async () => {
    const client = await started();
    const refusedBefore = gateway.metrics.quic.streamsRefused.value;
    const connection = await quic.connect(
      { host: '127.0.0.1', port: gateway.quicPort, serverName: 'localhost' },
      { onStream: () => undefined, onClosed: () => undefined },
    );
    const open = () => connection.openStream().write(Buffer.from([0]));
    expect(() => {
      for (let opened = 0; opened < 1_000; opened++) open();
    }).toThrow(/allows no further/);
    await client.until(() => gateway.metrics.quic.streamsRefused.value > refusedBefore);
    connection.close(0, 'done');
    expect(client.closed).toBeNull();
  });
});
