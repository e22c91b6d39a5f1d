import { expect, it } from '@jest/globals';
import { Http3Fault } from '../../../src/http3/http3-fault.js';
import {
  MAX_CLOSE_BYTES,
  decodeSessionClose,
  encodeSessionClose,
} from '../../../src/http3/webtransport-close.js';

it('writes type, length, code and reason', () => {
  const capsule = encodeSessionClose(409, 'replaced');
  expect(capsule.toString('hex')).toBe('6843' + '0c' + '00000199' + '7265706c61636564');
  expect(decodeSessionClose(capsule.subarray(3))).toEqual({ code: 409, reason: 'replaced' });
});

it('cuts a reason that is too long between two characters', () => {
  const capsule = encodeSessionClose(0, 'ü'.repeat(600));
  const { reason } = decodeSessionClose(capsule.subarray(4));
  expect(reason).toBe('ü'.repeat(512));
  expect(capsule.length).toBe(4 + MAX_CLOSE_BYTES);
});

it('needs four bytes', () => {
  expect(decodeSessionClose(Buffer.alloc(4))).toEqual({ code: 0, reason: '' });
  expect(() => decodeSessionClose(Buffer.alloc(3))).toThrow(Http3Fault);
});
