import { beforeEach, expect, test } from '@jest/globals';
import type { StreamEnd } from '../../../src/grpc/message-stream.js';
import { StreamedCall } from '../../../src/grpc/streamed-call.js';
import { Http2Code } from '../../../src/grpc/status-mapping.js';
import { GrpcStatus } from '../../../src/grpc/unary-caller.js';
import { message } from '../../support/http2-peer.js';

const nothing = (): void => undefined;

let told: string[];
let call: StreamedCall;

beforeEach(() => {
  told = [];
  call = new StreamedCall(
    { maxMessageBytes: 1_000, connected: true, onSettled: nothing },
    0,
    '/a.B/C',
    {
      onMessage: (bytes) => void told.push(Buffer.from(bytes).toString()),
      onClosed: ({ status }: StreamEnd) => void told.push(`end ${status}`),
    },
  );
  call.attach({
    close: nothing,
    write: () => true,
    end: nothing,
    pause: nothing,
    resume: nothing,
  });
  call.pause();
  call.receiveData(Buffer.concat([message('one'), message('two'), message('cut').subarray(0, 6)]));
  call.receiveData(message('cut').subarray(6, 7));
});

test('what came while reading was paused is told before a lost connection is', () => {
  call.lose('cut', false);
  expect(told).toEqual(['one', 'two', `end ${GrpcStatus.UNAVAILABLE}`]);
});

test('what came while reading was paused is told before a reset is', () => {
  call.receiveReset(Http2Code.CANCEL);
  expect(told).toEqual(['one', 'two', `end ${GrpcStatus.CANCELLED}`]);
});

test('what came while reading was paused is dropped by a cancel', async () => {
  call.cancel();
  await Promise.resolve();
  expect(told).toEqual([`end ${GrpcStatus.CANCELLED}`]);
});
