import { CodedError } from '../../../base/errors.js';
import { isPassing } from '../../../wire/error-catalogue.js';

/** Every `code` of a GatewayClientError. */
export type ClientErrorCode =
  | 'REQUEST_TIMEOUT'
  | 'REQUEST_ABORTED'
  | 'REQUEST_REFUSED'
  | 'OUTCOME_UNKNOWN'
  | 'REQUEST_QUEUE_FULL'
  | 'REQUEST_TOO_LARGE'
  | 'CLIENT_CLOSED'
  | 'CONNECT_FAILED'
  | 'CONNECTION_FAILED'
  | 'SESSION_REFUSED'
  | 'SESSION_REPLACED'
  | 'PUSH_GAP'
  | 'LISTENER_FAILED'
  | 'RESUME_STORE_FAILED';

/** Written down, for what makes bundles smaller renames classes. */
const NAMES: Record<ClientErrorCode, string> = {
  REQUEST_TIMEOUT: 'RequestTimeoutError',
  REQUEST_ABORTED: 'RequestAbortedError',
  REQUEST_REFUSED: 'RequestRefusedError',
  OUTCOME_UNKNOWN: 'OutcomeUnknownError',
  REQUEST_QUEUE_FULL: 'RequestQueueFullError',
  REQUEST_TOO_LARGE: 'RequestTooLargeError',
  CLIENT_CLOSED: 'ClientClosedError',
  CONNECT_FAILED: 'ConnectError',
  CONNECTION_FAILED: 'ConnectionError',
  SESSION_REFUSED: 'SessionRefusedError',
  SESSION_REPLACED: 'SessionReplacedError',
  PUSH_GAP: 'PushGapError',
  LISTENER_FAILED: 'ListenerError',
  RESUME_STORE_FAILED: 'ResumeStoreError',
};

/** The base of everything the client rejects with or reports; `code` is stable and meant to be matched. */
export class GatewayClientError extends CodedError {
  constructor(code: ClientErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = NAMES[code];
  }

  /** Whether the same call may simply be made again: it had no effect, and what kept it may pass. */
  get retryable(): boolean {
    return false;
  }
}

/** No answer within the request's time. Where `sent` is true it may have been executed all the same. */
export class RequestTimeoutError extends GatewayClientError {
  constructor(
    action: string,
    timeoutMs: number,
    readonly sent: boolean,
  ) {
    const why = sent ? 'no answer' : 'not sent: no connection, or too many requests ahead of it';
    super('REQUEST_TIMEOUT', `request ${action}: ${why} within ${timeoutMs} ms`);
  }

  override get retryable(): boolean {
    return !this.sent;
  }
}

/** The caller's AbortSignal fired. Where `sent` is true the request may have been executed. */
export class RequestAbortedError extends GatewayClientError {
  constructor(
    action: string,
    readonly sent: boolean,
    options?: ErrorOptions,
  ) {
    super('REQUEST_ABORTED', `request ${action}: aborted by the caller`, options);
  }

  override get retryable(): boolean {
    return !this.sent;
  }
}

/** The gateway refused the request; it was surely not executed. `status` is the gateway's code (HTTP-like). */
export class RequestRefusedError extends GatewayClientError {
  constructor(
    action: string,
    readonly status: number,
    readonly reason: string,
    readonly detail: string,
  ) {
    super('REQUEST_REFUSED', `request ${action}: refused with ${status}: ${reason}`);
  }

  override get retryable(): boolean {
    return isPassing(this.status);
  }
}

/**
 * The request was sent and its answer is lost, so it may or may not have been executed: ask the
 * service before you repeat it. `status` is the gateway's code, 0 where the session itself was lost.
 */
export class OutcomeUnknownError extends GatewayClientError {
  constructor(
    action: string,
    readonly status: number,
    reason: string,
  ) {
    super('OUTCOME_UNKNOWN', `request ${action}: outcome unknown: ${reason}`);
  }
}

/** Too many requests, or too many bytes of them, already wait to be sent. */
export class RequestQueueFullError extends GatewayClientError {
  constructor(action: string, limit: string) {
    super('REQUEST_QUEUE_FULL', `request ${action}: ${limit} wait already; send slower`);
  }

  override get retryable(): boolean {
    return true;
  }
}

/** The request is more than the gateway reads: of bytes in one frame, of headers or params. */
export class RequestTooLargeError extends GatewayClientError {
  constructor(action: string, what: string) {
    super('REQUEST_TOO_LARGE', `request ${action}: ${what}; send less`);
  }
}

/** The client was closed or stopped, or its session ended for good (then `cause` says why). */
export class ClientClosedError extends GatewayClientError {
  constructor(message: string, options?: ErrorOptions) {
    super('CLIENT_CLOSED', message, options);
  }
}

/** No connection came about in time; `cause` is what the last attempt met. */
export class ConnectError extends GatewayClientError {
  constructor(message: string, options?: ErrorOptions) {
    super('CONNECT_FAILED', message, options);
  }

  override get retryable(): boolean {
    return true;
  }
}

/** The gateway refused START for good, or ended the session with a code that allows no reconnect. */
export class SessionRefusedError extends GatewayClientError {
  constructor(
    readonly status: number,
    readonly reason: string,
    readonly detail: string,
  ) {
    const why = detail === '' ? reason : `${reason}: ${detail}`;
    super('SESSION_REFUSED', `the gateway refused the session with ${status}: ${why}`);
  }
}

/** Another connection took the session over (409); reconnecting would only take it back and forth. */
export class SessionReplacedError extends GatewayClientError {
  constructor(readonly reason: string) {
    super('SESSION_REPLACED', `another client with this openid took the session over: ${reason}`);
  }
}

/** A connection could not be opened, broke, or carried what the protocol does not allow. */
export class ConnectionError extends GatewayClientError {
  constructor(
    readonly status: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super('CONNECTION_FAILED', message, options);
  }

  override get retryable(): boolean {
    return true;
  }
}

/** Sequenced frames are missing: the one received is not the next. */
export class PushGapError extends GatewayClientError {
  constructor(
    readonly expected: number,
    readonly received: number,
    /** Whether a new connection asks for them again; false where it already did, in vain. */
    readonly willReplay: boolean,
  ) {
    const next = willReplay ? 'resuming to have them sent again' : 'they are lost';
    super('PUSH_GAP', `frames ${expected} to ${received - 1} are missing: ${next}`);
  }
}

/** A listener of the application threw; `cause` is what it threw. */
export class ListenerError extends GatewayClientError {
  constructor(event: string, cause: unknown) {
    super('LISTENER_FAILED', `a listener of "${event}" threw: ${String(cause)}`, { cause });
  }
}
