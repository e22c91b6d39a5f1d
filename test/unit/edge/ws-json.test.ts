import { describe, expect, it } from '@jest/globals';
import protobuf from 'protobufjs';
import { WsFault } from '../../../src/websocket/ws-fault.js';
import { jsonCodec, jsonOfPush, requestOfJson } from '../../../src/edge/ws-json.js';
import { shapes } from '../../../src/edge/ws-json-shapes.js';
import type { FieldType } from '../../../src/edge/ws-json-shapes.js';
import {
  BusinessResponse,
  ClientAck,
  ClientRequest,
  HeartbeatRequest,
  HeartbeatResponse,
  PushType,
  ServerPush,
  StartRequest,
  decodeFromClient,
  decodeMessage,
  encodeMessage,
} from '../../../src/wire/messages.js';

const root = protobuf.loadSync('proto/message.proto');
root.resolveAll();

function faultOf(text: string): WsFault {
  try {
    requestOfJson(text);
  } catch (error) {
    if (error instanceof WsFault) return error;
    throw error;
  }
  throw new Error('was taken');
}

describe('the shapes', () => {
  const kind = (type: FieldType): string => {
    if (typeof type === 'string') return type;
    return 'names' in type ? 'enum' : type.shape.message;
  };

  it.each(Object.values(shapes))('$message is as proto/message.proto has it', (shape) => {
    const fields = root.lookupType(shape.message).fieldsArray;
    const ordered = [...fields].sort((left, right) => left.id - right.id);
    expect(shape.fields.map(({ name, type }) => [name, kind(type)])).toEqual(
      ordered.map((field) => {
        if (field instanceof protobuf.MapField) return [field.name, 'map'];
        if (field.resolvedType instanceof protobuf.Enum) return [field.name, 'enum'];
        return [field.name, field.type];
      }),
    );
    const original = ordered.map(({ name }) =>
      name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
    );
    for (const name of original) expect(shape.byName.has(name)).toBe(true);
  });

  it('are all messages of proto/message.proto', () => {
    const messages = root.lookup('gatesvr.proto') as protobuf.Namespace;
    const names = messages.nestedArray.filter((one) => one instanceof protobuf.Type);
    expect(names.map(({ name }) => name).sort()).toEqual(Object.keys(shapes).sort());
  });
});

