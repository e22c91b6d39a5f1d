import { describe, expect, test } from '@jest/globals';
import {
  HeartbeatRequest,
  HeartbeatResponse,
  PushType,
  RequestType,
  ServerPush,
  decodeFromClient,
} from '../../../src/wire/messages.js';
import { SessionHarness } from '../../support/session-harness.js';

/** The varint of 2^64 - 1, which no JavaScript number is. */
const MOST = Buffer.from('ffffffffffffffffff01', 'hex');

/** A message of one field, a number. */
function numbered(field: number, varint: Buffer): Buffer {
  return Buffer.concat([Buffer.from([field << 3]), varint]);
}

/** A frame of type REQUEST_BUSINESS with msg_id 9. */
function businessFrame(seqId: Buffer): Buffer {
  const message = Buffer.concat([
    Buffer.from([0x08, 9]),
    numbered(2, seqId),
    Buffer.from([0x18, 4]),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}

describe('a number above 2^53', () => {
  test('as last_acked_seq_id is a START refused with START_RESP', () => {
    const client = new SessionHarness().client();
    const start = Buffer.concat([Buffer.from([0x0a, 1, 0x61]), numbered(3, MOST)]);
    client.frame(RequestType.REQUEST_START, start, 5, 0);
    expect(client.received).toHaveLength(1);
    expect(client.last).toMatchObject({ type: PushType.PUSH_START_RESP, msgId: 5, code: 400 });
  });

  test('as seen_epoch of a gateway without a peer is ignored', () => {
    const client = new SessionHarness().client();
    const seenEpoch = Buffer.concat([Buffer.from([0x88, 0x01]), MOST]);
    const start = Buffer.concat([Buffer.from([0x0a, 1, 0x61]), seenEpoch]);
    client.frame(RequestType.REQUEST_START, start, 5, 0);
    expect(client.started).toMatchObject({ success: true });
  });

  test('acknowledges nothing: 400, the connection stays', () => {
    const harness = new SessionHarness();
    const client = harness.started();
    harness.pushTexts('alice', 'kept');
    client.frame(RequestType.REQUEST_ACK, numbered(1, MOST), 6, 0);
    expect(client.last).toMatchObject({ type: PushType.PUSH_ERROR, msgId: 6, code: 400 });
    expect(client.closed).toBeNull();
    client.link.lose();
    expect(
      harness.started('alice', { resumeSessionId: client.started.connectionId }).texts,
    ).toEqual(['kept']);
  });

  test('as the seq_id of a business frame is 400 and consumes nothing', () => {
    const harness = new SessionHarness();
    const client = harness.started().raw(businessFrame(MOST));
    expect(client.last).toMatchObject({ type: PushType.PUSH_ERROR, msgId: 9, code: 400 });
    expect(client.business(1).closed).toBeNull();
    expect(harness.router.seen).toMatchObject([{ clientSeq: 1 }]);
  });

  test('as client_timestamp comes back rounded', () => {
    const client = new SessionHarness().started();
    const frames: Buffer[] = [];
    client.onFrame = (bytes) => frames.push(Buffer.from(bytes));
    const nanoseconds = Buffer.from('9580a0d7f9fcb4cc17', 'hex');
    client.frame(RequestType.REQUEST_HEARTBEAT, numbered(1, nanoseconds), 7, 0);
    expect(frames).toHaveLength(1);
    const { type, payload } = decodeFromClient(ServerPush, frames[0] ?? MOST);
    expect(type).toBe(PushType.PUSH_HEARTBEAT_RESP);
    const sent = decodeFromClient(HeartbeatRequest, numbered(1, nanoseconds)).clientTimestamp;
    expect(sent).toBeGreaterThan(2 ** 60);
    expect(decodeFromClient(HeartbeatResponse, payload).clientTimestamp).toBe(sent);
    expect(client.closed).toBeNull();
  });
});
