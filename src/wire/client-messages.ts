/**
 * The messages between client and gateway (proto/message.proto), and what encodes and decodes any
 * message. Everything here runs in browsers too; the server takes it from messages.ts.
 */
import type protobuf from 'protobufjs/minimal.js';
import { gatesvr } from './generated/client-messages.js';
import { CheckedReader } from './uint64.js';

export const {
  ClientRequest,
  ServerPush,
  StartRequest,
  StartResponse,
  StopRequest,
  HeartbeatRequest,
  HeartbeatResponse,
  BusinessRequest,
  BusinessResponse,
  ErrorMessage,
  ClientAck,
  RequestType,
  PushType,
} = gatesvr.proto;

export type ClientRequest = gatesvr.proto.ClientRequest;
export type ServerPush = gatesvr.proto.ServerPush;
export type StartRequest = gatesvr.proto.StartRequest;
export type StartResponse = gatesvr.proto.StartResponse;
export type StopRequest = gatesvr.proto.StopRequest;
export type HeartbeatRequest = gatesvr.proto.HeartbeatRequest;
export type HeartbeatResponse = gatesvr.proto.HeartbeatResponse;
export type BusinessRequest = gatesvr.proto.BusinessRequest;
export type BusinessResponse = gatesvr.proto.BusinessResponse;
export type ErrorMessage = gatesvr.proto.ErrorMessage;
export type ClientAck = gatesvr.proto.ClientAck;
export type RequestType = gatesvr.proto.RequestType;
export type PushType = gatesvr.proto.PushType;

/** A generated codec, narrowed to what the code uses. */
export interface MessageCodec<Decoded extends Properties, Properties> {
  encode(message: Properties, writer?: protobuf.Writer): protobuf.Writer;
  decode(reader: protobuf.Reader | Uint8Array, length?: number): Decoded;
}

/**
 * Decodes bytes from the network. Bytes fields of the result alias `bytes`.
 * @param maxFields as of CheckedReader; by default as many as there are.
 * @throws {Error} where they are no message of this kind, a number is above 2^53, or there are more fields.
 */
export function decodeMessage<Decoded extends Properties, Properties>(
  codec: MessageCodec<Decoded, Properties>,
  bytes: Uint8Array,
  maxFields?: number,
): Decoded {
  return codec.decode(new CheckedReader(bytes, maxFields));
}

/** Encodes to bytes of its own. Numbers must be checked first (`checkedUint64`). */
export function encodeMessage<Decoded extends Properties, Properties>(
  codec: MessageCodec<Decoded, Properties>,
  message: Properties,
): Uint8Array {
  return codec.encode(message).finish();
}
