import { afterEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { FakeConnection } from '../support/fake-gateway.js';
import { turns } from '../support/fake-gateway.js';
import { ClientBench } from '../support/client-bench.js';
import { encodePushBody, encodePushFrame } from '../../src/wire/frame-encoder.js';
import {
  BusinessResponse,
  ErrorMessage,
  HeartbeatResponse,
  StartResponse,
  encodeMessage,
} from '../../src/wire/messages.js';

/** Every case is a whole conversation, so the long form is shorter than that of a plain decoder. */
const numRuns = Math.min(Number(process.env['FUZZ_RUNS'] ?? 400), 20_000);

const code = fc.oneof(
  fc.constantFrom(0, 400, 401, 403, 408, 409, 410, 413, 421, 429, 500, 503, 504),
  fc.integer(),
);
const seq = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.maxSafeNat());
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc
    .record({ code, message: fc.string(), data: fc.uint8Array({ maxLength: 20 }) })
    .map((fields) => encodeMessage(BusinessResponse, fields)),
  fc
    .record({ errorCode: code, errorMessage: fc.string(), detail: fc.string() })
    .map((fields) => encodeMessage(ErrorMessage, fields)),
  fc
    .record({
      success: fc.boolean(),
      heartbeatInterval: fc.integer(),
      connectionId: fc.constantFrom('s-1', 's-2', ''),
      nextClientSeq: seq,
      nextPushSeq: seq,
      recovered: fc.boolean(),
      epoch: seq,
    })
    .map((fields) => encodeMessage(StartResponse, fields)),
  fc.record({ clientTimestamp: fc.integer() }).map((f) => encodeMessage(HeartbeatResponse, f)),
);

const frame = fc
  .record({
    msgId: fc.integer({ min: 0, max: 6 }),
    seqId: seq,
    type: fc.integer({ min: 0, max: 6 }),
    payload,
    headers: fc.dictionary(fc.string({ maxLength: 4 }), fc.string({ maxLength: 4 }), {
      maxKeys: 2,
    }),
  })
  .map(({ msgId, seqId, type, payload: bytes, headers }) =>
    encodePushFrame(msgId, seqId, encodePushBody(type, bytes, headers)),
  );
const anything = fc.oneof(
  { weight: 6, arbitrary: frame },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 60 }) },
);

const rejections: unknown[] = [];
const onRejection = (reason: unknown): void => void rejections.push(reason);
process.on('unhandledRejection', onRejection);
let bench: ClientBench | null = null;

afterEach(() => {
  bench?.client.close();
  expect(rejections).toEqual([]);
});

/** A conversation in which the gateway sends these frames; whatever they are, no request stays undecided. */
async function converse(frames: Uint8Array[], instead: 'of START_RESP' | 'afterwards') {
  const own = (bench = new ClientBench({ requestTimeoutMs: 4_000, connectTimeoutMs: 2_000 }));
  const { client, gateway } = own;
  const { onStart } = gateway;
  const flood = (connection: FakeConnection): void => {
    for (const bytes of frames) connection.link.send(bytes);
  };
  if (instead === 'of START_RESP') {
    gateway.onStart = (connection) => {
      gateway.onStart = onStart;
      flood(connection);
    };
  }
  const outcomes = [ClientBench.codeOf(client.connect()), ClientBench.codeOf(client.request('a'))];
  await turns(6);
  if (instead === 'afterwards' && gateway.connections.length > 0) flood(gateway.last);
  outcomes.push(ClientBench.codeOf(client.request('b')));
  for (let step = 0; step < 9; step++) {
    own.clock.advance(500);
    await turns(4);
  }
  const decided = await Promise.race([
    Promise.all(outcomes).then(() => true),
    turns(50).then(() => false),
  ]);
  expect(decided).toBe(true);
  client.close();
  own.clock.advance(1_000);
  expect(client.state).toBe('closed');
  expect([own.clock.pending, client.inFlight, client.queued]).toEqual([0, 0, 0]);
}

describe('whatever a gateway sends', () => {
  it('after START_RESP, the client lives on, every request is decided, nothing is left behind', async () => {
    const frames = fc.array(anything, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(frames, (sent) => converse(sent, 'afterwards')),
      { numRuns },
    );
  }, 600_000);

  it('instead of START_RESP, the same', async () => {
    const frames = fc.array(anything, { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(frames, (sent) => converse(sent, 'of START_RESP')),
      { numRuns: Math.ceil(numRuns / 2) },
    );
  }, 600_000);
});
