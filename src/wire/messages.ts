/**
 * The protobuf messages of proto/*.proto under the names used in the code. The codecs are generated
 * (`make proto`); everything that comes from the network is decoded by `decodeMessage`.
 */
import type protobuf from 'protobufjs/minimal.js';
import { gatesvr, grpc } from './generated/messages.js';
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
  UpstreamRequest,
  UpstreamResponse,
  StatusRequest,
  StatusResponse,
  UnicastPushRequest,
  UnicastPushResponse,
  BroadcastRequest,
  BroadcastResponse,
  UpstreamRegisterRequest,
  UpstreamRegisterResponse,
  UpstreamDeregisterRequest,
  UpstreamDeregisterResponse,
  PushBatchRequest,
  PushBatchResponse,
  PushStreamRequest,
  PushStreamResponse,
  ProcessBatch,
  ProcessResults,
  KickClientRequest,
  KickClientResponse,
  GetClientRequest,
  GetClientResponse,
  RequestType,
  PushType,
  NotifySyncHint,
} = gatesvr.proto;
export const { StateRecord, SessionState } = gatesvr.state;
export const { JournalEntry } = gatesvr.journal;
export const {
  Sealed,
  Beat,
  FromStandby,
  FromPrimary,
  Hello,
  Opening,
  Shipment,
  Part,
  NodeRole,
  Identity,
} = gatesvr.replication;
export const { HealthCheckRequest, HealthCheckResponse } = grpc.health.v1;

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
export type UpstreamRequest = gatesvr.proto.UpstreamRequest;
export type UpstreamResponse = gatesvr.proto.UpstreamResponse;
export type StatusRequest = gatesvr.proto.StatusRequest;
export type StatusResponse = gatesvr.proto.StatusResponse;
export type UnicastPushRequest = gatesvr.proto.UnicastPushRequest;
export type UnicastPushResponse = gatesvr.proto.UnicastPushResponse;
export type BroadcastRequest = gatesvr.proto.BroadcastRequest;
export type BroadcastResponse = gatesvr.proto.BroadcastResponse;
export type UpstreamRegisterRequest = gatesvr.proto.UpstreamRegisterRequest;
export type UpstreamRegisterResponse = gatesvr.proto.UpstreamRegisterResponse;
export type UpstreamDeregisterRequest = gatesvr.proto.UpstreamDeregisterRequest;
export type UpstreamDeregisterResponse = gatesvr.proto.UpstreamDeregisterResponse;
export type PushBatchRequest = gatesvr.proto.PushBatchRequest;
export type PushBatchResponse = gatesvr.proto.PushBatchResponse;
export type PushStreamRequest = gatesvr.proto.PushStreamRequest;
export type PushStreamResponse = gatesvr.proto.PushStreamResponse;
export type ProcessBatch = gatesvr.proto.ProcessBatch;
export type ProcessResults = gatesvr.proto.ProcessResults;
export type KickClientRequest = gatesvr.proto.KickClientRequest;
export type KickClientResponse = gatesvr.proto.KickClientResponse;
export type GetClientRequest = gatesvr.proto.GetClientRequest;
export type GetClientResponse = gatesvr.proto.GetClientResponse;
export type RequestType = gatesvr.proto.RequestType;
export type PushType = gatesvr.proto.PushType;
export type NotifySyncHint = gatesvr.proto.NotifySyncHint;
export type StateRecord = gatesvr.state.StateRecord;
export type SessionState = gatesvr.state.SessionState;
export type JournalEntry = gatesvr.journal.JournalEntry;
export type Sealed = gatesvr.replication.Sealed;
export type Beat = gatesvr.replication.Beat;
export type FromStandby = gatesvr.replication.FromStandby;
export type FromPrimary = gatesvr.replication.FromPrimary;
export type Hello = gatesvr.replication.Hello;
export type Opening = gatesvr.replication.Opening;
export type Shipment = gatesvr.replication.Shipment;
export type Part = gatesvr.replication.Part;
export type Identity = gatesvr.replication.Identity;
export type NodeStanding = gatesvr.replication.NodeStanding;
export type PeerReport = gatesvr.replication.PeerReport;
export type HealthCheckRequest = grpc.health.v1.HealthCheckRequest;
export type HealthCheckResponse = grpc.health.v1.HealthCheckResponse;

/** A generated codec, narrowed to what the code uses. */
export interface MessageCodec<Decoded extends Properties, Properties> {
  encode(message: Properties, writer?: protobuf.Writer): protobuf.Writer;
  decode(reader: protobuf.Reader | Uint8Array, length?: number): Decoded;
}

/**
 * Decodes bytes from the network. Bytes fields of the result alias `bytes`.
 * @throws {Error} where they are no message of this kind, or a number is above 2^53.
 */
export function decodeMessage<Decoded extends Properties, Properties>(
  codec: MessageCodec<Decoded, Properties>,
  bytes: Uint8Array,
): Decoded {
  return codec.decode(new CheckedReader(bytes));
}

/** Encodes to bytes of its own. Numbers must be checked first (`checkedUint64`). */
export function encodeMessage<Decoded extends Properties, Properties>(
  codec: MessageCodec<Decoded, Properties>,
  message: Properties,
): Uint8Array {
  return codec.encode(message).finish();
}
