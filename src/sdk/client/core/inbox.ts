import { ErrorCode, isPassing } from '../../../wire/error-catalogue.js';
import type { ServerPush } from '../../../wire/client-messages.js';
import {
  BusinessResponse,
  ErrorMessage,
  PushType,
  decodeMessage,
} from '../../../wire/client-messages.js';
import type { Notice } from './client-events.js';
import { retryAfterOf } from '../../../wire/retry-after.js';
import { OrderedDelivery } from './ordered-delivery.js';
import { Answer, Push } from './payload.js';
import type { PendingRequest } from './pending-request.js';
import type { PendingRequests } from './pending-requests.js';
import { requestError } from './request-errors.js';

/** Where the contents of received frames go. */
export interface InboxOwner {
  /** A push has come. @returns what hands it on in its turn. */
  onPush(push: Push): () => void;
  onNotice(notice: Notice): void;
  /**
   * The request was refused unexecuted with a code that passes; it has left the table.
   * @param wait ms that the gateway asks to wait.
   */
  onPassingRefusal(request: PendingRequest, error: Error, wait: number): void;
  /** The gateway expects another number than this request's: only a resume can tell which. */
  onMisnumbered(reason: string): void;
}

/** Reads the frames behind START_RESP: answers find their request, the rest goes to the owner. */
export class Inbox {
  private readonly delivery = new OrderedDelivery();

  constructor(
    private readonly requests: PendingRequests,
    private readonly owner: InboxOwner,
  ) {}

  /** @throws {Error} where the payload does not parse. */
  deliver(push: ServerPush): void {
    if (push.type === PushType.PUSH_BUSINESS_DATA) this.onData(push);
    else if (push.type === PushType.PUSH_ERROR) this.onError(push);
  }

  /** Hands on what still waits for its turn: the client ends. */
  flush(): void {
    this.delivery.flush();
  }

  private onData(push: ServerPush): void {
    const { code, message, data } = decodeMessage(BusinessResponse, push.payload);
    // Decoded bytes alias the transport's read buffer.
    const own = new Uint8Array(data);
    if (push.msgId === 0) {
      const received = new Push(push.seqId, message, own, push.headers);
      this.delivery.push(this.owner.onPush(received));
      return;
    }
    const request = this.requests.find(push.msgId);
    if (request === undefined) return;
    this.requests.remove(request);
    const answer = new Answer(code, message, own, push.headers);
    this.delivery.answer(() => request.resolve(answer));
  }

  private onError(push: ServerPush): void {
    const error = decodeMessage(ErrorMessage, push.payload);
    if (push.msgId === 0) {
      const { errorCode: code, errorMessage: message, detail } = error;
      this.owner.onNotice({ code, message, detail });
      return;
    }
    const request = this.requests.find(push.msgId);
    if (request === undefined) return;
    if (push.seqId === 0) this.onUnconsumed(request, error);
    else this.onRefused(request, error);
  }

  /** Refused with its number consumed: a stored answer like any other. */
  private onRefused(request: PendingRequest, error: ErrorMessage): void {
    this.requests.remove(request);
    const reason = requestError(request.action, error);
    if (isPassing(error.errorCode)) {
      this.owner.onPassingRefusal(request, reason, retryAfterOf(error.detail));
    } else {
      this.delivery.answer(() => request.reject(reason));
    }
  }

  /** Refused without consuming its number (docs/SESSIONS.md, "Upstream: requests"), or a repeat. */
  private onUnconsumed(request: PendingRequest, error: ErrorMessage): void {
    switch (error.errorCode) {
      case ErrorCode.TooManyRequests:
        // Full outbox: the gateway closes the connection and the resume sends the request again.
        return;
      case ErrorCode.BadFrame:
        if (request.misnumbered++ === 0) this.owner.onMisnumbered(error.errorMessage);
        else {
          this.requests.free(request);
          this.giveUp(request, error);
        }
        return;
      default:
        this.requests.remove(request);
        this.giveUp(request, error);
    }
  }

  private giveUp(request: PendingRequest, error: ErrorMessage): void {
    this.delivery.answer(() => request.reject(requestError(request.action, error)));
  }
}