describe('a request', () => {
  it('has its payload under its own name', () => {
    const text = `{"msgId":1,"openid":"alice","startRequest":{"openid":"alice","lastAckedSeqId":"9007199254740991"}}`;
    const request = decodeMessage(ClientRequest, requestOfJson(text));
    expect(request).toMatchObject({ msgId: 1, type: 1, openid: 'alice', seqId: 0 });
    expect(decodeMessage(StartRequest, request.payload)).toMatchObject({
      openid: 'alice',
      lastAckedSeqId: Number.MAX_SAFE_INTEGER,
    });
  });

  it('keeps a header named __proto__', () => {
    const bytes = requestOfJson('{"msgId":1,"headers":{"__proto__":"a","toString":"b"}}');
    const { headers } = decodeMessage(ClientRequest, bytes);
    expect(Object.entries(headers)).toEqual([
      ['__proto__', 'a'],
      ['toString', 'b'],
    ]);
  });

  it.each([
    ['not JSON', '{', 1007, 'the text is not JSON'],
    ['empty', '', 1007, 'the text is not JSON'],
    ['an array', '[]', 4400, 'must be an object'],
    ['null', 'null', 4400, 'must be an object'],
    ['nothing', '{}', 4400, 'frame of length 0'],
    ['a misspelt field', '{"msgid":1}', 4400, 'ClientRequest has no field "msgid"'],
    [
      'a misspelt field of the payload',
      '{"businessRequest":{"Action":"x"}}',
      4400,
      'businessRequest: BusinessRequest has no field "Action"',
    ],
    ['a field twice', '{"msgId":1,"msg_id":2}', 4400, 'msg_id: is given twice'],
    [
      'two payloads',
      '{"clientAck":{},"stopRequest":{}}',
      4400,
      'stopRequest: a request has one payload, this is another',
    ],
    ['payload beside a message', '{"clientAck":{},"payload":""}', 4400, 'payload: is given twice'],
    [
      'a type that contradicts',
      '{"clientAck":{},"type":"REQUEST_STOP"}',
      4400,
      'clientAck: is not what type says',
    ],
    [
      'an unknown type',
      '{"type":"START"}',
      4400,
      'type: must be one of REQUEST_UNKNOWN, REQUEST_START, REQUEST_STOP, REQUEST_HEARTBEAT, REQUEST_BUSINESS, REQUEST_ACK',
    ],
    ['a fraction', '{"msgId":1.5}', 4400, 'msgId: must be an integer from 0 to 4294967295'],
    ['a negative id', '{"msgId":-1}', 4400, 'msgId: must be an integer from 0 to 4294967295'],
    [
      'a number of more than 64 bits',
      '{"seqId":"20000000000000000000"}',
      4400,
      'seqId: must be an integer from 0 to 18446744073709552000',
    ],
    ['a number in words', '{"seqId":"0x10"}', 4400, /seqId: must be an integer/],
    ['text for an object', '{"headers":"x"}', 4400, 'headers: must be an object'],
    ['a number in a map', '{"headers":{"a":1}}', 4400, 'headers["a"]: must be a string'],
    [
      'a map of too many entries',
      JSON.stringify({
        headers: Object.fromEntries(Array.from({ length: 1_025 }, (_, n) => [n, ''])),
      }),
      4400,
      'headers: has 1025 entries, the limit is 1024',
    ],
    ['half a character', '{"openid":"\\ud800"}', 4400, 'openid: has half of a surrogate pair'],
    ['no base64', '{"payload":"***"}', 4400, 'payload: must be base64'],
    ['base64 of no length', '{"payload":"AAAAA"}', 4400, 'payload: must be base64'],
  ])('is refused where it is %s', (_what, text, closeCode, message) => {
    const fault = faultOf(text);
    expect(fault.code).toBe(400);
    expect(fault.closeCode).toBe(closeCode);
    if (typeof message === 'string') expect(fault.message).toBe(message);
    else expect(fault.message).toMatch(message);
  });

  it.each([
    ['9007199254740993', 2 ** 53],
    ['18446744073709551615', 2 ** 64],
    ['1e2', 100],
    ['1.0', 1],
    ['1.25E+2', 125],
    ['2500e-2', 25],
    ['0.0', 0],
    ['0e-7', 0],
  ])('has %s for a number of 64 bits, as text or not, rounded as in binary', (text, number) => {
    for (const given of [text, `"${text}"`]) {
      const sent = requestOfJson(`{"seqId":${given},"clientAck":{"ackedSeqId":${given}}}`);
      const { seqId, payload } = decodeFromClient(ClientRequest, sent);
      const { ackedSeqId } = decodeFromClient(ClientAck, payload);
      // The last of 64 bits may be lost; 2^64 itself would be 0.
      for (const read of [seqId, ackedSeqId]) expect(Math.abs(read - number)).toBeLessThan(4_096);
      if (number < 2 ** 53) expect([seqId, ackedSeqId]).toEqual([number, number]);
    }
  });

  it.each([
    ['-9223372036854775808', -(2 ** 63)],
    ['9223372036854775807', 2 ** 63 - 1_024],
    ['1700000000000000000', 17e17],
  ])('may have the time %s, which comes back', (given, back) => {
    const sent = requestOfJson(`{"heartbeatRequest":{"clientTimestamp":"${given}"}}`);
    const { clientTimestamp } = decodeFromClient(
      HeartbeatRequest,
      decodeFromClient(ClientRequest, sent).payload,
    );
    const payload = encodeMessage(HeartbeatResponse, { clientTimestamp });
    const type = PushType.PUSH_HEARTBEAT_RESP;
    const text = jsonOfPush(encodeMessage(ServerPush, { type, payload }));
    const { heartbeatResponse } = JSON.parse(text) as {
      heartbeatResponse: { clientTimestamp: string };
    };
    expect(Number(heartbeatResponse.clientTimestamp)).toBe(back);
  });

  it.each([
    '1.5',
    '1e-1',
    '15e-1',
    '0x10',
    '1e400',
    '01',
    '.5',
    '1.',
    ' 1',
    '',
    `1${'0'.repeat(64)}`,
  ])('has no number in the text "%s"', (text) =>
    expect(faultOf(`{"seqId":"${text}"}`).closeCode).toBe(4400),
  );

  it('repeats little of what it was sent', () => {
    expect(faultOf(`{"${'x'.repeat(10_000)}":1}`).message.length).toBeLessThan(100);
    expect(faultOf(`{"headers":{"${'x'.repeat(10_000)}":1}}`).message.length).toBeLessThan(100);
  });

  it('must be text', () => {
    expect(() => jsonCodec.decode(Buffer.from('{"msgId":1}'), true)).toThrow(
      expect.objectContaining({ code: 400, closeCode: 1003 }),
    );
  });
});

describe('a push', () => {
  it('is written in one way', () => {
    const payload = encodeMessage(BusinessResponse, {
      code: 200,
      message: '[news] hi',
      data: Buffer.from('text'),
    });
    const push = { seqId: 7, type: PushType.PUSH_BUSINESS_DATA, payload, headers: { zone: '001' } };
    expect(jsonOfPush(encodeMessage(ServerPush, push))).toBe(
      '{"msgId":0,"seqId":"7","type":"PUSH_BUSINESS_DATA","headers":{"zone":"001"},"businessResponse":{"code":200,"message":"[news] hi","data":"dGV4dA=="}}',
    );
  });

  it('of an unknown type keeps its number and its bytes', () => {
    const push = encodeMessage(ServerPush, { type: 99 as PushType, payload: Buffer.from([255]) });
    expect(jsonOfPush(push)).toBe(
      '{"msgId":0,"seqId":"0","type":99,"headers":{},"payload":"/w=="}',
    );
  });
});
