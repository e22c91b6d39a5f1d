import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { ErrorCode, describeError } from '../../../src/wire/error-catalogue.js';
import { FrameDecoder } from '../../../src/wire/frame-decoder.js';
import {
  encodePushBody,
  encodePushFrame,
  encodeRequestFrame,
} from '../../../src/wire/frame-encoder.js';
import {
  BusinessRequest,
  BusinessResponse,
  ClientAck,
  ClientRequest,
  ErrorMessage,
  HeartbeatRequest,
  HeartbeatResponse,
  PushType,
  RequestType,
  ServerPush,
  StartRequest,
  StartResponse,
  StopRequest,
  decodeMessage,
  encodeMessage,
} from '../../../src/wire/messages.js';
import { annotateFrame, bytesOfAnnotated, edgeTypes, messageType } from './annotated-frame.js';
import { EXAMPLES } from './protocol-examples.js';

const page = readFileSync('docs/PROTOCOL.md', 'utf8');

interface Shown {
  readonly title: string;
  readonly message: string;
  readonly text: string;
}

/** Every annotated frame of the page, with the heading above it. */
const shown: Shown[] = page.split('\n#### ').flatMap((part) => {
  const [, message = '', text = ''] = /```frame (\w+)\n([^`]*)\n```/.exec(part) ?? [];
  return text === '' ? [] : [{ title: part.split('\n')[0] ?? '', message, text }];
});

/** The cells of every row of the table whose head begins like this, or that follows this line. */
function table(begin: string): string[][] {
  const [, after = ''] = page.split(`\n${begin}`);
  const rows = after.slice(after.indexOf('|---')).split('\n').slice(1);
  const end = rows.findIndex((row) => !row.startsWith('|'));
  return rows.slice(0, end).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** Decodes with the gateway's codecs and encodes what came out. */
function againRequest(bytes: Uint8Array): Uint8Array {
  const request = decodeMessage(ClientRequest, bytes);
  const { payload } = request;
  const content = {
    [RequestType.REQUEST_START]: () =>
      encodeMessage(StartRequest, decodeMessage(StartRequest, payload)),
    [RequestType.REQUEST_STOP]: () =>
      encodeMessage(StopRequest, decodeMessage(StopRequest, payload)),
    [RequestType.REQUEST_HEARTBEAT]: () =>
      encodeMessage(HeartbeatRequest, decodeMessage(HeartbeatRequest, payload)),
    [RequestType.REQUEST_BUSINESS]: () =>
      encodeMessage(BusinessRequest, decodeMessage(BusinessRequest, payload)),
    [RequestType.REQUEST_ACK]: () => encodeMessage(ClientAck, decodeMessage(ClientAck, payload)),
    [RequestType.REQUEST_UNKNOWN]: () => payload,
  }[request.type]();
  return encodeRequestFrame(new ClientRequest({ ...request, payload: content }));
}

function againPush(bytes: Uint8Array): Uint8Array {
  const { msgId, seqId, type, payload, headers } = decodeMessage(ServerPush, bytes);
  const content = {
    [PushType.PUSH_START_RESP]: () =>
      encodeMessage(StartResponse, decodeMessage(StartResponse, payload)),
    [PushType.PUSH_HEARTBEAT_RESP]: () =>
      encodeMessage(HeartbeatResponse, decodeMessage(HeartbeatResponse, payload)),
    [PushType.PUSH_BUSINESS_DATA]: () =>
      encodeMessage(BusinessResponse, decodeMessage(BusinessResponse, payload)),
    [PushType.PUSH_ERROR]: () => encodeMessage(ErrorMessage, decodeMessage(ErrorMessage, payload)),
    [PushType.PUSH_UNKNOWN]: () => payload,
  }[type]();
  return encodePushFrame(msgId, seqId, encodePushBody(type, content, headers));
}

describe('the examples of docs/PROTOCOL.md', () => {
  it('are all there, in order', () => {
    expect(shown.map(({ title, message }) => [title, message])).toEqual(
      EXAMPLES.map(({ title, message }) => [title, message]),
    );
  });

  it.each(EXAMPLES)('$title is what is really sent, field by field', (example) => {
    const text = shown.find(({ title }) => title === example.title)?.text;
    expect(text).toBe(annotateFrame(example.frame, example.message));
  });

  it.each(shown)('$title is read whole, and written the same again', ({ message, text }) => {
    const bytes = bytesOfAnnotated(text);
    const decoder = new FrameDecoder();
    decoder.feed(bytes);
    const frame = decoder.next() ?? new Uint8Array(0);
    expect(frame).toHaveLength(bytes.length - 4);
    expect(decoder.midFrame).toBe(false);
    const again = message === 'ClientRequest' ? againRequest(frame) : againPush(frame);
    expect(Buffer.from(again).toString('hex')).toBe(bytes.toString('hex'));
  });

  it('show every type of frame', () => {
    const types = new Set(shown.map(({ text }) => /\btype (\w+)/.exec(text)?.[1]));
    const all = [...Object.keys(RequestType), ...Object.keys(PushType)];
    const named = all.filter((name) => /^[A-Z]/.test(name) && !name.endsWith('_UNKNOWN'));
    expect([...types].sort()).toEqual(named.sort());
  });
});

describe('the tables of docs/PROTOCOL.md', () => {
  const messages = edgeTypes().filter((type) => type instanceof protobuf.Type);

  it.each(messages.map(({ name }) => name))('%s has exactly these fields', (name) => {
    const rows = table(`\`${name}\`\n`).map(([number, field, type]) => [number, field, type]);
    const fields = messageType(name).fieldsArray.map((field) => [
      String(field.id),
      field.name,
      field instanceof protobuf.MapField ? `map<${field.keyType}, ${field.type}>` : field.type,
    ]);
    expect(rows).toEqual(fields);
  });

  it.each(['RequestType', 'PushType'])('%s has exactly these values', (name) => {
    const values = edgeTypes().find((type) => type.name === name) as protobuf.Enum;
    const rows = table(`| ${name} |`).map(([value, number]) => [value, Number(number)]);
    expect(rows).toEqual(Object.entries(values.values));
  });

  it('has the reasons of STOP', () => {
    const { Reason } = StopRequest;
    const names = Object.keys(Reason).filter((name) => /^[A-Z]/.test(name));
    const text = names.map((name) => `${name} ${Reason[name as keyof typeof Reason]}`).join(', ');
    expect(table('`StopRequest`\n')[0]?.[3]).toContain(text);
  });

  it('has every error code, its name, and whether a client may come back', () => {
    const rows = table('| code | name |').map(([code, name, back]) => [Number(code), name, back]);
    const catalogue = Object.values(ErrorCode)
      .filter((code) => code !== ErrorCode.None)
      .map((code) => {
        const entry = describeError(code);
        return [code, entry?.name, entry?.mayReconnect === true ? 'yes' : 'no'];
      });
    expect(rows).toEqual(catalogue);
  });
});
