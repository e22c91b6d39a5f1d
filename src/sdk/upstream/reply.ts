import { UpstreamResponse, encodeMessage } from '../../wire/messages.js';

/** An answer in full. */
export interface ReplyFields {
  /** Default 200. */
  readonly code?: number;
  /** Default `ok`. */
  readonly message?: string;
  readonly data?: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a handler returns: an answer in full, only its data, or nothing for a plain 200. */
export type Reply = ReplyFields | Uint8Array | string | undefined;

const NO_BYTES = new Uint8Array(0);
const utf8 = new TextEncoder();

/** Encodes a reply as the response to the request with this number. */
export function encodeReply(reply: Reply, clientSeqId: number): Uint8Array {
  const fields: ReplyFields =
    typeof reply === 'string' || reply instanceof Uint8Array ? { data: reply } : (reply ?? {});
  const { code = 200, message = 'ok', data = NO_BYTES, headers = {} } = fields;
  const bytes = typeof data === 'string' ? utf8.encode(data) : data;
  return encodeMessage(UpstreamResponse, { code, message, data: bytes, headers, clientSeqId });
}
