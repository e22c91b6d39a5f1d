import type { UnicastPushRequest } from '../../wire/messages.js';

/** What is pushed. */
export interface PushContent {
  /** The kind of message; the client sees `[type] title`. */
  readonly type: string;
  readonly title?: string;
  /** Text; beside data it travels in header `content`. */
  readonly content?: string;
  readonly data?: Uint8Array | string;
  /** Becomes the headers of the push. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface PushOptions {
  /** The same key again within ten minutes is delivered once: makes a repeat safe. */
  readonly idempotencyKey?: string;
  /** Dropped, not stored, when the client cannot take it at once. */
  readonly bestEffort?: boolean;
  /**
   * Tried again for so many ms while no gateway can be reached or an answer was lost, with pauses that
   * grow; a key is made where none is given, so that it is delivered once. `stop` ends that. Default 0: not
   * again.
   */
  readonly retryForMs?: number;
}

/** Whom a push is for. */
export type PushTarget = { readonly openid: string } | { readonly sessionId: string };

export type PushFields = Parameters<typeof UnicastPushRequest.encode>[0];

const utf8 = new TextEncoder();
/** Tags, lengths and numbers of a push in a batch or on a stream. */
const FRAMING_BYTES = 96;
/** The same for an entry of its metadata. */
const ENTRY_FRAMING_BYTES = 16;

/** The fields that pushes and broadcasts share. */
export function contentFields({
  type,
  title = '',
  content = '',
  data,
  metadata = {},
}: PushContent): {
  msgType: string;
  title: string;
  content: string;
  data: Uint8Array;
  metadata: Record<string, string>;
} {
  const bytes = typeof data === 'string' ? utf8.encode(data) : (data ?? new Uint8Array(0));
  return { msgType: type, title, content, data: bytes, metadata: { ...metadata } };
}

/** A whole UnicastPushRequest. */
export function pushFields(target: PushTarget, push: PushContent & PushOptions): PushFields {
  const [targetType, targetId] =
    'openid' in target ? ['openid', target.openid] : ['session', target.sessionId];
  const { idempotencyKey = '', bestEffort = false } = push;
  return { targetType, targetId, ...contentFields(push), idempotencyKey, bestEffort };
}

/** At most so many bytes does a push take in a message, encoded; no more than a few too many. */
export function pushBytes(push: PushFields): number {
  const { targetType, targetId, msgType, title, content, data, idempotencyKey, metadata } = push;
  let bytes = FRAMING_BYTES + (data?.length ?? 0);
  for (const text of [targetType, targetId, msgType, title, content, idempotencyKey]) {
    if (text) bytes += Buffer.byteLength(text);
  }
  for (const key in metadata) {
    bytes += ENTRY_FRAMING_BYTES + Buffer.byteLength(key) + Buffer.byteLength(metadata[key] ?? '');
  }
  return bytes;
}
