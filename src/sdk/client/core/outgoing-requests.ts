import type { SendResult } from '../../../link/link.js';
import { ErrorCode } from '../../../wire/error-catalogue.js';
import type { Frame } from '../../../wire/frame-encoder.js';
import type { ConnectionEnd } from './connection.js';
import { OutcomeUnknownError, RequestRefusedError } from './errors.js';
import { MsgIds } from './msg-ids.js';
import type { ResolvedOptions } from './options.js';
import type { PendingRequest } from './pending-request.js';
import { PendingRequests } from './pending-requests.js';
import { RefusedRetries } from './refused-retries.js';

/** What outgoing requests ask of the client that owns them. */
export interface RequestsOwner {
  /** Requests wait that may be written now: `pump` if there is a session. */
  onRequestsReady(): void;
}

/** The requests of a client and their msg_ids: those that wait, are unanswered, or wait to be sent again. */
export class OutgoingRequests {
  readonly table: PendingRequests;
  readonly msgIds: MsgIds;
  private readonly retries: RefusedRetries;
  /** Whether the gateway broke the last connection off by 400: it could not read what came. */
  private unreadable = false;

  constructor(
    options: ResolvedOptions,
    private readonly owner: RequestsOwner,
  ) {
    this.table = new PendingRequests(options);
    this.msgIds = new MsgIds((id) => this.table.uses(id));
    this.retries = new RefusedRetries(options, this.table, (request) => this.again(request));
  }

  /** @throws {RequestQueueFullError | RequestTooLargeError} and then keeps nothing. */
  submit(request: PendingRequest): void {
    this.table.add(request);
    this.owner.onRequestsReady();
  }

  /** The caller no longer waits for this request, which it has rejected. */
  abandon(request: PendingRequest): void {
    this.table.abandon(request);
    this.owner.onRequestsReady();
  }

  pump(send: (frame: Frame) => SendResult): void {
    this.table.pump(send);
  }

  /** A connection that had started has ended. */
  broken({ code, by }: ConnectionEnd): void {
    this.unreadable = code === ErrorCode.BadFrame && by === 'peer';
  }

  /**
   * A connection has started.
   * @param nextClientSeq where a resumed session goes on; null: the session is new.
   * @returns rejects what was lost with the old one, the outcome is unknown, and what the gateway cannot read.
   */
  begin(nextClientSeq: number | null): () => void {
    const { table } = this;
    const freed =
      this.unreadable && nextClientSeq !== null ? table.freeUnreadable(nextClientSeq) : null;
    this.unreadable = false;
    const lost = nextClientSeq === null ? table.restart() : table.resume(nextClientSeq);
    return () => {
      if (freed !== null) {
        const why = 'the gateway cannot read it';
        freed.reject(new RequestRefusedError(freed.action, ErrorCode.BadFrame, why, ''));
      }
      for (const request of lost) {
        const why = 'the gateway no longer knows the session';
        request.reject(new OutcomeUnknownError(request.action, 0, why));
      }
    };
  }

  /** The request was refused unexecuted. @param wait ms that the gateway asks to wait. */
  refused(request: PendingRequest, error: Error, wait: number): void {
    if (!this.retries.take(request, wait)) request.reject(error);
  }

  /** The client ends. */
  fail(error: Error): void {
    for (const request of this.table.drain()) request.reject(error);
  }

  private again(request: PendingRequest): void {
    request.msgId = this.msgIds.next();
    this.table.requeue(request);
    this.owner.onRequestsReady();
  }
}
