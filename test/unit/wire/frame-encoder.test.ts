import { describe, expect, it } from '@jest/globals';
import {
  encodePushBody,
  encodePushFrame,
  encodeRequestFrame,
  pushBodyOf,
} from '../../../src/wire/frame-encoder.js';
import { MAX_BODY_BYTES, MAX_FRAME_BYTES } from '../../../src/wire/limits.js';
import {
  ClientRequest,
  PushType,
  RequestType,
  ServerPush,
  decodeMessage,
} from '../../../src/wire/messages.js';
import { Uint64RangeError } from '../../../src/wire/uint64.js';

const payload = Buffer.from('payload');

describe('encodePushFrame', () => {
  it('writes the bytes of WIRE.md: length, msg_id, seq_id, type, payload, headers', () => {
    const body = encodePushBody(PushType.PUSH_BUSINESS_DATA, Buffer.from('hi'), { a: 'b' });
    const frame = encodePushFrame(1, 300, body);
    const expected = '00000013' + '0801' + '10ac02' + '1803' + '22026869' + '2a060a0161120162';
    expect(Buffer.from(frame).toString('hex')).toBe(expected);
  });

  it('leaves out numbers that are 0, as proto3 does', () => {
    const frame = encodePushFrame(0, 0, encodePushBody(PushType.PUSH_ERROR, Buffer.from('x')));
    expect(Buffer.from(frame).toString('hex')).toBe('00000005' + '1804' + '220178');
  });

  it.each([
    [1, 1],
    [127, 128],
    [128, 127],
    [2 ** 31, 2 ** 31],
    [2 ** 32 - 1, 2 ** 32 - 1],
    [2 ** 32 - 1, 2 ** 32],
    [5, 2 ** 49],
    [5, 2 ** 52],
    [5, Number.MAX_SAFE_INTEGER],
  ])('carries msg_id %d and seq_id %d', (msgId, seqId) => {
    const body = encodePushBody(PushType.PUSH_BUSINESS_DATA, payload);
    const frame = encodePushFrame(msgId, seqId, body);
    expect(Buffer.from(frame).readUInt32BE(0)).toBe(frame.length - 4);
    const push = decodeMessage(ServerPush, frame.subarray(4));
    expect([push.msgId, push.seqId]).toEqual([msgId, seqId]);
    expect(Buffer.from(push.payload)).toEqual(payload);
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('refuses seq_id %d', (seqId) => {
    const body = encodePushBody(PushType.PUSH_BUSINESS_DATA, payload);
    expect(() => encodePushFrame(0, seqId, body)).toThrow(Uint64RangeError);
  });

  it('keeps the largest body within the limit of a frame, whatever the numbers', () => {
    const body = new Uint8Array(MAX_BODY_BYTES);
    const frame = encodePushFrame(2 ** 32 - 1, Number.MAX_SAFE_INTEGER, body);
    expect(frame.length - 4).toBe(MAX_FRAME_BYTES);
  });
});

describe('pushBodyOf', () => {
  it.each([
    [0, 0],
    [0, 8],
    [8, 0],
    [16, 16],
    [0x0810, 0x1008],
    [2 ** 32 - 1, Number.MAX_SAFE_INTEGER],
  ])('gives back the body behind msg_id %d and seq_id %d', (msgId, seqId) => {
    const body = encodePushBody(PushType.PUSH_BUSINESS_DATA, payload, { zone: '001' });
    expect(Buffer.from(pushBodyOf(encodePushFrame(msgId, seqId, body)))).toEqual(Buffer.from(body));
  });

  it('does not copy', () => {
    const frame = encodePushFrame(1, 1, encodePushBody(PushType.PUSH_ERROR, payload));
    expect(pushBodyOf(frame).buffer).toBe(frame.buffer);
  });
});

describe('encodeRequestFrame', () => {
  it('writes a whole frame that holds the request', () => {
    const frame = encodeRequestFrame({
      msgId: 7,
      seqId: 2 ** 40,
      type: RequestType.REQUEST_BUSINESS,
      payload,
      headers: { trace: 'abc' },
      openid: 'alice',
    });
    expect(Buffer.from(frame).readUInt32BE(0)).toBe(frame.length - 4);
    const request = decodeMessage(ClientRequest, frame.subarray(4));
    expect(request).toMatchObject({ msgId: 7, seqId: 2 ** 40, type: 4, openid: 'alice' });
    expect({ ...request.headers }).toEqual({ trace: 'abc' });
  });
});
