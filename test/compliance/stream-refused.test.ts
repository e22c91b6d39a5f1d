/** A peer that does not look at a ProcessStream, by its GOAWAY or REFUSED_STREAM: its requests go on the next one. */
import { afterEach, expect, test } from '@jest/globals';
import { callersOf } from '../../src/grpc/caller-kinds.js';
import type { CallerKind } from '../../src/grpc/caller-kinds.js';
import { Http2Code } from '../../src/grpc/status-mapping.js';
import { UpstreamClient } from '../../src/upstream/upstream-client.js';
import {
  ProcessBatch,
  ProcessResults,
  UpstreamRequest,
  decodeMessage,
  encodeMessage,
} from '../../src/wire/messages.js';
import { PATIENCE_MS } from '../support/patience.js';
import { RawHttp2Peer, answerFrames, uint32 } from '../support/raw-http2-peer.js';
import type { RawSession } from '../support/raw-http2-peer.js';
import { until } from '../support/until.js';

const FRAME = { reset: 3, goaway: 7 } as const;
const PREFIX_BYTES = 5;

let peer: RawHttp2Peer | null = null;
let client: UpstreamClient | null = null;

afterEach(async () => {
  client?.close();
  await peer?.close();
});

/** Answers the first batch of a stream as soon as it is there. */
async function serve(session: RawSession, streamId: number): Promise<void> {
  const bytes = (): Buffer => session.bodies.get(streamId) ?? Buffer.alloc(0);
  await until(() => bytes().length > PREFIX_BYTES);
  const { requests } = decodeMessage(ProcessBatch, bytes().subarray(PREFIX_BYTES));
  const responses = requests.map(({ sessionId = '', clientSeqId = 0 }) => ({
    sessionId,
    clientSeqId,
  }));
  const frames = answerFrames(Buffer.from(encodeMessage(ProcessResults, { responses })));
  for (const [type, flags, payload] of frames.slice(0, 2)) {
    session.send(type, flags, streamId, payload);
  }
}

test.each<[CallerKind, string, (session: RawSession, streamId: number) => void]>(
  (['framed', 'http2'] as const).flatMap((kind) => [
    [kind, 'GOAWAY', (session) => session.send(FRAME.goaway, 0, 0, uint32(0, Http2Code.NO_ERROR))],
    [
      kind,
      'REFUSED_STREAM',
      (session, id) => session.send(FRAME.reset, 0, id, uint32(Http2Code.REFUSED_STREAM)),
    ],
  ]),
)('%s: a stream that is not looked at, by %s, loses no request', async (kind, _, refuse) => {
  let streams = 0;
  const onHeaders = (session: RawSession, streamId: number): void => {
    streams++;
    if (streams === 1) refuse(session, streamId);
    else void serve(session, streamId);
  };
  peer = new RawHttp2Peer(undefined, undefined, onHeaders);
  client = new UpstreamClient(callersOf(kind)(await peer.listen()), 'test');
  client.useStream(true);
  const outcomes: string[] = [];
  const request = encodeMessage(UpstreamRequest, { sessionId: 's', clientSeqId: 1 });
  client.processRequest(request, PATIENCE_MS, {
    sessionId: 's',
    clientSeqId: 1,
    onResponse: () => outcomes.push('answered'),
    onFailure: ({ message }) => outcomes.push(message),
  });
  await until(() => outcomes.length > 0);
  expect([outcomes, streams]).toEqual([['answered'], 2]);
});
