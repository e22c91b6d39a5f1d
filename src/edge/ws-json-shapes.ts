import { PushType, RequestType, StopRequest } from '../wire/messages.js';

/** An enum as pbjs generates it: own properties name to number, inherited ones number to name. */
export interface EnumNames {
  readonly [name: string]: string | number;
}

/** The type of a field; `map` is map<string, string>. */
export type FieldType =
  | 'uint32'
  | 'int32'
  | 'uint64'
  | 'int64'
  | 'bool'
  | 'string'
  | 'bytes'
  | 'map'
  | { readonly names: EnumNames }
  | { readonly shape: Shape };

/** One field of a message, under its lowerCamelCase name. */
export interface Field {
  readonly name: string;
  readonly type: FieldType;
}

/** The fields of a message as JSON has them, in the order of their numbers. */
export interface Shape {
  readonly message: string;
  readonly fields: readonly Field[];
  /** By both names that the proto3 JSON mapping accepts: `msgId` and `msg_id`. */
  readonly byName: ReadonlyMap<string, Field>;
}

function shape(message: string, types: Readonly<Record<string, FieldType>>): Shape {
  const fields = Object.entries(types).map(([name, type]) => ({ name, type }));
  const names = fields.flatMap((field): [string, Field][] => [
    [field.name, field],
    [field.name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), field],
  ]);
  return { message, fields, byName: new Map(names) };
}

const errorMessage = shape('ErrorMessage', {
  errorCode: 'int32',
  errorMessage: 'string',
  detail: 'string',
});

/**
 * The messages of proto/message.proto, for the proto3 JSON mapping: the generated codecs know
 * nothing of JSON. A test holds them against the proto file.
 */
export const shapes = {
  ClientRequest: shape('ClientRequest', {
    msgId: 'uint32',
    seqId: 'uint64',
    type: { names: RequestType },
    payload: 'bytes',
    headers: 'map',
    openid: 'string',
  }),
  ServerPush: shape('ServerPush', {
    msgId: 'uint32',
    seqId: 'uint64',
    type: { names: PushType },
    payload: 'bytes',
    headers: 'map',
  }),
  StartRequest: shape('StartRequest', {
    openid: 'string',
    authToken: 'string',
    lastAckedSeqId: 'uint64',
    resumeSessionId: 'string',
    seenEpoch: 'uint64',
    epochProof: 'bytes',
  }),
  StartResponse: shape('StartResponse', {
    success: 'bool',
    error: { shape: errorMessage },
    heartbeatInterval: 'int32',
    connectionId: 'string',
    resumed: 'bool',
    recovered: 'bool',
    nextClientSeq: 'uint64',
    epoch: 'uint64',
    nextPushSeq: 'uint64',
    epochProof: 'bytes',
  }),
  StopRequest: shape('StopRequest', { reason: { names: StopRequest.Reason } }),
  HeartbeatRequest: shape('HeartbeatRequest', { clientTimestamp: 'int64' }),
  HeartbeatResponse: shape('HeartbeatResponse', {
    clientTimestamp: 'int64',
    serverTimestamp: 'int64',
  }),
  BusinessRequest: shape('BusinessRequest', { action: 'string', params: 'map', data: 'bytes' }),
  BusinessResponse: shape('BusinessResponse', { code: 'int32', message: 'string', data: 'bytes' }),
  ErrorMessage: errorMessage,
  ClientAck: shape('ClientAck', { ackedSeqId: 'uint64' }),
} as const;
