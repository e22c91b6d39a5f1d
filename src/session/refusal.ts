import { ErrorCode } from '../wire/error-catalogue.js';
import type { SequenceVerdict } from './client-sequence.js';

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
