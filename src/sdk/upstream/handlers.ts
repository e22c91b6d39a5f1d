import type { UpstreamRequest } from '../../wire/messages.js';
import type { AnsweredRequests } from './answered-requests.js';
import { Cancellation } from './cancellation.js';
import { ReplyError } from './errors.js';
import type { Gateways } from './gateways.js';
import { encodeReply } from './reply.js';
import type { Reply } from './reply.js';
import { RequestContext } from './request-context.js';

/** Answers a request. What it throws becomes the answer's code: a ReplyError's own, else 500. */
export type Handler = (request: RequestContext) => Reply | Promise<Reply> | Promise<void>;

const HANDLER_FAILED = 500;
const UNKNOWN_ACTION = 404;

/** The handlers of an upstream by action, and the answering of requests by them. */
export class Handlers {
  /** Requests that have no answer yet. */
  underWay = 0;
  private readonly byAction = new Map<string, Handler>();
  private otherwise: Handler | null = null;

  constructor(
    private readonly gateways: Gateways,
    private readonly onError: (error: unknown, action: string) => void,
    /** Null: a repeated request is answered anew. */
    private readonly answered: AnsweredRequests | null = null,
  ) {}

  set(action: string, handler: Handler): void {
    this.byAction.set(action, handler);
  }

  setFallback(handler: Handler): void {
    this.otherwise = handler;
  }

  /** The encoded response to a request. Never rejects: whatever happens is an answer. */
  answer(request: UpstreamRequest, cancellation = new Cancellation()): Promise<Uint8Array> {
    const { answered } = this;
    if (answered === null) return this.run(request, cancellation);
    const { sessionId, clientSeqId } = request;
    // Who asks may go, and its successor ask again: the work goes on for that one.
    const work = () => this.run(request, new Cancellation());
    return answered.once(`${sessionId} ${clientSeqId}`, work);
  }

  private async run(request: UpstreamRequest, cancellation: Cancellation): Promise<Uint8Array> {
    this.underWay++;
    const { action, clientSeqId } = request;
    const onPushFailed = (error: unknown): void => this.fail(error, action);
    const context = new RequestContext(request, this.gateways, onPushFailed, cancellation);
    let response: Uint8Array;
    try {
      const handler = this.byAction.get(action) ?? this.otherwise;
      if (handler === null) throw new ReplyError(UNKNOWN_ACTION, `no such action: ${action}`);
      response = encodeReply((await handler(context)) ?? undefined, clientSeqId);
    } catch (error) {
      const known = error instanceof ReplyError;
      if (!known) this.fail(error, action);
      const [code, message] = known
        ? [error.status, error.message]
        : [HANDLER_FAILED, 'internal error'];
      response = encodeReply({ code, message }, clientSeqId);
    }
    if (context.pushesBefore) await context.settled();
    this.underWay--;
    return response;
  }

  private fail(error: unknown, action: string): void {
    try {
      this.onError(error, action);
    } catch {
      // A failing listener must not cost the request its answer.
    }
  }
}
