import { CodedError } from '../../base/errors.js';

/** A handler throws it to answer with a code of its own; any other error answers 500. */
export class ReplyError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'ReplyError';
  }
}

/**
 * A push that no gateway took. `code` is the gateway's error_code (`OPENID_OFFLINE`,
 * `SESSION_NOT_FOUND`, `OUTBOX_FULL`, ...), or `GATEWAY_UNREACHABLE`, or `OUTCOME_UNKNOWN` where the
 * answer was lost: repeat such a push only with an idempotency key. `TOO_LARGE` with a message that
 * says `never sent` is this side's: no call takes so much.
 */
export class PushError extends CodedError {
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = 'PushError';
  }
}

/** A gateway refused the registration for good; `code` is its error_code, or `UNAUTHENTICATED`. */
export class RegistrationError extends CodedError {
  constructor(code: string, message: string) {
    super(code, message);
    this.name = 'RegistrationError';
  }
}
