import { expect, test } from '@jest/globals';
import { ReplyError } from '../../../../src/sdk/upstream/index.js';
import { Gateways } from '../../../../src/sdk/upstream/gateways.js';
import { Handlers } from '../../../../src/sdk/upstream/handlers.js';
import type { Handler } from '../../../../src/sdk/upstream/index.js';
import { UpstreamRequest, UpstreamResponse, decodeMessage } from '../../../../src/wire/messages.js';

/** What a client is told by an upstream with this handler, and what the upstream hears of it. */
async function answerOf(handler: unknown): Promise<{ told: UpstreamResponse; errors: unknown[] }> {
  const errors: unknown[] = [];
  const handlers = new Handlers(new Gateways([], 1), (error) => errors.push(error));
  handlers.set('ask', handler as Handler);
  const bytes = await handlers.answer(new UpstreamRequest({ action: 'ask', clientSeqId: 7 }));
  return { told: decodeMessage(UpstreamResponse, bytes), errors };
}

test.each([
  ['a number', () => 5],
  ['an array', () => [1]],
  ['an ArrayBuffer', () => new ArrayBuffer(2)],
  ['data that is an object', () => ({ data: { a: 1 } })],
  ['data that is an ArrayBuffer', () => ({ data: new ArrayBuffer(2) })],
  ['a header that is no text', () => ({ headers: { a: 5 } })],
  ['a message that is no text', () => ({ message: 5 })],
])(
  '%s is no reply: 500, and the upstream hears why, not an answer without it',
  async (_, handler) => {
    const { told, errors } = await answerOf(handler);
    expect(told).toMatchObject({ code: 500, message: 'internal error', clientSeqId: 7 });
    expect(errors).toEqual([expect.any(TypeError)]);
    expect(String(errors[0])).toMatch(/the reply: .+ is (Number|Array|ArrayBuffer|Object), not/);
  },
);

test.each([
  ['nothing', () => undefined, { code: 200, message: 'ok' }],
  ['null', () => null, { code: 200, message: 'ok' }],
  ['text', () => 'hi', { data: Buffer.from('hi') }],
  ['bytes', () => new Uint8Array([1]), { data: Buffer.from([1]) }],
  ['fields', () => ({ code: 201, headers: { a: 'b' } }), { code: 201, headers: { a: 'b' } }],
])('%s is a reply', async (_, handler, expected) => {
  const { told, errors } = await answerOf(handler);
  expect(told).toMatchObject(expected);
  expect(errors).toEqual([]);
});

test('half of an emoji in an answer does not make it one that no gateway can read', async () => {
  const half = 'cut \ud83d';
  const whole = 'cut \ufffd';
  const fields = { message: half, headers: { a: half } };
  expect((await answerOf(() => fields)).told).toMatchObject({
    message: whole,
    headers: { a: whole },
  });
  const refused = () => {
    throw new ReplyError(400, half);
  };
  expect((await answerOf(refused)).told).toMatchObject({ code: 400, message: whole });
});
