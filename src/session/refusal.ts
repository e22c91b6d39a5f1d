import { ErrorCode } from '../wire/error-catalogue.js';
import type { PushBody } from '../wire/frame-encoder.js';
import { retryAfter } from '../wire/retry-after.js';
import type { SequenceVerdict } from './client-sequence.js';
import { errorBody } from './responses.js';

/** Why a client frame was not taken. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly reason: string;
  /** The connection ends with it. */
  readonly final: boolean;
}

/** The refusal of a business frame for its number, or because the outbox is full. */
export function refusalOf(
  why: Exclude<SequenceVerdict, 'next'> | 'full',
  seq: number,
  expected: number,
): Refusal {
  switch (why) {
    case 'zero':
      return bad(
        `seq_id 0: business frames count from 1, expected ${expected === 0 ? 1 : expected}`,
      );
    case 'beyond':
      return bad(`seq_id ${seq} is above 2^52`);
    case 'gap':
      return bad(`seq_id ${seq} leaves a gap, expected ${expected}`);
    case 'below':
      return bad(`seq_id ${seq} is below the first of this session, expected ${expected}`);
    case 'skipped':
      return bad(`seq_id ${seq} was skipped and will not be executed, expected ${expected}`);
    case 'repeat': {
      const reason = `the answer to seq_id ${seq} was already acknowledged`;
      return { code: ErrorCode.AlreadyAcknowledged, reason, final: false };
    }
    case 'full': {
      const reason = 'outbox full: acknowledge what was received, resume and send it again';
      return { code: ErrorCode.TooManyRequests, reason, final: true };
    }
  }
}

function bad(reason: string): Refusal {
  return { code: ErrorCode.BadFrame, reason, final: false };
}

/** Why a business frame that consumed its number goes to no upstream: an answer, stored like any other. */
export interface StoredRefusal {
  readonly code: ErrorCode;
  /** Label of gatesvr_requests_rejected_total. */
  readonly label: string;
  readonly body: PushBody;
}

export const LOGIN_FIRST: StoredRefusal = {
  code: ErrorCode.Unauthenticated,
  label: 'unauthenticated',
  body: errorBody(ErrorCode.Unauthenticated, 'log in first'),
};

/** Made once: refusing must stay cheap while there is too much to do. */
export const OVER_QPS: StoredRefusal = {
  code: ErrorCode.Overloaded,
  label: 'qps',
  body: errorBody(ErrorCode.Overloaded, 'too many requests per second, try again later'),
};

/** The session sends faster than it may. @param wait ms until its next request is taken. */
export function overSessionRate(wait: number): StoredRefusal {
  const code = ErrorCode.TooManyRequests;
  return { code, label: 'session_rate', body: errorBody(code, retryAfter(wait)) };
}

/** The journal cannot keep it, so it is not begun. */
export function notKept(reason: string): StoredRefusal {
  return {
    code: ErrorCode.Overloaded,
    label: 'journal',
    body: errorBody(ErrorCode.Overloaded, reason),
  };
}
