import type { UpstreamOutcome } from '../routing/router.js';
import type { LabelledTally } from '../telemetry/tally.js';
import { ErrorCode, describeError, errorName } from '../wire/error-catalogue.js';
import { encodePushBody, encodePushFrame } from '../wire/frame-encoder.js';
import type { Frame, PushBody } from '../wire/frame-encoder.js';
import { MAX_BODY_BYTES } from '../wire/limits.js';
import {
  BusinessResponse,
  ErrorMessage,
  HeartbeatResponse,
  PushType,
  StartResponse,
  encodeMessage,
} from '../wire/messages.js';
import type { UpstreamResponse } from '../wire/messages.js';

/** What a START_RESP of an accepted START tells (WIRE.md, StartResponse). */
export interface StartAnswer {
  readonly sessionId: string;
  readonly resumed: boolean;
  readonly recovered: boolean;
  readonly nextClientSeq: number;
  readonly nextPushSeq: number;
  readonly epoch: number;
  /** Empty: there is none. */
  readonly epochProof: Uint8Array;
  /** Milliseconds. */
  readonly heartbeatInterval: number;
}

/** START_RESP of an accepted START; never sequenced. */
export function startAcceptedFrame(msgId: number, answer: StartAnswer): Frame {
  const payload = encodeMessage(StartResponse, {
    success: true,
    heartbeatInterval: Math.round(answer.heartbeatInterval / 1000),
    connectionId: answer.sessionId,
    resumed: answer.resumed,
    recovered: answer.recovered,
    nextClientSeq: answer.nextClientSeq,
    nextPushSeq: answer.nextPushSeq,
    epoch: answer.epoch,
    ...(answer.epochProof.length === 0 ? {} : { epochProof: answer.epochProof }),
  });
  return encodePushFrame(msgId, 0, encodePushBody(PushType.PUSH_START_RESP, payload));
}

/** START_RESP of a refused START. */
export function startRefusedFrame(msgId: number, code: ErrorCode, detail: string): Frame {
  const payload = encodeMessage(StartResponse, { success: false, error: errorOf(code, detail) });
  return encodePushFrame(msgId, 0, encodePushBody(PushType.PUSH_START_RESP, payload));
}

/** HEARTBEAT_RESP; never sequenced. Times in ms since 1970. */
export function heartbeatFrame(msgId: number, clientTime: number, serverTime: number): Frame {
  const payload = encodeMessage(HeartbeatResponse, {
    clientTimestamp: clientTime,
    serverTimestamp: serverTime,
  });
  return encodePushFrame(msgId, 0, encodePushBody(PushType.PUSH_HEARTBEAT_RESP, payload));
}

/** PUSH_ERROR that is not sequenced: the refusal of a frame, or the last word before a close. */
export function errorFrame(msgId: number, code: ErrorCode, detail: string): Frame {
  return encodePushFrame(msgId, 0, errorBody(code, detail));
}

/** Body of a PUSH_ERROR. */
export function errorBody(code: ErrorCode, detail: string): PushBody {
  return encodePushBody(PushType.PUSH_ERROR, encodeMessage(ErrorMessage, errorOf(code, detail)));
}

/** Body of the answer to a business request (WIRE.md: UpstreamResponse.headers -> ServerPush.headers). */
export function answerBody(response: UpstreamResponse): PushBody {
  const payload = encodeMessage(BusinessResponse, {
    code: response.code,
    message: response.message,
    data: response.data,
  });
  return encodePushBody(PushType.PUSH_BUSINESS_DATA, payload, response.headers);
}

/**
 * Body of what the client gets for an outcome: the answer, or an error in its place.
 * @param errors counts the errors that clients are told, by name.
 */
export function outcomeBody(outcome: UpstreamOutcome, errors: LabelledTally): PushBody {
  if (outcome.kind === 'failed') {
    errors.add(errorName(outcome.code));
    return errorBody(outcome.code, outcome.reason);
  }
  const body = answerBody(outcome.response);
  if (body.length <= MAX_BODY_BYTES) return body;
  errors.add(errorName(ErrorCode.UpstreamFailed));
  const reason = `the answer is larger than ${MAX_BODY_BYTES} bytes`;
  return errorBody(ErrorCode.UpstreamFailed, reason);
}

function errorOf(code: ErrorCode, detail: string) {
  return { errorCode: code, errorMessage: describeError(code)?.message ?? 'error', detail };
}
