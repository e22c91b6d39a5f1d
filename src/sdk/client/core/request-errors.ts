import { ErrorCode, errorName } from '../../../wire/error-catalogue.js';
import type { ErrorMessage } from '../../../wire/client-messages.js';
import { OutcomeUnknownError, RequestRefusedError } from './errors.js';

/** Codes after which a request may have been executed (DESIGN.md, "Flow"). */
const MAY_HAVE_RUN: ReadonlySet<number> = new Set([
  ErrorCode.AlreadyAcknowledged,
  ErrorCode.Internal,
  ErrorCode.UpstreamFailed,
  ErrorCode.UpstreamTimeout,
]);

/** The error that a request is rejected with when the gateway answered it with this PUSH_ERROR. */
export function requestError(action: string, error: ErrorMessage): Error {
  const { errorCode, errorMessage, detail } = error;
  const reason = errorMessage || errorName(errorCode);
  if (MAY_HAVE_RUN.has(errorCode)) return new OutcomeUnknownError(action, errorCode, reason);
  return new RequestRefusedError(action, errorCode, reason, detail);
}
