import { CodedError, messageOf } from '../base/errors.js';
import { MAX_ANSWER_BYTES } from '../wire/limits.js';
import {
  UpstreamRequest,
  UpstreamResponse,
  decodeFromUpstream,
  encodeMessage,
} from '../wire/messages.js';

/** What of a business request an upstream is told. */
export interface OutgoingRequest {
  readonly sessionId: string;
  readonly openid: string;
  readonly clientSeqId: number;
  readonly action: string;
  readonly params: Record<string, string>;
  readonly data: Uint8Array;
  readonly headers: Record<string, string>;
}

/** Encodes a request to bytes that alias nothing of it. */
export function encodeRequest(request: OutgoingRequest): Uint8Array {
  // Field by field: `request` may be a richer object, and the codec writes what it finds.
  return encodeMessage(UpstreamRequest, {
    sessionId: request.sessionId,
    openid: request.openid,
    action: request.action,
    params: request.params,
    data: request.data,
    headers: request.headers,
    clientSeqId: request.clientSeqId,
  });
}

/**
 * Decodes and checks what an upstream answered. A client_seq_id of 0 is fine, for deployed upstreams
 * may leave it out; any other number than the request's means that the answer is somebody else's.
 * @throws {CodedError} BAD_RESPONSE, or TOO_LARGE where it fits in no client frame, with the reason, for logs.
 */
export function decodeResponse(bytes: Uint8Array, clientSeqId: number): UpstreamResponse {
  const response = decodeChecked(bytes);
  if (response.clientSeqId !== 0 && response.clientSeqId !== clientSeqId) {
    const numbers = `client_seq_id ${response.clientSeqId} to request ${clientSeqId}`;
    throw new CodedError('BAD_RESPONSE', `answered with ${numbers}`);
  }
  if (bytes.length > MAX_ANSWER_BYTES) checkSize(response);
  return response;
}

/** What tells whose answer it is stays here, so it does not count: it differs by the way that the answer came. */
function checkSize({ code, message, data, headers }: UpstreamResponse): void {
  const { length } = encodeMessage(UpstreamResponse, { code, message, data, headers });
  if (length <= MAX_ANSWER_BYTES) return;
  const limit = `more than the ${MAX_ANSWER_BYTES} that fit in a client frame`;
  throw new CodedError('TOO_LARGE', `answered ${length} bytes, ${limit}`);
}

function decodeChecked(bytes: Uint8Array): UpstreamResponse {
  try {
    return decodeFromUpstream(UpstreamResponse, bytes);
  } catch (error) {
    const reason = `answered what is no UpstreamResponse: ${messageOf(error)}`;
    throw new CodedError('BAD_RESPONSE', reason, { cause: error });
  }
}
