import { expect, test } from '@jest/globals';
import { reflectionMethods } from '../../../src/grpc/reflection.js';
import type { ResponseStream, StreamCall, StreamMethod } from '../../../src/grpc/server-method.js';
import { GrpcStatus } from '../../../src/grpc/unary-caller.js';

test('only so many may ask at once, over both versions together, and each of them little', () => {
  const methods = reflectionMethods(['grpc.health.v1.Health']);
  expect(methods.map((method) => method.maxRequestBytes)).toEqual([4_096, 4_096]);
  const ends: (number | undefined)[] = [];
  const responses: ResponseStream = {
    write: () => true,
    queuedBytes: 0,
    pause: () => undefined,
    resume: () => undefined,
    end: (status) => void ends.push(status),
  };
  const open = (index: number): StreamCall =>
    (methods[index % methods.length] as StreamMethod).open(responses, '127.0.0.1:5000');
  const calls = Array.from({ length: 64 }, (_, index) => open(index));
  expect(ends).toEqual([]);
  open(0).onClosed();
  expect(ends).toEqual([GrpcStatus.RESOURCE_EXHAUSTED]);
  calls[0]?.onClosed();
  open(1);
  expect(ends).toHaveLength(1);
});
