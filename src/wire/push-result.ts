/** error_code of UnicastPushResponse: stable names that upstreams match (WIRE.md, "Upstream edge"). */
export type PushErrorCode =
  | 'PUSH_FAILED'
  | 'INVALID_TARGET_TYPE'
  | 'INVALID_TARGET_ID'
  | 'SESSION_NOT_FOUND'
  | 'OPENID_OFFLINE'
  | 'OUTBOX_FULL'
  | 'OFFLINE_QUEUE_FULL'
  | 'BROADCAST_QUEUE_FULL'
  | 'TOO_LARGE'
  | 'BIND_REQUIRED'
  | 'KEY_CONFLICT'
  | 'INVALID_ZONE_ID'
  | 'SHUTTING_DOWN'
  | 'NOT_PRIMARY'
  | 'REPLICATION_LAG'
  | 'JOURNAL_FAILED';

/** The answer to one push; `errorCode` is empty on success. */
export interface PushResult {
  readonly success: boolean;
  readonly message: string;
  readonly errorCode: PushErrorCode | '';
}
