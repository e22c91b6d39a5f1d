/**
 * The protobuf messages of proto/*.proto under the names used in the code. The codecs are generated
 * (`make proto`); everything that comes from the network is decoded by `decodeMessage`, or by what limits its
 * fields too.
 */
import { decodeMessage } from './client-messages.js';
import { ClientReader } from './uint64.js';
import type { MessageCodec } from './client-messages.js';
import { gatesvr, grpc } from './generated/messages.js';
import { MAX_CLIENT_FIELDS, MAX_UPSTREAM_FIELDS } from './limits.js';

export * from './client-messages.js';

export const {
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
  NotifySyncHint,
} = gatesvr.proto;
export const { StateRecord, SessionState, KeptRequest } = gatesvr.state;
export const { JournalEntry } = gatesvr.journal;
export const {
  Sealed,
  Beat,
  FromStandby,
  FromPrimary,
  Hello,
  Opening,
  Part,
  NodeRole,
  Identity,
  OfferedPush,
} = gatesvr.replication;
export const { HealthCheckRequest, HealthCheckResponse } = grpc.health.v1;

export type UpstreamRequest = gatesvr.proto.UpstreamRequest;
export type UpstreamResponse = gatesvr.proto.UpstreamResponse;
export type StatusResponse = gatesvr.proto.StatusResponse;
export type UnicastPushRequest = gatesvr.proto.UnicastPushRequest;
export type UnicastPushResponse = gatesvr.proto.UnicastPushResponse;
export type BroadcastRequest = gatesvr.proto.BroadcastRequest;
export type BroadcastResponse = gatesvr.proto.BroadcastResponse;
export type UpstreamRegisterRequest = gatesvr.proto.UpstreamRegisterRequest;
export type UpstreamRegisterResponse = gatesvr.proto.UpstreamRegisterResponse;
export type UpstreamDeregisterRequest = gatesvr.proto.UpstreamDeregisterRequest;
export type PushBatchRequest = gatesvr.proto.PushBatchRequest;
export type PushBatchResponse = gatesvr.proto.PushBatchResponse;
export type PushStreamRequest = gatesvr.proto.PushStreamRequest;
export type PushStreamResponse = gatesvr.proto.PushStreamResponse;
export type ProcessBatch = gatesvr.proto.ProcessBatch;
export type KickClientRequest = gatesvr.proto.KickClientRequest;
export type GetClientRequest = gatesvr.proto.GetClientRequest;
export type GetClientResponse = gatesvr.proto.GetClientResponse;
export type NotifySyncHint = gatesvr.proto.NotifySyncHint;
export type StateRecord = gatesvr.state.StateRecord;
export type KeptRequest = gatesvr.state.KeptRequest;
export type SessionState = gatesvr.state.SessionState;
export type JournalEntry = gatesvr.journal.JournalEntry;
export type Sealed = gatesvr.replication.Sealed;
export type Beat = gatesvr.replication.Beat;
export type FromStandby = gatesvr.replication.FromStandby;
export type FromPrimary = gatesvr.replication.FromPrimary;
export type Hello = gatesvr.replication.Hello;
export type Part = gatesvr.replication.Part;
export type OfferedPush = gatesvr.replication.OfferedPush;
export type Identity = gatesvr.replication.Identity;
export type NodeStanding = gatesvr.replication.NodeStanding;

/** As decodeMessage, but numbers above 2^53 are rounded. @throws {FieldCountError} above MAX_CLIENT_FIELDS. */
export function decodeFromClient<Decoded extends Properties, Properties>(
  codec: MessageCodec<Decoded, Properties>,
  bytes: Uint8Array,
): Decoded {
  return codec.decode(new ClientReader(bytes, MAX_CLIENT_FIELDS));
}

/** As decodeMessage, and @throws {FieldCountError} above MAX_UPSTREAM_FIELDS. */
export function decodeFromUpstream<Decoded extends Properties, Properties>(
  codec: MessageCodec<Decoded, Properties>,
  bytes: Uint8Array,
): Decoded {
  return decodeMessage(codec, bytes, MAX_UPSTREAM_FIELDS);
}
