import { messageOf } from '../base/errors.js';
import type { UnaryMethod } from '../grpc/server-method.js';
import type { Logger } from '../telemetry/log.js';
import { decodeFromUpstream, encodeMessage } from '../wire/messages.js';
import type { MessageCodec } from '../wire/messages.js';

/** A method in terms of its messages. */
export interface TypedMethod<Request extends Asked, Asked, Response extends Answered, Answered> {
  /** Full path, `/package.Service/Method`. */
  readonly path: string;
  readonly request: MessageCodec<Request, Asked>;
  readonly response: MessageCodec<Response, Answered>;
  /** Answers once, now or later. */
  handle(request: Request, answer: (response: Answered) => void, peer: string): void;
  /** The response that refuses a request for a reason of ours. */
  refusal(message: string): Answered;
}

/**
 * Serves a method so that whatever is wrong with a request is said in the response: a gRPC error
 * never means more than that the transport failed. What `handle` throws is our fault: the log has the
 * details, the upstream only learns that.
 */
export function serveTyped<Request extends Asked, Asked, Response extends Answered, Answered>(
  method: TypedMethod<Request, Asked, Response, Answered>,
  logger: Logger,
): UnaryMethod {
  return {
    path: method.path,
    guarded: true,
    handle: (bytes, peer, respond) => {
      const answer = (response: Answered): void =>
        respond(encodeMessage(method.response, response));
      let request: Request;
      try {
        request = decodeFromUpstream(method.request, bytes);
      } catch (error) {
        answer(method.refusal(`the request is malformed: ${messageOf(error)}`));
        return;
      }
      try {
        method.handle(request, answer, peer);
      } catch (error) {
        logger.error({ err: error, method: method.path }, 'a call failed inside the gateway');
        answer(method.refusal('internal error'));
      }
    },
  };
}
