import { MAX_FRAME_BYTES, MAX_OPENID_BYTES } from '../wire/limits.js';
import { NotifySyncHint } from '../wire/messages.js';
import type { BroadcastRequest, UnicastPushRequest } from '../wire/messages.js';
import type { PushErrorCode, PushResult, PushSink } from './push-sink.js';

/** Keys are kept for ten minutes each; a UUID has 36 bytes, a URN of some structure fits as well. */
const MAX_IDEMPOTENCY_KEY_BYTES = 256;
/** Zones, openids and sessions that one broadcast may name: they are looked up in one turn. */
const MAX_NAMED = 10_000;
/** NSH_AFTER_RESPONSE, the highest NotifySyncHint. */
const LAST_SYNC_HINT = 2;

/** Why a push is refused. */
export interface Refusal {
  readonly code: PushErrorCode;
  readonly message: string;
}

/** Shows a push to the sink, or refuses and counts it; answers through `done` as the sink does. */
export function offerPush(
  sink: PushSink,
  push: UnicastPushRequest,
  done: (result: PushResult) => void,
): void {
  const refusal = refusePush(push);
  if (refusal === null) {
    sink.push(push, done);
    return;
  }
  sink.refused(refusal.code);
  done({ success: false, message: refusal.message, errorCode: refusal.code });
}

/**
 * Whether a push may be shown to the sink at all. What depends on sessions, such as whether the
 * target exists and the exact size of the frame, is the sink's to judge.
 */
function refusePush(push: UnicastPushRequest): Refusal | null {
  const target = refuseTarget(push);
  if (target !== null) return target;
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

/** Whether a target names someone. */
export function refuseTarget(target: {
  readonly targetType: string;
  readonly targetId: string;
}): Refusal | null {
  if (target.targetType !== 'session' && target.targetType !== 'openid') {
    return { code: 'INVALID_TARGET_TYPE', message: 'target_type is neither session nor openid' };
  }
  if (target.targetId === '') return { code: 'INVALID_TARGET_ID', message: 'target_id is empty' };
  if (Buffer.byteLength(target.targetId) > MAX_OPENID_BYTES) {
    const message = `target_id is longer than ${MAX_OPENID_BYTES} bytes`;
    return { code: 'INVALID_TARGET_ID', message };
  }
  return null;
}

/**
 * Whether whom a broadcast names can be anyone.
 * @param knows whether there is a zone or a service of a name.
 */
export function refuseAudience(
  { zoneIds, openids, sessionIds }: BroadcastRequest,
  knows: (name: string) => boolean,
): Refusal | null {
  const named = zoneIds.length + openids.length + sessionIds.length;
  if (named > MAX_NAMED) {
    return {
      code: 'PUSH_FAILED',
      message: `${named} zones, openids and sessions, the limit is ${MAX_NAMED}`,
    };
  }
  if (zoneIds.every(knows)) return null;
  return { code: 'INVALID_ZONE_ID', message: 'a zone_id is no zone, 001 to 006, and no service' };
}

/** As refusePush, for what any frame may carry. */
export function refuseSize(push: UnicastPushRequest | BroadcastRequest): Refusal | null {
  const bytes = push.data.length > 0 ? push.data.length : Buffer.byteLength(push.content);
  if (bytes <= MAX_FRAME_BYTES) return null;
  const message = `${bytes} bytes do not fit in a frame of ${MAX_FRAME_BYTES}`;
  return { code: 'TOO_LARGE', message };
}
