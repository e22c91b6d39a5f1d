import { expect, it } from '@jest/globals';
import { textWithin } from '../../../src/base/text-within.js';

it.each([
  ['abc', 3, 'abc'],
  ['abc', 2, 'ab'],
  ['aü', 2, 'a'],
  ['a🙂', 4, 'a'],
  ['a🙂', 5, 'a🙂'],
  ['🙂', 3, ''],
  // The sign that stands for what cannot be read is a character, too.
  ['\ufffd', 3, '\ufffd'],
  ['\ufffdab', 4, '\ufffda'],
])('%s within %i bytes is %s', (text, most, cut) => {
  expect(textWithin(text, most)).toBe(cut);
});
