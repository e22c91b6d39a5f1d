import { afterEach, expect, jest, test } from '@jest/globals';
import { MessageAssembler } from '../../../src/grpc/message-assembler.js';

const MAX_BYTES = 4 * 1_048_576;

afterEach(() => {
  jest.restoreAllMocks();
});

function assembler(messages: Buffer[]): MessageAssembler {
  return new MessageAssembler({
    maxMessageBytes: MAX_BYTES,
    takesCompressed: false,
    onMessage: (message) => messages.push(message) > 0,
    onUnusable: (_, reason) => {
      throw new Error(reason);
    },
  });
}

function prefix(length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

test('a message takes memory as it comes, whatever its prefix claims', () => {
  const allocate = jest.spyOn(Buffer, 'allocUnsafe');
  const whole = assembler([]);
  whole.take(prefix(MAX_BYTES));
  for (let sent = 0; sent < 100_000; sent += 1_000) whole.take(Buffer.alloc(1_000));
  const sizes = allocate.mock.calls.map(([size]) => size);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(2 * 100_000);
});

test.each([1, 16_383, 16_384, 16_385, 50_000, MAX_BYTES])(
  'a message of %i bytes arrives whole in pieces of any size',
  (length) => {
    const messages: Buffer[] = [];
    const body = Buffer.alloc(length);
    for (let at = 0; at < length; at += 7) body[at] = at;
    const sent = Buffer.concat([prefix(length), body, prefix(3), Buffer.from('end')]);
    const whole = assembler(messages);
    let size = 3;
    for (let at = 0; at < sent.length; at += size, size = 3 + ((size * 7) % 20_011)) {
      whole.take(Buffer.from(sent.subarray(at, at + size)));
    }
    expect(whole.whole).toBe(true);
    expect(messages).toHaveLength(2);
    expect(messages[0]?.equals(body)).toBe(true);
    expect(messages[1]?.toString()).toBe('end');
  },
);
