import { CodedError, messageOf } from '../base/errors.js';
import { MAX_FRAME_BYTES } from '../wire/limits.js';
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

/**
 * A response becomes ServerPush{BusinessResponse}: the same fields, plus at most 6 bytes msg_id,
 * 10 seq_id, 2 type and 5 for the payload's own tag and length.
 */
const MAX_RESPONSE_BYTES = MAX_FRAME_BYTES - 32;

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
 * @throws {CodedError} BAD_RESPONSE with the reason, for logs.
 */
export function decodeResponse(bytes: Uint8Array, clientSeqId: number): UpstreamResponse {
  if (bytes.length > MAX_RESPONSE_BYTES) {
    const limit = `more than the ${MAX_RESPONSE_BYTES} that fit in a client frame`;
    throw new CodedError('BAD_RESPONSE', `answered ${bytes.length} bytes, ${limit}`);
  }
  const response = decodeChecked(bytes);
  if (response.clientSeqId !== 0 && response.clientSeqId !== clientSeqId) {
    const numbers = `client_seq_id ${response.clientSeqId} to request ${clientSeqId}`;
    throw new CodedError('BAD_RESPONSE', `answered with ${numbers}`);
  }
  return response;
}

function decodeChecked(bytes: Uint8Array): UpstreamResponse {
  try {
    return decodeFromUpstream(UpstreamResponse, bytes);
  } catch (error) {
    const reason = `answered what is no UpstreamResponse: ${messageOf(error)}`;
    throw new CodedError('BAD_RESPONSE', reason, { cause: error });
  }
}
