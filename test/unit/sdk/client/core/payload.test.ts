import { describe, expect, test } from '@jest/globals';
import { Answer, Push } from '../../../../../src/sdk/client/core/payload.js';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('Push', () => {
  test('takes type and title apart', () => {
    const push = new Push(3, '[chat] hello [you]', bytes('hi'), {});
    expect([push.type, push.title, push.content]).toEqual(['chat', 'hello [you]', 'hi']);
  });

  test('prefers the header where data and content both came', () => {
    const push = new Push(3, '[] ', bytes('{"a":1}'), { content: 'words' });
    expect([push.type, push.title, push.content]).toEqual(['', '', 'words']);
    expect(push.json()).toEqual({ a: 1 });
  });

  test('keeps a message that is not in that form as the title', () => {
    const push = new Push(3, 'plain', bytes(''), {});
    expect([push.type, push.title]).toEqual(['', 'plain']);
  });
});

test('an answer reads as text and JSON', () => {
  const answer = new Answer(200, 'ok', bytes('[1,2]'), { zone: '003' });
  expect(answer.text).toBe('[1,2]');
  expect(answer.json()).toEqual([1, 2]);
});
