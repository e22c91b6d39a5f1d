import { MAX_FRAME_BYTES, MAX_OPENID_BYTES } from '../wire/limits.js';
import { NotifySyncHint } from '../wire/messages.js';
import type { BroadcastRequest, UnicastPushRequest } from '../wire/messages.js';
import type { PushErrorCode } from './push-sink.js';

/** Keys are kept for ten minutes each; a UUID has 36 bytes, a URN of some structure fits as well. */
export const MAX_IDEMPOTENCY_KEY_BYTES = 256;
/** NSH_AFTER_RESPONSE, the highest NotifySyncHint. */
const LAST_SYNC_HINT = 2;

/** Why a push is refused. */
export interface Refusal {
  readonly code: PushErrorCode;
  readonly message: string;
}

/**
 * Whether a push may be shown to the sink at all. What depends on sessions, such as whether the
 * target exists and the exact size of the frame, is the sink's to judge.
 */
export function refusePush(push: UnicastPushRequest): Refusal | null {
  if (push.targetType !== 'session' && push.targetType !== 'openid') {
    return { code: 'INVALID_TARGET_TYPE', message: 'target_type is neither session nor openid' };
  }
  if (push.targetId === '') return { code: 'INVALID_TARGET_ID', message: 'target_id is empty' };
  if (Buffer.byteLength(push.targetId) > MAX_OPENID_BYTES) {
    const message = `target_id is longer than ${MAX_OPENID_BYTES} bytes`;
    return { code: 'INVALID_TARGET_ID', message };
  }
  if (!(push.syncHint >= 0 && push.syncHint <= LAST_SYNC_HINT)) {
    return { code: 'PUSH_FAILED', message: `sync_hint ${push.syncHint} is unknown` };
  }
  const bound = push.syncHint !== NotifySyncHint.NSH_IMMEDIATELY;
  if (bound && push.bindClientSeqId === 0) {
    const message = 'a BEFORE or AFTER push needs bind_client_seq_id';
    return { code: 'BIND_REQUIRED', message };
  }
  if (bound && push.bestEffort) {
    const message = 'a best_effort push cannot be bound to a request';
    return { code: 'PUSH_FAILED', message };
  }
  if (Buffer.byteLength(push.idempotencyKey) > MAX_IDEMPOTENCY_KEY_BYTES) {
    const message = `idempotency_key is longer than ${MAX_IDEMPOTENCY_KEY_BYTES} bytes`;
    return { code: 'PUSH_FAILED', message };
  }
  return refuseSize(push);
}

/** As refusePush, for what any frame may carry. */
export function refuseSize(push: UnicastPushRequest | BroadcastRequest): Refusal | null {
  const bytes = push.data.length > 0 ? push.data.length : Buffer.byteLength(push.content);
  if (bytes <= MAX_FRAME_BYTES) return null;
  const message = `${bytes} bytes do not fit in a frame of ${MAX_FRAME_BYTES}`;
  return { code: 'TOO_LARGE', message };
}
