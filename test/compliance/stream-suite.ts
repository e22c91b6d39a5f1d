import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { GrpcServer, ServerKind } from '../../src/grpc/grpc-server.js';
import { grpcServer } from '../../src/grpc/server-kinds.js';
import type {
  ClientStream,
  StreamEnd,
  StreamObserver,
  StreamOpener,
} from '../../src/grpc/message-stream.js';
import type { ResponseStream, StreamCall, StreamMethod } from '../../src/grpc/server-method.js';
import { GrpcStatus } from '../../src/grpc/unary-caller.js';
import { until } from '../support/until.js';

const PATH = '/test.Service/Stream';
const GUARDED = '/test.Service/Guarded';
const SECRET = 'open sesame';

export type MakeOpener = (
  address: string,
  secret?: string,
) => StreamOpener & { readonly close: () => void };

/** The served end of one call: echoes, and obeys single words. */
class Served implements StreamCall {
  readonly messages: Buffer[] = [];
  closed = 0;
  drained = 0;
  halfClosed = false;
  echoes = true;

  constructor(readonly responses: ResponseStream) {}

  onMessage(request: Uint8Array): void {
    const message = Buffer.from(request);
    this.messages.push(message);
    const word = message.length > 20 ? '' : message.toString();
    if (word === 'throw') throw new Error('inside');
    if (word === 'refuse') this.responses.end(GrpcStatus.PERMISSION_DENIED, 'not you');
    else if (this.echoes) this.responses.write(request);
  }

  onHalfClose(): void {
    this.halfClosed = true;
    this.responses.end();
  }

  onDrain(): void {
    this.drained++;
  }

  onClosed(): void {
    this.closed++;
  }
}

/** Keeps what a stream tells. */
class Recorder implements StreamObserver {
  readonly messages: Buffer[] = [];
  readonly ends: StreamEnd[] = [];
  opened = 0;
  drained = 0;

  onOpen(): void {
    this.opened++;
  }

  onMessage(message: Uint8Array): void {
    this.messages.push(Buffer.from(message));
  }

  onDrain(): void {
    this.drained++;
  }

  onClosed(end: StreamEnd): void {
    this.ends.push(end);
  }

  get texts(): string[] {
    return this.messages.map(String);
  }

  async ended(): Promise<StreamEnd> {
    await until(() => this.ends.length > 0);
    return this.ends[0] as StreamEnd;
  }
}

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `message ${index}`);

