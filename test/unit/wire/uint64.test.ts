import { describe, expect, it } from '@jest/globals';
import {
  ClientAck,
  ClientRequest,
  HeartbeatRequest,
  decodeMessage,
  encodeMessage,
} from '../../../src/wire/messages.js';
import {
  CheckedReader,
  ClientReader,
  FieldCountError,
  Uint64RangeError,
  checkedUint64,
} from '../../../src/wire/uint64.js';

/** The varint of a 64-bit pattern (protobuf encoding guide, "Varints"), by BigInt. */
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

const readUnsigned = (bytes: Uint8Array): unknown => new CheckedReader(bytes).uint64();
const readSigned = (bytes: Uint8Array): unknown => new CheckedReader(bytes).int64();

describe('CheckedReader', () => {
  it.each([0, 1, 127, 128, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 49 - 1, 2 ** 49, 2 ** 53 - 1])(
    'reads %d as a plain number, signed and unsigned',
    (value) => {
      expect(readUnsigned(varint(BigInt(value)))).toBe(value);
      expect(readSigned(varint(BigInt(value)))).toBe(value);
    },
  );

  it.each([-1, -128, -(2 ** 32), -(2 ** 53) + 1])('reads the signed %d', (value) => {
    expect(readSigned(varint(BigInt(value)))).toBe(value);
  });

  it.each([2n ** 53n, 2n ** 53n + 1n, 2n ** 56n, 2n ** 63n - 1n])('refuses %d', (value) => {
    expect(() => readUnsigned(varint(value))).toThrow(Uint64RangeError);
    expect(() => readSigned(varint(value))).toThrow(Uint64RangeError);
  });

  it.each([-(2n ** 53n), -(2n ** 63n)])('refuses the signed %d', (value) => {
    expect(() => readSigned(varint(value))).toThrow('below -2^53');
  });

  it('refuses a negative number where none can be', () => {
    expect(() => readUnsigned(varint(-1n))).toThrow(Uint64RangeError);
  });

  it('takes a varint that is longer than it need be, as protobuf allows', () => {
    expect(readUnsigned(Buffer.from('8580808080808080 8000'.replace(' ', ''), 'hex'))).toBe(5);
    expect(readSigned(Buffer.from('85808080808080808000', 'hex'))).toBe(5);
  });

  it.each(['', '80', 'ffffffff', '808080808080808080'])('refuses the cut varint "%s"', (hex) => {
    expect(() => readUnsigned(Buffer.from(hex, 'hex'))).toThrow('runs past the end');
    expect(() => readSigned(Buffer.from(hex, 'hex'))).toThrow('runs past the end');
  });

  it('reads so many fields and no more, those of entries and unknown groups counted', () => {
    const headers = Object.fromEntries([...'abc'].map((name) => [name, name]));
    const bytes = encodeMessage(ClientRequest, { msgId: 1, headers });
    expect(decodeMessage(ClientRequest, bytes, 10).headers).toEqual(headers);
    expect(() => decodeMessage(ClientRequest, bytes, 9)).toThrow(FieldCountError);
    // Field 20, a group that holds two fields and its end.
    const group = Buffer.from('a3010801 0801 a401'.replaceAll(' ', ''), 'hex');
    expect(decodeMessage(ClientRequest, group, 4).msgId).toBe(0);
    expect(() => decodeMessage(ClientRequest, group, 3)).toThrow('more than 3 fields');
  });

  it('refuses a varint of 11 bytes', () => {
    const bytes = Buffer.from('8080808080808080808001', 'hex');
    expect(() => readUnsigned(bytes)).toThrow('longer than 10');
    expect(() => readSigned(bytes)).toThrow('longer than 10');
  });

  it('does not read past the message, though the buffer goes on', () => {
    const buffer = Buffer.from([0x08, 0x80, 0x01]);
    expect(() => decodeMessage(ClientAck, buffer.subarray(0, 2))).toThrow('runs past the end');
  });

  it('reads plain Uint8Arrays as it reads Buffers', () => {
    expect(readUnsigned(new Uint8Array([0, 0xac, 0x02]).subarray(1))).toBe(300);
  });
});

describe('ClientReader', () => {
  const unsigned = (value: bigint): unknown => new ClientReader(varint(value)).uint64();
  const signed = (value: bigint): unknown => new ClientReader(varint(value)).int64();

  it('reads what can be counted as it is, and rounds what cannot', () => {
    for (const value of [0n, 300n, 2n ** 53n - 1n]) {
      expect([unsigned(value), signed(value)]).toEqual([Number(value), Number(value)]);
    }
    expect(unsigned(2n ** 53n + 1n)).toBe(2 ** 53);
    expect(unsigned(2n ** 64n - 1n)).toBe(2 ** 64);
    expect(signed(-(2n ** 63n))).toBe(-(2 ** 63));
    expect(signed(1_700_000_000_123_456_789n)).toBe(1_700_000_000_123_456_768);
  });

  it('reads no signed number that would not be one when it is written again', () => {
    const clientTimestamp = signed(2n ** 63n - 1n) as number;
    const written = encodeMessage(HeartbeatRequest, { clientTimestamp });
    expect(new ClientReader(written.subarray(1)).int64()).toBe(clientTimestamp);
    expect(clientTimestamp).toBeGreaterThan(2 ** 62);
  });

  it.each(['80', '8080808080808080808001'])('refuses the bytes %s, which are no number', (hex) => {
    expect(() => new ClientReader(Buffer.from(hex, 'hex')).uint64()).toThrow(RangeError);
  });
});

describe('64-bit fields of messages', () => {
  it('are numbers when they are absent, too', () => {
    const nothing = new Uint8Array(0);
    expect(decodeMessage(ClientAck, nothing).ackedSeqId).toBe(0);
    expect(decodeMessage(HeartbeatRequest, nothing).clientTimestamp).toBe(0);
  });

  it('survive encoding up to the limit', () => {
    const ackedSeqId = Number.MAX_SAFE_INTEGER;
    const bytes = encodeMessage(ClientAck, { ackedSeqId });
    expect(decodeMessage(ClientAck, bytes).ackedSeqId).toBe(ackedSeqId);
    const clientTimestamp = -1_700_000_000_123;
    const beat = encodeMessage(HeartbeatRequest, { clientTimestamp });
    expect(decodeMessage(HeartbeatRequest, beat).clientTimestamp).toBe(clientTimestamp);
  });
});

describe('checkedUint64', () => {
  it.each([0, 1, 2 ** 53 - 1])('passes %d through', (value) => {
    expect(checkedUint64(value)).toBe(value);
  });

  it.each([-1, 0.5, NaN, Infinity, -Infinity, 2 ** 53])('refuses %d', (value) => {
    expect(() => checkedUint64(value)).toThrow(Uint64RangeError);
  });
});
