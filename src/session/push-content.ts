import { encodePushBody } from '../wire/frame-encoder.js';
import type { PushBody } from '../wire/frame-encoder.js';
import { BusinessResponse, PushType, encodeMessage } from '../wire/messages.js';

/** On which side of the answer to a request a push reaches the client. */
export interface PushOrder {
  readonly side: 'before' | 'after';
  /** Of the request; 0: it is bound to none. */
  readonly clientSeq: number;
}

/** Of a push that is bound to no request. */
export const AT_ONCE: PushOrder = Object.freeze({ side: 'before', clientSeq: 0 });

/** What an upstream wants to tell a client; PushToClient and BroadcastToClients share these fields. */
export interface PushContent {
  readonly msgType: string;
  readonly title: string;
  readonly content: string;
  readonly data: Uint8Array;
  readonly metadata: Record<string, string>;
}

/**
 * The body that a client gets for a push (WIRE.md, "What a deployed client does"): a BusinessResponse
 * with code 200, message `[msg_type] title`, and the data; without data the content as UTF-8, else
 * the content travels in the header `content`. metadata becomes headers.
 */
export function encodePushContent(push: PushContent): PushBody {
  const hasData = push.data.length > 0;
  const payload = encodeMessage(BusinessResponse, {
    code: 200,
    message: `[${push.msgType}] ${push.title}`,
    data: hasData ? push.data : Buffer.from(push.content, 'utf8'),
  });
  const headers =
    hasData && push.content !== '' ? { ...push.metadata, content: push.content } : push.metadata;
  return encodePushBody(PushType.PUSH_BUSINESS_DATA, payload, headers);
}
