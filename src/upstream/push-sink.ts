import type { BroadcastRequest, UnicastPushRequest } from '../wire/messages.js';

/** The answer to one push; `errorCode` is empty on success. */
export interface PushResult {
  readonly success: boolean;
  readonly message: string;
  readonly errorCode: PushErrorCode | '';
}

/** error_code of UnicastPushResponse: stable names that upstreams match. */
export type PushErrorCode =
  | 'PUSH_FAILED'
  | 'INVALID_TARGET_TYPE'
  | 'INVALID_TARGET_ID'
  | 'SESSION_NOT_FOUND'
  | 'OPENID_OFFLINE'
  | 'OUTBOX_FULL'
  | 'OFFLINE_QUEUE_FULL'
  | 'TOO_LARGE'
  | 'BIND_REQUIRED'
  | 'KEY_CONFLICT'
  | 'SHUTTING_DOWN';

/** Where the pushes of upstreams go; the session layer implements it. */
export interface PushSink {
  /** Answers through `done`, exactly once, possibly before it returns. Keeps no view of the request's bytes. */
  push(request: UnicastPushRequest, done: (result: PushResult) => void): void;
  /** As push; `sentCount` is the number of outboxes that took it. */
  broadcast(request: BroadcastRequest, done: (sentCount: number, message: string) => void): void;
}
