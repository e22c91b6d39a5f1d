import { UpstreamResponse, encodeMessage } from '../../wire/messages.js';
import { isBytes, kindOf, wellFormed, wellFormedEntries } from '../../wire/text-and-bytes.js';

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

const BYTES = 'text or a Uint8Array';
const NO_BYTES = new Uint8Array(0);
const utf8 = new TextEncoder();

/**
 * Encodes a reply as the response to the request with this number.
 * @throws {TypeError} where something is of another kind than the types say: it would go as nothing.
 */
export function encodeReply(reply: Reply, clientSeqId: number): Uint8Array {
  const fields = fieldsOf(reply);
  const { code = 200 } = fields;
  const headers = fields.headers ?? {};
  for (const [key, value] of Object.entries(headers)) checkText(`headers["${key}"]`, value);
  const message = fields.message ?? 'ok';
  checkText('message', message);
  return encodeMessage(UpstreamResponse, {
    code,
    message: wellFormed(message),
    data: bytesOf(fields.data ?? NO_BYTES),
    headers: wellFormedEntries(headers),
    clientSeqId,
  });
}

function fieldsOf(reply: Reply): ReplyFields {
  if (typeof reply === 'string' || isBytes(reply)) return { data: reply as Uint8Array | string };
  const fields = reply ?? {};
  if (kindOf(fields) !== 'Object') throw wrongKind('it', reply, `${BYTES} or a ReplyFields`);
  return fields as ReplyFields;
}

function bytesOf(data: Uint8Array | string): Uint8Array {
  if (typeof data === 'string') return utf8.encode(data);
  if (!isBytes(data)) throw wrongKind('data', data, BYTES);
  return data;
}

function checkText(where: string, value: unknown): void {
  if (typeof value !== 'string') throw wrongKind(where, value, 'text');
}

function wrongKind(where: string, value: unknown, wanted: string): TypeError {
  return new TypeError(`the reply: ${where} is ${kindOf(value)}, not ${wanted}`);
}
