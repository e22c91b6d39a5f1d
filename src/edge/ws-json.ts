import { ErrorCode } from '../wire/error-catalogue.js';
import type { Frame } from '../wire/frame-encoder.js';
import { FRAME_PREFIX_BYTES } from '../wire/limits.js';
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
  decodeFromClient,
  decodeMessage,
} from '../wire/messages.js';
import { checkedFrame } from '../websocket/ws-codec.js';
import type { WsCodec } from '../websocket/ws-codec.js';
import { WsCloseCode, WsFault } from '../websocket/ws-fault.js';
import { asObject, quoted, readField, readMessage, refuse } from './ws-json-reader.js';
import type { Properties } from './ws-json-reader.js';
import { shapes } from './ws-json-shapes.js';
import type { Field, Shape } from './ws-json-shapes.js';
import { writeField, writeMessage } from './ws-json-writer.js';

/** A payload message of a request, and the member that carries it in place of `payload`. */
interface RequestPayload {
  readonly type: RequestType;
  readonly shape: Shape;
  encode(message: Properties): Uint8Array;
}

/** A payload message of a push, likewise. */
interface PushPayload {
  readonly member: string;
  readonly shape: Shape;
  decode(bytes: Uint8Array): object;
}

/** Members are the names of the messages in lowerCamelCase, as fields of these types would be. */
const requestPayloads: ReadonlyMap<string, RequestPayload> = new Map<string, RequestPayload>([
  [
    'startRequest',
    {
      type: RequestType.REQUEST_START,
      shape: shapes.StartRequest,
      encode: (message) => StartRequest.encode(message).finish(),
    },
  ],
  [
    'stopRequest',
    {
      type: RequestType.REQUEST_STOP,
      shape: shapes.StopRequest,
      encode: (message) => StopRequest.encode(message).finish(),
    },
  ],
  [
    'heartbeatRequest',
    {
      type: RequestType.REQUEST_HEARTBEAT,
      shape: shapes.HeartbeatRequest,
      encode: (message) => HeartbeatRequest.encode(message).finish(),
    },
  ],
  [
    'businessRequest',
    {
      type: RequestType.REQUEST_BUSINESS,
      shape: shapes.BusinessRequest,
      encode: (message) => BusinessRequest.encode(message).finish(),
    },
  ],
  [
    'clientAck',
    {
      type: RequestType.REQUEST_ACK,
      shape: shapes.ClientAck,
      encode: (message) => ClientAck.encode(message).finish(),
    },
  ],
]);

const pushPayloads: ReadonlyMap<PushType, PushPayload> = new Map<PushType, PushPayload>([
  [
    PushType.PUSH_START_RESP,
    {
      member: 'startResponse',
      shape: shapes.StartResponse,
      decode: (bytes) => decodeMessage(StartResponse, bytes),
    },
  ],
  [
    PushType.PUSH_HEARTBEAT_RESP,
    {
      member: 'heartbeatResponse',
      shape: shapes.HeartbeatResponse,
      // It repeats a client's number, which may be above 2^53.
      decode: (bytes) => decodeFromClient(HeartbeatResponse, bytes),
    },
  ],
  [
    PushType.PUSH_BUSINESS_DATA,
    {
      member: 'businessResponse',
      shape: shapes.BusinessResponse,
      decode: (bytes) => decodeMessage(BusinessResponse, bytes),
    },
  ],
  [
    PushType.PUSH_ERROR,
    {
      member: 'errorMessage',
      shape: shapes.ErrorMessage,
      decode: (bytes) => decodeMessage(ErrorMessage, bytes),
    },
  ],
]);

/** The members of a push that are written as they are; the payload is not. */
const pushEnvelope: readonly Field[] = shapes.ServerPush.fields.filter(
  ({ name }) => name !== 'payload',
);

/**
 * The protobuf of the ClientRequest that a JSON text says (docs/PROTOCOL.md, "WebSocket"). The
 * payload is base64 in `payload`, or the message itself under its name, and then `type` may be absent.
 * @throws {WsFault} 400, or 413, and nothing else.
 */
export function requestOfJson(text: string): Uint8Array {
  const request: Properties = {};
  let nested: { readonly member: string; readonly type: RequestType } | null = null;
  for (const [name, value] of Object.entries(asObject(parse(text), ''))) {
    const payload = requestPayloads.get(name) ?? requestPayloads.get(camelCase(name));
    const field = shapes.ClientRequest.byName.get(name);
    if (payload !== undefined && value !== null) {
      if ('payload' in request) throw refuse(name, 'a request has one payload, this is another');
      request['payload'] = payload.encode(readMessage(payload.shape, value, name));
      nested = { member: name, type: payload.type };
    } else if (payload === undefined) {
      if (field === undefined) throw refuse('', `ClientRequest has no field ${quoted(name)}`);
      readField(request, field, value, name);
    }
  }
  if (nested !== null) {
    request['type'] ??= nested.type;
    if (request['type'] !== nested.type) throw refuse(nested.member, 'is not what type says');
  }
  return checkedFrame(ClientRequest.encode(request).finish());
}

/**
 * The JSON text of a ServerPush, without its prefix. A payload that is not what `type` says, or whose
 * type has no message, is written as base64 in `payload`.
 * @throws {Error} where the bytes are no ServerPush; the gateway's own frames always are.
 */
export function jsonOfPush(bytes: Uint8Array): string {
  const push = decodeMessage(ServerPush, bytes);
  const written: Record<string, unknown> = {};
  for (const field of pushEnvelope) written[field.name] = writeField(field, push);
  const payload = pushPayloads.get(push.type);
  const message = payload === undefined ? null : decodedOrNull(payload, push.payload);
  if (payload === undefined || message === null) {
    written['payload'] = Buffer.from(push.payload).toString('base64');
  } else {
    written[payload.member] = writeMessage(payload.shape, message);
  }
  return JSON.stringify(written);
}

/** Subprotocol `gatesvr.json`: a text message is one ClientRequest or ServerPush as JSON. */
export const jsonCodec: WsCodec = {
  transport: 'websocket_json',
  encode: (frame: Frame) => jsonOfPush(frame.subarray(FRAME_PREFIX_BYTES)),
  decode: (message, binary) => {
    if (binary) {
      const reason = 'subprotocol gatesvr.json takes text messages, this was binary';
      throw new WsFault(ErrorCode.BadFrame, reason, WsCloseCode.WrongType);
    }
    return requestOfJson(message.toString('utf8'));
  },
};

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new WsFault(ErrorCode.BadFrame, 'the text is not JSON', WsCloseCode.InvalidData);
  }
}

function decodedOrNull(payload: PushPayload, bytes: Uint8Array): object | null {
  try {
    return payload.decode(bytes);
  } catch {
    return null;
  }
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
