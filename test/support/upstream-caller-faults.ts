import { constants } from 'node:http2';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Settings } from 'node:http2';
import { afterEach, describe, expect, test } from '@jest/globals';
import { GrpcStatus } from '../../src/grpc/unary-caller.js';
import type { CallFailure, CallerFactory, UnaryCaller } from '../../src/grpc/unary-caller.js';
import { Http2Peer, frame, message, respond } from './http2-peer.js';
import type { PeerCall } from './http2-peer.js';
import { PATIENCE_MS } from './patience.js';
import { until } from './until.js';

type Outcome = { bytes: string } | CallFailure;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const echo = ({ stream, text }: PeerCall): void => respond(stream, [message(text)]);

/** What a caller that speaks HTTP/2 itself makes of everything that peers do with it. */
export function callerFaultSuite(name: string, makeCaller: CallerFactory): void {
  describe(`${name} and what peers answer`, () => {
    let peer: Http2Peer | null = null;
    let caller: UnaryCaller | null = null;

    const connect = async (
      answer: (call: PeerCall, peer: Http2Peer) => void,
      settings: Settings = {},
      host?: string,
    ): Promise<UnaryCaller> => {
      peer = new Http2Peer(answer, settings);
      caller = makeCaller(await peer.listen(host));
      return caller;
    };

    const begin = (text: string, deadline: number, done: (outcome: Outcome) => void) =>
      caller?.call('/test.Service/Method', Buffer.from(text), deadline, {
        onResponse: (bytes) => done({ bytes: Buffer.from(bytes).toString() }),
        onFailure: done,
      });
    const call = (text: string, deadline = PATIENCE_MS): Promise<Outcome> =>
      new Promise((resolve) => void begin(text, deadline, resolve));

    afterEach(async () => {
      caller?.close();
      await peer?.close();
    });

    test('a request carries what the protocol asks for', async () => {
      await connect(echo);
      expect(await call('hello', 51_234)).toEqual({ bytes: 'hello' });
      const headers = peer?.calls[0]?.headers;
      expect(headers).toMatchObject({
        ':method': 'POST',
        ':scheme': 'http',
        ':path': '/test.Service/Method',
        te: 'trailers',
        'content-type': 'application/grpc',
      });
      expect(headers?.[':authority']).toMatch(/^127\.0\.0\.1:\d+$/);
      const timeout = Number(/^(\d{1,8})m$/.exec(String(headers?.['grpc-timeout']))?.[1]);
      expect(timeout).toBeGreaterThan(0);
      expect(timeout).toBeLessThanOrEqual(51_234);
    });

    test('an IPv6 address in brackets', async () => {
      await connect(echo, {}, '::1');
      expect(await call('six')).toEqual({ bytes: 'six' });
    });

    test('trailers-only: the status and its message, percent-encoded', async () => {
      await connect(({ stream }) =>
        stream.respond(
          {
            ':status': 200,
            'content-type': 'application/grpc',
            'grpc-status': '5',
            'grpc-message': 'not%20f%C3%BCnd 100%',
          },
          { endStream: true },
        ),
      );
      expect(await call('x')).toEqual({
        status: GrpcStatus.NOT_FOUND,
        message: 'not%20f%C3%BCnd 100%',
        neverSent: false,
      });
    });

    test('a message in trailers is decoded', async () => {
      await connect(({ stream }) =>
        respond(stream, [], { 'grpc-status': '5', 'grpc-message': 'kein%20Fr%C3%BChst%C3%BCck' }),
      );
      expect(await call('x')).toMatchObject({ status: 5, message: 'kein Frühstück' });
    });

    test('an answer in single bytes, with pauses', async () => {
      const drip = async ({ stream, text }: PeerCall): Promise<void> => {
        const type = 'application/grpc+proto';
        stream.respond({ ':status': 200, 'content-type': type }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        for (const byte of message(text)) {
          stream.write(Buffer.of(byte));
          await pause(1);
        }
        stream.end();
      };
      await connect((arrived) => void drip(arrived));
      expect(await call('in pieces')).toEqual({ bytes: 'in pieces' });
    });

    test.each([
      ['two messages', [message('one'), message('two')], GrpcStatus.INTERNAL],
      [
        'two messages in one piece',
        [Buffer.concat([message('one'), message('two')])],
        GrpcStatus.INTERNAL,
      ],
      ['a message cut short', [message('hello').subarray(0, 8)], GrpcStatus.INTERNAL],
      ['half a prefix', [Buffer.alloc(3)], GrpcStatus.INTERNAL],
      ['no message', [], GrpcStatus.INTERNAL],
      ['a compressed message', [Buffer.from([1, 0, 0, 0, 1, 65])], GrpcStatus.INTERNAL],
      ['4 GiB announced', [Buffer.from([0, 255, 255, 255, 255, 1])], GrpcStatus.RESOURCE_EXHAUSTED],
    ])('%s', async (_, chunks, status) => {
      await connect(({ stream, text }) =>
        respond(stream, text === 'good' ? [message(text)] : chunks),
      );
      expect(await call('bad')).toMatchObject({ status, neverSent: false });
      expect(await call('good')).toEqual({ bytes: 'good' });
      expect(peer?.sessions).toHaveLength(1);
    });

    test.each([
      ['no status', {}, GrpcStatus.UNKNOWN],
      ['a status that is none', { 'grpc-status': '99' }, GrpcStatus.UNKNOWN],
    ])('trailers with %s', async (_, trailers: Record<string, string>, status) => {
      await connect(({ stream }) => respond(stream, [message('x')], { other: 'x', ...trailers }));
      expect(await call('x')).toMatchObject({ status, neverSent: false });
    });

    test.each([
      [404, GrpcStatus.UNIMPLEMENTED],
      [503, GrpcStatus.UNAVAILABLE],
      [401, GrpcStatus.UNAUTHENTICATED],
      [200, GrpcStatus.UNKNOWN],
      [500, GrpcStatus.UNKNOWN],
    ])('a web server that answers %i', async (httpStatus, status) => {
      await connect(({ stream }) => {
        stream.respond({ ':status': httpStatus, 'content-type': 'text/html' });
        stream.end('<html>');
      });
      expect(await call('x')).toMatchObject({ status, neverSent: false });
    });

    test.each([
      ['CANCEL', constants.NGHTTP2_CANCEL, GrpcStatus.CANCELLED, false],
      ['REFUSED_STREAM', constants.NGHTTP2_REFUSED_STREAM, GrpcStatus.UNAVAILABLE, true],
      [
        'ENHANCE_YOUR_CALM',
        constants.NGHTTP2_ENHANCE_YOUR_CALM,
        GrpcStatus.RESOURCE_EXHAUSTED,
        false,
      ],
      ['INTERNAL_ERROR', constants.NGHTTP2_INTERNAL_ERROR, GrpcStatus.INTERNAL, false],
    ])('a stream reset with %s', async (_, code, status, neverSent) => {
      await connect(({ stream, text }) => {
        if (text === 'good') respond(stream, [message(text)]);
        else stream.close(code);
      });
      expect(await call('bad')).toMatchObject({ status, neverSent });
      expect(await call('good')).toEqual({ bytes: 'good' });
    });

    test('a call that the peer refused unseen is sent once more, on the same connection', async () => {
      await connect((arrived, { calls }) => {
        if (calls.length === 1) arrived.stream.close(constants.NGHTTP2_REFUSED_STREAM);
        else echo(arrived);
      });
      expect(await call('one')).toEqual({ bytes: 'one' });
      expect(peer?.calls.map(({ text, connection }) => [text, connection])).toEqual([
        ['one', 0],
        ['one', 0],
      ]);
    });

    test('a call refused twice fails, and was never sent', async () => {
      await connect(({ stream }) => stream.close(constants.NGHTTP2_REFUSED_STREAM));
      expect(await call('one')).toMatchObject({ status: GrpcStatus.UNAVAILABLE, neverSent: true });
      expect(peer?.calls).toHaveLength(2);
    });

    test('a peer that allows more streams later gets the calls that waited', async () => {
      await connect(
        (arrived) => {
          if (arrived.text !== 'first') echo(arrived);
        },
        { maxConcurrentStreams: 1 },
      );
      begin('first', PATIENCE_MS, () => undefined);
      await until(() => peer?.calls.length === 1);
      const waiting = ['two', 'three'].map((text) => call(text));
      peer?.sessions[0]?.settings({ maxConcurrentStreams: 3 });
      expect(await Promise.all(waiting)).toEqual([{ bytes: 'two' }, { bytes: 'three' }]);
    });

    test('a peer that allows fewer streams later gets no more of them', async () => {
      await connect((arrived, { calls }) => {
        if (calls.length > 3) echo(arrived);
      });
      const begun = ['one', 'two', 'three'].map((text) => call(text));
      await until(() => peer?.calls.length === 3);
      await new Promise<void>((resolve) =>
        peer?.sessions[0]?.settings({ maxConcurrentStreams: 2 }, () => resolve()),
      );
      const later = call('four');
      for (const each of peer?.calls.slice(0, 3) ?? []) echo(each);
      await Promise.all(begun);
      expect(await later).toEqual({ bytes: 'four' });
      expect(peer?.mostOpen).toBe(3);
    });

    test('never more streams than the peer allows, and in order', async () => {
      await connect((arrived) => void setTimeout(() => echo(arrived), 2), {
        maxConcurrentStreams: 3,
      });
      const texts = Array.from({ length: 60 }, (_, index) => `call ${index}`);
      const outcomes = await Promise.all(texts.map((text) => call(text)));
      expect(outcomes).toEqual(texts.map((bytes) => ({ bytes })));
      expect(peer?.calls.map(({ text }) => text)).toEqual(texts);
      expect(peer?.mostOpen).toBeLessThanOrEqual(3);
    });

    test('a call that waits for a stream when its deadline comes was never sent', async () => {
      await connect(() => undefined, { maxConcurrentStreams: 1 });
      const outcomes: Outcome[] = [];
      const first = begin('first', PATIENCE_MS, (outcome) => outcomes.push(outcome));
      await until(() => peer?.calls.length === 1);
      expect(await call('second', 100)).toMatchObject({
        status: GrpcStatus.DEADLINE_EXCEEDED,
        neverSent: true,
        busy: true,
      });
      first?.cancel();
      await until(() => outcomes.length > 0);
      expect(outcomes).toMatchObject([{ neverSent: false }]);
      expect(peer?.calls.map(({ text }) => text)).toEqual(['first']);
    });

    test('GOAWAY: what the peer did not look at is sent once more, the rest finishes', async () => {
      await connect((arrived, { calls, sessions }) => {
        if (arrived.connection > 0) echo(arrived);
        else if (calls.length === 3) {
          sessions[0]?.goaway(0, calls[0]?.stream.id);
          setTimeout(() => echo(calls[0] as PeerCall), 30);
        }
      });
      const calls = ['one', 'two', 'three'].map((text) => call(text));
      expect(await Promise.all(calls)).toEqual([
        { bytes: 'one' },
        { bytes: 'two' },
        { bytes: 'three' },
      ]);
      expect(await call('four')).toEqual({ bytes: 'four' });
      expect(peer?.calls.map(({ text, connection }) => [text, connection])).toEqual([
        ['one', 0],
        ['two', 0],
        ['three', 0],
        ['two', 1],
        ['three', 1],
        ['four', 1],
      ]);
    });

    test('GOAWAY in two steps: what the second returns goes to the connection made by then', async () => {
      await connect((arrived) => {
        if (arrived.connection > 0) echo(arrived);
      });
      const early = ['one', 'two'].map((text) => call(text));
      await until(() => peer?.calls.length === 2);
      const [session] = peer?.sessions ?? [];
      session?.goaway(0, 2 ** 31 - 1);
      // Whatever is called from the time on that the first step has arrived goes elsewhere.
      await until(async () => {
        void call('between');
        await pause(1);
        return (peer?.sessions.length ?? 0) > 1;
      });
      expect(await call('three')).toEqual({ bytes: 'three' });
      const [one] = peer?.calls ?? [];
      session?.goaway(0, one?.stream.id);
      echo(one as PeerCall);
      expect(await Promise.all(early)).toEqual([{ bytes: 'one' }, { bytes: 'two' }]);
      expect(await call('four')).toEqual({ bytes: 'four' });
    });

    test('GOAWAY too_many_pings: the next call goes elsewhere', async () => {
      await connect((arrived, { calls, sessions }) => {
        if (arrived.connection === 0) {
          const debug = Buffer.from('too_many_pings');
          sessions[0]?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, calls[0]?.stream.id, debug);
        }
        echo(arrived);
      });
      // Framed it is answered; node:http2 ends what is under way at any GOAWAY with an error.
      await call('one');
      expect(await call('two')).toEqual({ bytes: 'two' });
      expect(peer?.calls.map(({ connection }) => connection)).toEqual([0, 1]);
    });

    test('a call is sent twice at most, however often peers go away', async () => {
      let connections = 0;
      const listener = createServer((socket) => {
        connections++;
        socket.on('error', () => undefined);
        socket.write(frame(4, 0, 0, Buffer.alloc(0)));
        // Whatever comes behind the preface and SETTINGS is a request.
        socket.on('data', (chunk) => {
          if (chunk.includes('/test.Service/Method') || chunk.length > 120) {
            socket.write(frame(7, 0, 0, Buffer.alloc(8)));
          }
        });
      });
      await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
      caller = makeCaller(`127.0.0.1:${(listener.address() as AddressInfo).port}`);
      try {
        expect(await call('x'.repeat(500))).toMatchObject({
          status: GrpcStatus.UNAVAILABLE,
          neverSent: true,
        });
        expect(connections).toBe(2);
      } finally {
        caller.close();
        listener.close();
      }
    });

    test('a connection cut under calls: UNAVAILABLE, and in doubt they were sent', async () => {
      await connect((arrived, { calls, sockets }) => {
        if (arrived.connection > 0) echo(arrived);
        else if (calls.length === 2) sockets[0]?.destroy();
      });
      for (const outcome of await Promise.all([call('one'), call('two')])) {
        expect(outcome).toMatchObject({ status: GrpcStatus.UNAVAILABLE, neverSent: false });
      }
      expect(await call('three')).toEqual({ bytes: 'three' });
    });

    test('a peer that ends its side of the connection: the next call makes another', async () => {
      await connect((arrived, { sockets }) => {
        if (arrived.connection > 0) echo(arrived);
        else sockets[0]?.end();
      });
      expect(await call('one')).toMatchObject({
        status: GrpcStatus.UNAVAILABLE,
        neverSent: false,
      });
      expect(await call('two')).toEqual({ bytes: 'two' });
    });

    test('large answers to many calls at once keep within the windows', async () => {
      const large = 'x'.repeat(600_000);
      await connect(({ stream }) => respond(stream, [message(large)]));
      const outcomes = await Promise.all(Array.from({ length: 40 }, () => call('large')));
      for (const outcome of outcomes) expect(outcome).toEqual({ bytes: large });
    });

    test('large requests to a peer with small windows', async () => {
      const large = 'y'.repeat(400_000);
      await connect(({ stream, text }) => respond(stream, [message(String(text.length))]), {
        initialWindowSize: 5_000,
        maxFrameSize: 16_384,
      });
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => call(large)));
      for (const outcome of outcomes) expect(outcome).toEqual({ bytes: '400000' });
    });

    test('cancelling a request that waits for the window frees the others', async () => {
      await connect(({ stream, text }) => respond(stream, [message(String(text.length))]), {
        initialWindowSize: 1_000,
      });
      expect(await call('z'.repeat(100))).toEqual({ bytes: '100' });
      const outcomes = await Promise.all([
        call('z'.repeat(2_000_000), 5),
        call('z'.repeat(50_000)),
      ]);
      expect(outcomes[0]).not.toHaveProperty('bytes');
      expect(outcomes[1]).toEqual({ bytes: '50000' });
    });
  });
}
