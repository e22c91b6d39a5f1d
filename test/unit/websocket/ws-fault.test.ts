import { describe, expect, it } from '@jest/globals';
import {
  WsFault,
  closeCodeOf,
  closeReason,
  errorCodeOf,
  faultOfLibrary,
} from '../../../src/websocket/ws-fault.js';
import { ErrorCode } from '../../../src/wire/error-catalogue.js';

describe('close codes', () => {
  it('carry every code of the catalogue there and back', () => {
    for (const code of Object.values(ErrorCode)) {
      const closeCode = closeCodeOf(code);
      expect(closeCode).toBe(code === 0 ? 1000 : 4000 + code);
      expect(errorCodeOf(closeCode)).toBe(code);
    }
    expect(errorCodeOf(4000)).toBe(0);
  });

  it.each([1000, 1001, 1002, 1005, 1006, 1011, 3000, 4001, 4499, 4999])(
    'mean nothing to us where they are %d',
    (closeCode) => expect(errorCodeOf(closeCode)).toBe(0),
  );
});

describe('a close reason', () => {
  it('is cut to 123 bytes between characters', () => {
    expect(closeReason('short')).toBe('short');
    expect(closeReason('x'.repeat(123))).toHaveLength(123);
    expect(closeReason('x'.repeat(200))).toBe('x'.repeat(123));
    expect(closeReason('é'.repeat(100))).toBe('é'.repeat(61));
    expect(closeReason(`a${'漢'.repeat(60)}`)).toBe(`a${'漢'.repeat(40)}`);
    expect(closeReason('😀'.repeat(40))).toBe('😀'.repeat(30));
  });
});

describe('what the library finds', () => {
  it.each([
    ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 413, 1009],
    ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', 413, 1009],
    ['WS_ERR_TOO_MANY_BUFFERED_PARTS', 413, 1008],
    ['WS_ERR_INVALID_UTF8', 400, 1007],
    ['WS_ERR_EXPECTED_MASK', 400, 1002],
  ])('%s is %d with close code %d', (name, code, closeCode) => {
    const fault = faultOfLibrary(Object.assign(new Error('why'), { code: name }));
    expect(fault).toBeInstanceOf(WsFault);
    expect([fault.code, fault.closeCode]).toEqual([code, closeCode]);
  });
});
