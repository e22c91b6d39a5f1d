import type { BroadcastRequest, UnicastPushRequest } from '../wire/messages.js';
import type { PushErrorCode, PushResult } from '../wire/push-result.js';

export type { PushErrorCode, PushResult } from '../wire/push-result.js';

/** Where the pushes of upstreams go; the session layer implements it. */
export interface PushSink {
  /** Answers through `done`, exactly once, possibly before it returns. Keeps no view of the request's bytes. */
  push(request: UnicastPushRequest, done: (result: PushResult) => void): void;
  /** Counts a push that is not shown to the sink, for what is wrong with it as it stands (push-check.ts). */
  refused(code: PushErrorCode): void;
  /** As push; `sentCount` is the number of outboxes that took it. */
  broadcast(request: BroadcastRequest, done: (sentCount: number, message: string) => void): void;
}
