/** A peer that goes away by GOAWAY, as every caller of streams hears of it (StreamObserver.onLeaving). */
import { afterEach, describe, expect, test } from '@jest/globals';
import { callersOf } from '../../src/grpc/caller-kinds.js';
import type { CallerKind } from '../../src/grpc/caller-kinds.js';
import type { GrpcServer, ServerKind } from '../../src/grpc/grpc-server.js';
import type { StreamEnd, StreamOpener } from '../../src/grpc/message-stream.js';
import type { ResponseStream, StreamMethod } from '../../src/grpc/server-method.js';
import { grpcServer } from '../../src/grpc/server-kinds.js';
import { GrpcStatus } from '../../src/grpc/unary-caller.js';
import type { UnaryCaller } from '../../src/grpc/unary-caller.js';
import { until } from '../support/until.js';

const PATH = '/test.Service/Stream';
const KINDS: [CallerKind, ServerKind][] = [
  ['framed', 'framed'],
  ['http2', 'framed'],
  ['grpc-js', 'framed'],
  ['framed', 'grpc-js'],
  ['grpc-js', 'grpc-js'],
];

/** Sends back what comes, and ends the call when its caller has ended. */
const ECHO: StreamMethod = {
  path: PATH,
  open: (responses: ResponseStream) => ({
    onMessage: (request) => void responses.write(request),
    onHalfClose: () => responses.end(),
    onClosed: () => undefined,
  }),
};

let server: GrpcServer | null = null;
let caller: (UnaryCaller & Partial<StreamOpener>) | null = null;

afterEach(async () => {
  caller?.close();
  await server?.stop();
});

describe.each(KINDS)('a stream of %s to a server of %s that drains', (callerKind, kind) => {
  test('is told so once, goes on, and ends in good order: only then has the server drained', async () => {
    server = grpcServer({ kind, address: '127.0.0.1:0', graceMs: 0 }, [], undefined, [ECHO]);
    await server.start();
    caller = callersOf(callerKind)(`127.0.0.1:${server.port}`);
    const texts: string[] = [];
    const ends: StreamEnd[] = [];
    let leaving = 0;
    const stream = (caller as StreamOpener).open(PATH, {
      onMessage: (message) => texts.push(Buffer.from(message).toString()),
      onLeaving: () => leaving++,
      onClosed: (end) => ends.push(end),
    });
    stream.write(Buffer.from('before'));
    await until(() => texts.length === 1);
    let drained = false;
    const draining = server.drain().then(() => (drained = true));
    await until(() => leaving > 0);
    stream.write(Buffer.from('behind'));
    await until(() => texts.length === 2);
    expect([drained, ends, texts]).toEqual([false, [], ['before', 'behind']]);
    stream.end();
    await until(() => ends.length > 0);
    expect([leaving, ends.map(({ status }) => status)]).toEqual([1, [GrpcStatus.OK]]);
    await draining;
  });
});
