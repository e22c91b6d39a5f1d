import { expect, it } from '@jest/globals';
import { answerBody } from '../../../src/session/responses.js';
import { MAX_ANSWER_BYTES, MAX_BODY_BYTES } from '../../../src/wire/limits.js';
import { UpstreamResponse, encodeMessage } from '../../../src/wire/messages.js';
import { RouterBench } from '../../support/upstream-router-bench.js';
import { openidsOfZone, send } from '../../support/upstream-requests.js';

const openid = openidsOfZone('001', 1)[0] as string;

/** An answer that is so long without what only tells whose it is. */
function answerOf(length: number): UpstreamResponse {
  const fields = { code: 200, message: 'ok', headers: { zone: '001' } };
  const empty = encodeMessage(UpstreamResponse, { ...fields, data: Buffer.alloc(length) }).length;
  const data = Buffer.alloc(2 * length - empty);
  return UpstreamResponse.fromObject({
    ...fields,
    data,
    clientSeqId: 8,
    sessionId: 'f'.repeat(32),
  });
}

async function outcomeOf(answer: UpstreamResponse) {
  const bench = new RouterBench();
  await bench.register('10.0.0.1:9001');
  const request = send(bench.router.routeFor(openid), openid, 8);
  bench.network.last().respond(Buffer.from(encodeMessage(UpstreamResponse, answer)));
  return {
    outcome: await request.outcome,
    failures: bench.metrics.upstream.failures.of('502').value,
  };
}

// The client is told, and so is who looks for what is wrong with the upstream: nothing but its length is.
it('an answer is refused by its length where it fits in no frame, and then only', async () => {
  const largest = await outcomeOf(answerOf(MAX_ANSWER_BYTES));
  expect(largest.outcome.kind).toBe('answered');
  expect(answerBody(answerOf(MAX_ANSWER_BYTES)).length).toBeLessThanOrEqual(MAX_BODY_BYTES);
  expect(answerBody(answerOf(MAX_ANSWER_BYTES + 1)).length).toBeGreaterThan(MAX_BODY_BYTES);
  expect(await outcomeOf(answerOf(MAX_ANSWER_BYTES + 1))).toEqual({
    outcome: {
      kind: 'failed',
      code: 502,
      reason: `the answer is larger than ${MAX_ANSWER_BYTES} bytes`,
    },
    failures: 1,
  });
});
