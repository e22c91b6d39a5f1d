import { expect, test } from '@jest/globals';
import {
  UNACKNOWLEDGED_BYTES,
  Unacknowledged,
  announcedAckDelay,
} from '../../../src/quic/ack-delay.js';

test('the more connections, the later acknowledgements may come, up to a bound', () => {
  expect(announcedAckDelay(0)).toBe(25);
  expect(announcedAckDelay(1_000)).toBe(35);
  expect(announcedAckDelay(50_000)).toBe(525);
  expect(announcedAckDelay(1_000_000)).toBe(1_000);
});

test('a lone datagram is little, several only together with few bytes', () => {
  const came = new Unacknowledged();
  expect(came.isLittle).toBe(true);
  came.received(1, 1_500);
  expect(came.isLittle).toBe(true);
  came.received(1, 30);
  expect(came.isLittle).toBe(false);
  came.acknowledged();
  for (let sum = 0; sum < UNACKNOWLEDGED_BYTES; sum += 100) came.received(1, 100);
  expect(came.isLittle).toBe(true);
  came.received(1, 1);
  expect(came.isLittle).toBe(false);
});
