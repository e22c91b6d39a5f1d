import type { UnaryMethod } from '../grpc/server-method.js';
import type { Logger } from '../telemetry/log.js';
import { PushBatchRequest, PushBatchResponse, UnicastPushRequest } from '../wire/messages.js';
import { Method } from '../wire/grpc-methods.js';
import { offerPush } from './push-check.js';
import type { PushResult, PushSink } from './push-sink.js';
import { serveTyped } from './typed-method.js';

/**
 * Pushes of one batch. All are taken in one turn of the event loop, some ten milliseconds of it;
 * what is larger would delay everyone's heartbeats.
 */
export const MAX_BATCH_PUSHES = 1_000;

type Batch = ReturnType<typeof PushBatchRequest.decode>;

/**
 * PushBatch: many messages, or one to many targets, in one call. Every push is judged for itself, as
 * by PushToClient, in the order given; only a batch that is too large is refused as a whole.
 */
export function pushBatchMethod(pushes: PushSink, logger: Logger): UnaryMethod {
  return serveTyped(
    {
      path: Method.PushBatch,
      request: PushBatchRequest,
      response: PushBatchResponse,
      refusal: (message) => ({ errorCode: 'PUSH_FAILED', message }),
      handle: (batch, answer) => {
        const count = batch.pushes.length + batch.targets.length;
        if (count > MAX_BATCH_PUSHES) {
          const message = `a batch of ${count} pushes, the limit is ${MAX_BATCH_PUSHES}`;
          answer({ errorCode: 'BATCH_TOO_LARGE', message });
        } else if (batch.targets.length > 0 && !batch.push) {
          answer({ errorCode: 'PUSH_FAILED', message: 'targets without a push for them' });
        } else deliver(pushesOf(batch), pushes, answer);
      },
    },
    logger,
  );
}

function pushesOf({ pushes, push, targets }: Batch): UnicastPushRequest[] {
  const single = pushes.map((each) => new UnicastPushRequest(each));
  return single.concat(
    targets.map(
      ({ targetType, targetId, idempotencyKey }) =>
        new UnicastPushRequest({
          ...push,
          targetType: targetType ?? '',
          targetId: targetId ?? '',
          idempotencyKey: idempotencyKey ?? '',
        }),
    ),
  );
}

/** Answers when the last push has its result; each keeps its place. */
function deliver(
  requests: readonly UnicastPushRequest[],
  sink: PushSink,
  answer: (response: { results: PushResult[]; accepted: number }) => void,
): void {
  const results: PushResult[] = [];
  let open = requests.length;
  let accepted = 0;
  if (open === 0) answer({ results, accepted });
  requests.forEach((request, index) => {
    let told = false;
    const done = (result: PushResult): void => {
      if (told) return;
      told = true;
      results[index] = result;
      if (result.success) accepted++;
      if (--open === 0) answer({ results, accepted });
    };
    offerPush(sink, request, done);
  });
}
