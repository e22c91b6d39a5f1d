import { expect, test } from '@jest/globals';
import { announcedAckDelay } from '../../../src/quic/ack-delay.js';

test('the more connections, the later acknowledgements may come, up to a bound', () => {
  expect(announcedAckDelay(0)).toBe(25);
  expect(announcedAckDelay(1_000)).toBe(35);
  expect(announcedAckDelay(50_000)).toBe(525);
  expect(announcedAckDelay(1_000_000)).toBe(1_000);
});
