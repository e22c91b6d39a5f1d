import type { UnicastPushRequest } from '../../wire/messages.js';
import {
  bytesOf,
  checkData,
  checkText,
  checkTexts,
  kindOf,
  wellFormed,
  wellFormedEntries,
} from '../../wire/text-and-bytes.js';
import { PushError } from './errors.js';

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

/** Tags, lengths and numbers of a push in a batch or on a stream. */
const FRAMING_BYTES = 96;
/** The same for an entry of its metadata. */
const ENTRY_FRAMING_BYTES = 16;

/**
 * The fields that pushes and broadcasts share, of the caller's objects no longer.
 * @throws {PushError} PUSH_FAILED, never sent: something is of another kind than the types say. Encoded it
 * would go as nothing, or keep everything that travels with it from going.
 */
export function contentFields(push: PushContent): {
  msgType: string;
  title: string;
  content: string;
  data: Uint8Array;
  metadata: Record<string, string>;
} {
  const data = push.data ?? '';
  const metadata = push.metadata ?? {};
  checkData(data, wrongKind);
  checkTexts('metadata', metadata, wrongKind);
  return {
    msgType: text('type', push.type ?? ''),
    title: text('title', push.title ?? ''),
    content: text('content', push.content ?? ''),
    data: bytesOf(data),
    metadata: wellFormedEntries(metadata),
  };
}

/** A whole UnicastPushRequest. @throws as contentFields. */
export function pushFields(target: PushTarget, push: PushContent & PushOptions): PushFields {
  const { targetType, targetId } = targetFields(target);
  const { idempotencyKey, bestEffort = false } = push;
  const key = text('idempotencyKey', idempotencyKey ?? '');
  return { targetType, targetId, ...contentFields(push), idempotencyKey: key, bestEffort };
}

/** @throws as contentFields. */
export function targetFields(target: PushTarget): { targetType: string; targetId: string } {
  return 'openid' in target
    ? { targetType: 'openid', targetId: text('openid', target.openid) }
    : { targetType: 'session', targetId: text('sessionId', target.sessionId) };
}

function text(where: string, value: string): string {
  checkText(where, value, wrongKind);
  return wellFormed(value);
}

function wrongKind(where: string, value: unknown, wanted: string): PushError {
  const message = `never sent: ${where} is ${kindOf(value)}, it must be ${wanted}`;
  return new PushError('PUSH_FAILED', message);
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
