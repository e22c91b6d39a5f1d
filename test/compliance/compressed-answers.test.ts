/** Peers that compress what they answer, unasked, as Google's C core does where it is told to. */
import { deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { callersOf } from '../../src/grpc/caller-kinds.js';
import type { CallerKind } from '../../src/grpc/caller-kinds.js';
import type { StreamOpener } from '../../src/grpc/message-stream.js';
import { GrpcStatus } from '../../src/grpc/unary-caller.js';
import type { UnaryCaller } from '../../src/grpc/unary-caller.js';
import { Http2Peer } from '../support/http2-peer.js';
import { PATIENCE_MS } from '../support/patience.js';
import { until } from '../support/until.js';

const METHOD = '/test.Service/Method';
const TEXT = 'much the same again and again; '.repeat(100);
const MAX_BYTES = 100_000;

let peer: Http2Peer | null = null;
let caller: (UnaryCaller & Partial<StreamOpener>) | null = null;

afterEach(async () => {
  caller?.close();
  await peer?.close();
});

/** A gRPC message that says of itself that it is compressed. */
function compressedMessage(body: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = 1;
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

describe.each<[CallerKind]>([['framed'], ['http2'], ['grpc-js']])('the caller %s', (kind) => {
  const connect = async (encoding: string, bodies: readonly Buffer[]): Promise<void> => {
    peer = new Http2Peer(({ stream }) => {
      const headers = { 'content-type': 'application/grpc', 'grpc-encoding': encoding };
      stream.respond({ ':status': 200, ...headers }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      for (const body of bodies) stream.write(compressedMessage(body));
      stream.end();
    });
    caller = callersOf(kind, { maxMessageBytes: MAX_BYTES })(await peer.listen());
  };

  const call = (): Promise<string | number> =>
    new Promise((resolve) => {
      caller?.call(METHOD, Buffer.from('x'), PATIENCE_MS, {
        onResponse: (bytes) => resolve(Buffer.from(bytes).toString()),
        onFailure: ({ status }) => resolve(status),
      });
    });

  const stream = async (): Promise<(string | number)[]> => {
    const told: (string | number)[] = [];
    let over = false;
    const opened = (caller as StreamOpener).open(METHOD, {
      onMessage: (bytes) => told.push(Buffer.from(bytes).toString()),
      onClosed: ({ status }) => {
        told.push(status);
        over = true;
      },
    });
    opened.end();
    await until(() => over);
    return told;
  };

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('reads answers compressed with %s', async (encoding, compress) => {
    const bodies = [compress(TEXT), compress('')];
    await connect(encoding, bodies.slice(0, 1));
    expect(await call()).toBe(TEXT);
    caller?.close();
    await peer?.close();
    await connect(encoding, bodies);
    expect(await stream()).toEqual([TEXT, '', GrpcStatus.OK]);
  });

  test.each([
    ['more than the limit', 'gzip', gzipSync(Buffer.alloc(MAX_BYTES + 1)), 'RESOURCE_EXHAUSTED'],
    ['what is not compressed', 'gzip', Buffer.from('plain'), 'INTERNAL'],
  ] as const)('fails for %s, and goes on', async (_, encoding, body, status) => {
    await connect(encoding, [body]);
    expect(await call()).toBe(GrpcStatus[status]);
    expect(await stream()).toEqual([GrpcStatus[status]]);
    expect(peer?.sessions).toHaveLength(1);
  });
});
