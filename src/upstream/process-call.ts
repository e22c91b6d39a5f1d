import { CodedError, messageOf } from '../base/errors.js';
import { GrpcStatus } from '../grpc/unary-caller.js';
import type { CallFailure, CallHandle } from '../grpc/unary-caller.js';
import type { UpstreamResponse } from '../wire/messages.js';
import { decodeResponse } from './request-codec.js';
import type { RequestObserver } from './streamed-request.js';
import type { UpstreamClient } from './upstream-client.js';

/**
 * Why a request brought no answer.
 *
 * - unreachable: it surely was not sent, so another instance may be asked;
 * - lost: the connection broke, or the upstream said UNAVAILABLE; it may have been executed;
 * - timeout: no answer within the deadline; it may have been executed, or waited for an upstream that is
 *   too busy to take it;
 * - cancelled: by us, or with the stream that it shared, which the upstream reset or ended with a status
 *   of its own making; it may have been executed;
 * - declined: we did not send it, and that says nothing about the upstream: it is above the size limit,
 *   or too much waits for the connection already;
 * - full: we did not send it, for too much waits for the upstream to read it;
 * - failed: the upstream answered with a gRPC status of its own making;
 * - garbage: it answered what is no response to this request;
 * - oversized: its answer fits in no frame of a client.
 */
export type FailureKind =
  | 'unreachable'
  | 'lost'
  | 'timeout'
  | 'cancelled'
  | 'declined'
  | 'full'
  | 'failed'
  | 'garbage'
  | 'oversized';

/** One ProcessRequest under way; whoever waits for it extends this, so that it is one object. */
export abstract class ProcessCall implements RequestObserver {
  private handle: CallHandle | null = null;

  constructor(
    /** The encoded UpstreamRequest, the same for every attempt. */
    readonly bytes: Uint8Array,
    readonly sessionId: string,
    readonly clientSeqId: number,
  ) {}

  /** Exactly one of the two follows every send, later than it. @param reason for logs only. */
  protected abstract answered(response: UpstreamResponse): void;
  protected abstract failed(kind: FailureKind, reason: string): void;

  /** @param deadline ms from now. */
  protected send(client: UpstreamClient, deadline: number): void {
    this.handle = client.processRequest(this.bytes, deadline, this);
  }

  /** Ends the call with `cancelled`, unless its outcome is already decided. */
  cancel(): void {
    this.handle?.cancel();
  }

  /** Ends it with `unreachable`, if it surely was not sent yet. */
  withdraw(reason: string): void {
    if (this.handle?.withdraw?.() === true) this.failed('unreachable', reason);
  }

  onResponse(bytes: Uint8Array): void {
    let response: UpstreamResponse;
    try {
      response = decodeResponse(bytes, this.clientSeqId);
    } catch (error) {
      const oversized = error instanceof CodedError && error.code === 'TOO_LARGE';
      this.failed(oversized ? 'oversized' : 'garbage', messageOf(error));
      return;
    }
    this.answered(response);
  }

  onFailure(failure: CallFailure): void {
    const { status, message } = failure;
    // Many upstreams say a status alone.
    this.failed(kindOf(failure), message === '' ? `gRPC status ${status} without a text` : message);
  }
}

function kindOf(failure: CallFailure): FailureKind {
  if (failure.full === true) return 'full';
  switch (failure.status) {
    case GrpcStatus.CANCELLED:
      return 'cancelled';
    case GrpcStatus.UNAVAILABLE:
      return failure.neverSent ? 'unreachable' : 'lost';
    case GrpcStatus.DEADLINE_EXCEEDED:
      // An address that swallows packets: the deadline came before the connection.
      return failure.neverSent && failure.busy !== true ? 'unreachable' : 'timeout';
    case GrpcStatus.RESOURCE_EXHAUSTED:
      return failure.neverSent ? 'declined' : 'failed';
    default:
      return failure.neverSent ? 'unreachable' : 'failed';
  }
}
