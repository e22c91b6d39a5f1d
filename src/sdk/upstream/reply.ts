import { UpstreamResponse, encodeMessage } from '../../wire/messages.js';
import {
  bytesOf,
  checkData,
  checkText,
  checkTexts,
  isBytes,
  kindOf,
  wellFormed,
  wellFormedEntries,
} from '../../wire/text-and-bytes.js';

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

/**
 * Encodes a reply as the response to the request with this number.
 * @throws {TypeError} where something is of another kind than the types say: it would go as nothing.
 */
export function encodeReply(reply: Reply, clientSeqId: number): Uint8Array {
  const fields = fieldsOf(reply);
  const { code = 200 } = fields;
  const headers = fields.headers ?? {};
  const message = fields.message ?? 'ok';
  const data = fields.data ?? NO_BYTES;
  checkTexts('headers', headers, wrongKind);
  checkText('message', message, wrongKind);
  checkData(data, wrongKind);
  return encodeMessage(UpstreamResponse, {
    code,
    message: wellFormed(message),
    data: bytesOf(data),
    headers: wellFormedEntries(headers),
    clientSeqId,
  });
}

function fieldsOf(reply: Reply): ReplyFields {
  if (typeof reply === 'string' || isBytes(reply)) return { data: reply as Uint8Array | string };
  const fields = reply ?? {};
  if (kindOf(fields) !== 'Object')
    throw wrongKind('it', reply, 'text or a Uint8Array or a ReplyFields');
  return fields as ReplyFields;
}

function wrongKind(where: string, value: unknown, wanted: string): TypeError {
  return new TypeError(`the reply: ${where} is ${kindOf(value)}, not ${wanted}`);
}
