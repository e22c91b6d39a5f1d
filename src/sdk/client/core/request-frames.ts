import type { Frame } from '../../../wire/frame-encoder.js';
import { encodeRequestFrame } from '../../../wire/frame-encoder.js';
import {
  BusinessRequest,
  ClientAck,
  HeartbeatRequest,
  RequestType,
  StartRequest,
  StopRequest,
  encodeMessage,
} from '../../../wire/client-messages.js';
import { MAX_MAP_ENTRIES } from '../../../wire/limits.js';
import {
  bytesOf,
  checkData,
  checkText,
  checkTexts,
  kindOf,
  wellFormed,
  wellFormedEntries,
} from '../../../wire/text-and-bytes.js';
import { checkedUint64 } from '../../../wire/uint64.js';
import { RequestTooLargeError } from './errors.js';

const NO_BYTES = new Uint8Array(0);

/** Why a client leaves: the reason of STOP. */
export type StopReason = 'unknown' | 'user_logout' | 'app_close' | 'switch_account';

const { Reason } = StopRequest;

const stopReasons = {
  unknown: Reason.UNKNOWN,
  user_logout: Reason.USER_LOGOUT,
  app_close: Reason.APP_CLOSE,
  switch_account: Reason.SWITCH_ACCOUNT,
} satisfies Record<StopReason, number>;

/** What a business request carries besides its action. */
export interface RequestContent {
  readonly params?: Readonly<Record<string, string>>;
  /** Text goes as UTF-8. */
  readonly data?: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What START says (WIRE.md; fields above 15 only once there is something to say). */
export interface StartContent {
  readonly openid: string;
  readonly token: string;
  readonly lastAckedSeq: number;
  readonly sessionId: string;
  readonly epoch: number;
  readonly epochProof: Uint8Array;
}

export function encodeStart(msgId: number, start: StartContent): Frame {
  const payload = encodeMessage(StartRequest, {
    openid: start.openid,
    authToken: start.token,
    lastAckedSeqId: checkedUint64(start.lastAckedSeq),
    resumeSessionId: start.sessionId,
    seenEpoch: checkedUint64(start.epoch),
    epochProof: start.epochProof,
  });
  return encodeRequestFrame({ msgId, type: RequestType.REQUEST_START, payload });
}

/**
 * What no type checker saw: encoded, it would go as nothing, or keep every request behind it from going.
 * @throws {TypeError} that names what is neither text nor, for data, bytes.
 */
export function checkKinds(action: string, content: RequestContent): void {
  const { data = NO_BYTES, params = {}, headers = {} } = content;
  const wrongKind = (where: string, value: unknown, wanted: string): TypeError => {
    const fault = `${where} is ${kindOf(value)}, it must be ${wanted}`;
    return new TypeError(`request ${String(action)}: ${fault}`);
  };
  checkText('the action', action, wrongKind);
  checkTexts('params', params, wrongKind);
  checkTexts('headers', headers, wrongKind);
  checkData(data, wrongKind);
}

/** @throws {RequestTooLargeError} where there are more params or headers than the gateway surely reads. */
export function checkEntries(action: string, { params = {}, headers = {} }: RequestContent): void {
  for (const [name, map] of Object.entries({ params, headers })) {
    const count = Object.keys(map).length;
    if (count <= MAX_MAP_ENTRIES) continue;
    throw new RequestTooLargeError(
      action,
      `${count} ${name}, the gateway reads ${MAX_MAP_ENTRIES}`,
    );
  }
}

export function encodeBusinessPayload(action: string, content: RequestContent): Uint8Array {
  const { data = NO_BYTES, params = {} } = content;
  return encodeMessage(BusinessRequest, {
    action: wellFormed(action),
    params: wellFormedEntries(params),
    data: bytesOf(data),
  });
}

export function encodeBusiness(
  msgId: number,
  seqId: number,
  payload: Uint8Array,
  headers: Readonly<Record<string, string>>,
): Frame {
  const type = RequestType.REQUEST_BUSINESS;
  return encodeRequestFrame({ msgId, seqId: checkedUint64(seqId), type, payload, headers });
}

export function encodeAck(seq: number): Frame {
  const payload = encodeMessage(ClientAck, { ackedSeqId: checkedUint64(seq) });
  return encodeRequestFrame({ type: RequestType.REQUEST_ACK, payload });
}

/** @param wallTime ms since 1970. */
export function encodeHeartbeat(msgId: number, wallTime: number): Frame {
  const payload = encodeMessage(HeartbeatRequest, { clientTimestamp: Math.round(wallTime) });
  return encodeRequestFrame({ msgId, type: RequestType.REQUEST_HEARTBEAT, payload });
}

export function encodeStop(msgId: number, reason: StopReason): Frame {
  const payload = encodeMessage(StopRequest, { reason: stopReasons[reason] });
  return encodeRequestFrame({ msgId, type: RequestType.REQUEST_STOP, payload });
}
