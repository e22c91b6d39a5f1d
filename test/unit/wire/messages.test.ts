import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import * as messages from '../../../src/wire/messages.js';

const { BusinessRequest, ClientRequest, ServerPush, StartRequest } = messages;
const { decodeMessage, encodeMessage } = messages;

/** A message of field 2 (params) whose only entry has this key. */
function withParam(key: string, value: string): Buffer {
  const text = (field: number, content: string): Buffer =>
    Buffer.concat([
      Buffer.from([(field << 3) | 2, Buffer.byteLength(content)]),
      Buffer.from(content),
    ]);
  const entry = Buffer.concat([text(1, key), text(2, value)]);
  return Buffer.concat([Buffer.from([0x12, entry.length]), entry]);
}

describe('decodeMessage', () => {
  it('gives every field its default when nothing was sent', () => {
    const request = decodeMessage(ClientRequest, new Uint8Array(0));
    expect(request).toMatchObject({ msgId: 0, seqId: 0, type: 0, openid: '' });
    expect(request.payload.length).toBe(0);
    expect(Object.keys(request.headers)).toEqual([]);
  });

  it('aliases the bytes it was given', () => {
    const bytes = Buffer.from(encodeMessage(ServerPush, { payload: Buffer.from('payload') }));
    expect(decodeMessage(ServerPush, bytes).payload.buffer).toBe(bytes.buffer);
  });

  it('skips fields it does not know, of every wire type', () => {
    const unknown = 'f80701' + 'f9070102030405060708' + 'fa0702ffff' + 'fd0701020304';
    const group = 'fb07' + '0801' + 'fc07';
    const bytes = Buffer.from('0a0161' + unknown + group + '120162', 'hex');
    const start = decodeMessage(StartRequest, bytes);
    expect([start.openid, start.authToken]).toEqual(['a', 'b']);
    expect(Object.keys(start)).toEqual(['openid', 'authToken']);
  });

  it('skips a known field under a wire type that is not its own', () => {
    expect(decodeMessage(StartRequest, Buffer.from('08010a0161', 'hex')).openid).toBe('a');
  });

  it('takes the last of a field that was sent twice', () => {
    expect(decodeMessage(StartRequest, Buffer.from('0a01610a0162', 'hex')).openid).toBe('b');
  });

  it('keeps an enum value it does not know', () => {
    expect(decodeMessage(ClientRequest, Buffer.from('1863', 'hex')).type).toBe(99);
  });

  it.each([
    ['a cut length', '0a'],
    ['a field longer than the message', '0a0561'],
    ['field number 0', '0001'],
    ['wire type 6', '0e'],
    ['wire type 7', '0f'],
    ['an end of a group that never began', '0c'],
    ['a group that never ends', 'fb070801'],
    ['a group ended by another', 'fb07f407'],
    ['text that is no UTF-8', '0a02c328'],
    ['a lone surrogate in UTF-8', '0a03eda080'],
  ])('refuses %s', (_what, hex) => {
    expect(() => decodeMessage(StartRequest, Buffer.from(hex, 'hex'))).toThrow();
  });

  it('refuses groups in groups without using up the stack', () => {
    const bytes = Buffer.from('fb07'.repeat(100_000), 'hex');
    expect(() => decodeMessage(StartRequest, bytes)).toThrow('max depth');
  });

  it('keeps text as it was sent, a byte order mark included', () => {
    for (const openid of ['\ufeffalice', 'e\u0301', '\u0000', '\u{1f600}', 'ünï']) {
      const bytes = Buffer.concat([
        Buffer.from([0x0a, Buffer.byteLength(openid)]),
        Buffer.from(openid),
      ]);
      expect(decodeMessage(StartRequest, bytes).openid).toBe(openid);
    }
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', ''])(
    'takes the map key "%s" for a key and nothing else',
    (key) => {
      const { params } = decodeMessage(BusinessRequest, withParam(key, 'polluted'));
      expect(Object.keys(params)).toEqual([key]);
      expect(Object.getOwnPropertyDescriptor(params, key)?.value).toBe('polluted');
      expect(Object.getPrototypeOf(params)).toBe(Object.prototype);
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    },
  );

  it('does not let one message see the map of another', () => {
    const first = decodeMessage(BusinessRequest, withParam('a', '1'));
    const second = decodeMessage(BusinessRequest, new Uint8Array(0));
    expect({ ...first.params }).toEqual({ a: '1' });
    expect({ ...second.params }).toEqual({});
    expect({ ...new BusinessRequest().params }).toEqual({});
  });
});

describe('the messages and WIRE.md', () => {
  /** Numbers that deployed peers speak; written down here a second time so that no edit moves one. */
  const fields: Record<string, string> = {
    ClientRequest: 'msg_id 1, seq_id 2, type 3, payload 4, headers 5, openid 6',
    ServerPush: 'msg_id 1, seq_id 2, type 3, payload 4, headers 5',
    StartRequest: `openid 1, auth_token 2, last_acked_seq_id 3, resume_session_id 16, seen_epoch 17,
      epoch_proof 18`,
    StartResponse: `success 1, error 2, heartbeat_interval 3, connection_id 4, resumed 16,
      recovered 17, next_client_seq 18, epoch 19, next_push_seq 20, epoch_proof 21`,
    StopRequest: 'reason 1',
    HeartbeatRequest: 'client_timestamp 1',
    HeartbeatResponse: 'client_timestamp 1, server_timestamp 2',
    BusinessRequest: 'action 1, params 2, data 3',
    BusinessResponse: 'code 1, message 2, data 3',
    ErrorMessage: 'error_code 1, error_message 2, detail 3',
    ClientAck: 'acked_seq_id 1',
    UpstreamRequest: `session_id 1, openid 2, action 3, params 4, data 5, headers 6,
      client_seq_id 7, timeout_ms 16`,
    UpstreamResponse: 'code 1, message 2, data 3, headers 4, client_seq_id 5, session_id 16',
    StatusRequest: 'service_name 1',
    StatusResponse: 'status 1, uptime 2, active_connections 3, metadata 4',
    UnicastPushRequest: `target_type 1, target_id 2, msg_type 3, title 4, content 5, data 6,
      metadata 7, sync_hint 8, bind_client_seq_id 9, idempotency_key 16, best_effort 17, session_only 18`,
    UnicastPushResponse: 'success 1, message 2, error_code 3',
    BroadcastRequest: `msg_type 1, title 2, content 3, data 4, metadata 5, zone_ids 16, openids 17,
      session_ids 18`,
    BroadcastResponse: 'sent_count 1, message 2',
    UpstreamRegisterRequest: 'address 1, zone_id 2, service_name 3, capabilities 16',
    UpstreamRegisterResponse: 'success 1, message 2, error_code 3',
  };
  const root = new protobuf.Root();
  for (const file of ['message', 'upstream']) {
    protobuf.parse(readFileSync(`proto/${file}.proto`, 'utf8'), root, { keepCase: true });
  }

  it.each(Object.keys(fields))('agree on the field numbers of %s', (name) => {
    const type = root.lookupType(`gatesvr.proto.${name}`);
    const actual = type.fieldsArray.map((field) => `${field.name} ${field.id}`).join(', ');
    expect(actual).toBe((fields[name] as string).replace(/\s+/g, ' '));
  });

  it('agree on the values of the enums', () => {
    expect({ ...messages.RequestType }).toMatchObject({
      REQUEST_UNKNOWN: 0,
      REQUEST_START: 1,
      REQUEST_STOP: 2,
      REQUEST_HEARTBEAT: 3,
      REQUEST_BUSINESS: 4,
      REQUEST_ACK: 5,
    });
    expect({ ...messages.PushType }).toMatchObject({
      PUSH_UNKNOWN: 0,
      PUSH_START_RESP: 1,
      PUSH_HEARTBEAT_RESP: 2,
      PUSH_BUSINESS_DATA: 3,
      PUSH_ERROR: 4,
    });
    expect({ ...messages.NotifySyncHint }).toMatchObject({
      NSH_IMMEDIATELY: 0,
      NSH_BEFORE_RESPONSE: 1,
      NSH_AFTER_RESPONSE: 2,
    });
    expect({ ...messages.StopRequest.Reason }).toMatchObject({
      UNKNOWN: 0,
      USER_LOGOUT: 1,
      APP_CLOSE: 2,
      SWITCH_ACCOUNT: 3,
    });
  });
});