/** What both ends of a bidirectional call promise (src/grpc/message-stream.ts). @param kind of the serving end. */
export function streamSuite(name: string, makeOpener: MakeOpener, kind: ServerKind): void {
  describe(`${name} as a StreamOpener, served by ${kind}`, () => {
    let server: GrpcServer;
    let calls: Served[];
    let openers: { readonly close: () => void }[];

    const serve = (responses: ResponseStream): StreamCall => {
      const served = new Served(responses);
      calls.push(served);
      return served;
    };
    const methods: StreamMethod[] = [
      { path: PATH, open: serve },
      { path: GUARDED, guarded: true, open: serve },
    ];

    const startServer = async (port = 0): Promise<void> => {
      const options = { kind, address: `127.0.0.1:${port}`, graceMs: 0, secret: SECRET };
      server = grpcServer(options, [], undefined, methods);
      await server.start();
    };

    const opener = (secret?: string): ReturnType<MakeOpener> => {
      const made = makeOpener(`127.0.0.1:${server.port}`, secret);
      openers.push(made);
      return made;
    };

    const open = (from = opener(), path = PATH): { stream: ClientStream; told: Recorder } => {
      const told = new Recorder();
      return { stream: from.open(path, told), told };
    };

    /** A call that both ends know of. */
    const connected = async (): Promise<{
      stream: ClientStream;
      told: Recorder;
      served: Served;
    }> => {
      const { stream, told } = open();
      await until(() => told.opened === 1);
      return { stream, told, served: calls.at(-1) as Served };
    };

    beforeEach(async () => {
      calls = [];
      openers = [];
      await startServer();
    });

    afterEach(async () => {
      for (const each of openers) each.close();
      await server.stop();
    });

    test('carries messages both ways, in order, also those written before it is connected', async () => {
      const { stream, told } = open();
      const texts = numbered(500);
      for (const text of texts) stream.write(Buffer.from(text));
      await until(() => told.messages.length === texts.length);
      expect(told.texts).toEqual(texts);
      expect(calls[0]?.messages.map(String)).toEqual(texts);
      expect(stream.queuedBytes).toBe(0);
    });

    test('tells that the peer accepted it before anything was said', async () => {
      const { told } = await connected();
      expect(told.messages).toHaveLength(0);
      expect(told.ends).toHaveLength(0);
    });

    test('empty messages, plain arrays and views of larger buffers are messages', async () => {
      const { stream, told } = open();
      stream.write(Buffer.alloc(0));
      stream.write(new Uint8Array(Buffer.from('xxhelloxx')).subarray(2, 7));
      await until(() => told.messages.length === 2);
      expect(told.texts).toEqual(['', 'hello']);
    });

    test('large messages pass both ways', async () => {
      const { stream, told } = open();
      const large = Buffer.alloc(3_000_000, 'y');
      stream.write(large);
      stream.write(Buffer.from('small'));
      await until(() => told.messages.length === 2);
      expect(told.messages[0]?.equals(large)).toBe(true);
      expect(told.texts[1]).toBe('small');
    });

    test('end says so to the peer, which still answers what came before', async () => {
      const { stream, told } = open();
      const texts = numbered(50);
      for (const text of texts) stream.write(Buffer.from(text));
      stream.end();
      stream.end();
      expect(stream.write(Buffer.from('late'))).toBe(false);
      expect(await told.ended()).toMatchObject({ status: GrpcStatus.OK, neverSent: false });
      expect(told.texts).toEqual(texts);
      expect(calls[0]?.halfClosed).toBe(true);
      await until(() => calls[0]?.closed === 1);
    });

    test('a status of the peer comes behind what it wrote, and ends the call once', async () => {
      const { stream, told, served } = await connected();
      for (const text of numbered(20)) stream.write(Buffer.from(text));
      stream.write(Buffer.from('refuse'));
      stream.write(Buffer.from('unheard'));
      expect(await told.ended()).toMatchObject({
        status: GrpcStatus.PERMISSION_DENIED,
        message: 'not you',
        neverSent: false,
      });
      expect(told.texts).toEqual(numbered(20));
      expect(stream.write(Buffer.from('late'))).toBe(false);
      stream.cancel();
      await until(() => served.closed === 1);
      expect(served.responses.write(Buffer.from('late'))).toBe(false);
      expect(served.messages.map(String)).not.toContain('unheard');
      expect([told.ends.length, served.closed]).toEqual([1, 1]);
    });

    test('the peer may end it in good order', async () => {
      const { told, served } = await connected();
      served.responses.write(Buffer.from('goodbye'));
      served.responses.end();
      expect(await told.ended()).toMatchObject({ status: GrpcStatus.OK });
      expect(told.texts).toEqual(['goodbye']);
      await until(() => served.closed === 1);
    });

    test('cancel ends it at both ends, once', async () => {
      const { stream, told, served } = await connected();
      stream.cancel();
      stream.cancel();
      expect(stream.write(Buffer.from('late'))).toBe(false);
      expect(await told.ended()).toMatchObject({ status: GrpcStatus.CANCELLED });
      await until(() => served.closed === 1);
      expect(served.responses.write(Buffer.from('late'))).toBe(false);
      served.responses.end();
      expect(told.ends).toHaveLength(1);
    });

    test('a method that throws: INTERNAL, and nothing of its text', async () => {
      const { stream, told } = open();
      stream.write(Buffer.from('throw'));
      const end = await told.ended();
      expect(end).toMatchObject({ status: GrpcStatus.INTERNAL, neverSent: false });
      expect(end.message).not.toContain('inside');
      await until(() => calls[0]?.closed === 1);
    });

    test('a method that is not served is UNIMPLEMENTED', async () => {
      const { told } = open(opener(), '/test.Service/Other');
      expect(await told.ended()).toMatchObject({ status: GrpcStatus.UNIMPLEMENTED });
    });

    test('a guarded method is open to who knows the secret only', async () => {
      const stranger = open(opener(), GUARDED);
      expect(await stranger.told.ended()).toMatchObject({ status: GrpcStatus.UNAUTHENTICATED });
      expect(calls).toHaveLength(0);
      const friend = open(opener(SECRET), GUARDED);
      friend.stream.write(Buffer.from('hello'));
      await until(() => friend.told.texts.includes('hello'));
    });

    test('a port where nobody listens: UNAVAILABLE, surely not sent', async () => {
      const from = opener();
      await server.stop();
      const { stream, told } = open(from);
      stream.write(Buffer.from('hello'));
      expect(told.ends).toHaveLength(0);
      expect(await told.ended()).toMatchObject({
        status: GrpcStatus.UNAVAILABLE,
        neverSent: true,
      });
    });

    test('a peer that dies ends it, once; a new one is opened when it is back', async () => {
      const { port } = server;
      const from = opener();
      const { stream, told } = open(from);
      stream.write(Buffer.from('hello'));
      await until(() => told.messages.length === 1);
      await server.stop();
      const end = await told.ended();
      expect([GrpcStatus.UNAVAILABLE, GrpcStatus.CANCELLED]).toContain(end.status);
      expect(end.neverSent).toBe(false);
      await startServer(port);
      await until(async () => {
        const next = open(from);
        await until(() => next.told.opened > 0 || next.told.ends.length > 0);
        return next.told.opened > 0;
      });
      expect(told.ends).toHaveLength(1);
    });

    test('a closed opener opens nothing, and says so later', async () => {
      const from = opener();
      from.close();
      const { stream, told } = open(from);
      expect(stream.write(Buffer.from('hello'))).toBe(false);
      expect(told.ends).toHaveLength(0);
      expect(await told.ended()).toMatchObject({ neverSent: true });
    });

    test('a reader that pauses halts the writer, both ways; nothing is lost', async () => {
      const { stream, told, served } = await connected();
      served.echoes = false;
      const part = Buffer.alloc(100_000, 'z');
      served.responses.pause();
      let written = 1;
      while (stream.write(part)) written++;
      await new Promise((resolve) => setTimeout(resolve, 100));
      while (stream.write(part)) written++;
      expect(told.drained).toBeLessThanOrEqual(1);
      expect(stream.queuedBytes).toBeGreaterThan(0);
      served.responses.resume();
      await until(() => told.drained > 0 && stream.queuedBytes === 0);
      await until(() => served.messages.length >= written);

      stream.pause();
      let answered = 1;
      while (served.responses.write(part)) answered++;
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(served.responses.queuedBytes).toBeGreaterThan(0);
      expect(told.messages.length).toBeLessThan(answered);
      stream.resume();
      await until(() => served.drained > 0 && told.messages.length === answered);
    });

    test('a writer that does not wait loses the call, not the process', async () => {
      const { stream, told, served } = await connected();
      served.responses.pause();
      const part = Buffer.alloc(1_048_576);
      for (let index = 0; index < 70; index++) stream.write(part);
      expect(await told.ended()).toMatchObject({ status: GrpcStatus.RESOURCE_EXHAUSTED });
    });

    test('a message above the limit ends the call, other calls go on', async () => {
      const from = opener();
      const first = open(from);
      const second = open(from);
      first.stream.write(Buffer.alloc(5 * 1_048_576));
      expect(await first.told.ended()).toMatchObject({ status: GrpcStatus.RESOURCE_EXHAUSTED });
      second.stream.write(Buffer.from('hello'));
      await until(() => second.told.texts.includes('hello'));
    });
  });
}
