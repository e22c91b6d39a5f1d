import { describe, expect, it } from '@jest/globals';
import { CapsuleReader, CapsuleType, encodeCapsule } from '../../../src/http3/capsule-reader.js';
import { Http3Code } from '../../../src/http3/http3-fault.js';
import { decodeDatagram } from '../../../src/http3/http-datagram.js';

describe('HTTP datagrams', () => {
  it('name their stream by a quarter of its id', () => {
    const datagram = Buffer.from('40646869', 'hex');
    expect(decodeDatagram(datagram)).toEqual({ streamId: 400, payload: Buffer.from('hi') });
    expect(decodeDatagram(Buffer.of(1)).payload).toHaveLength(0);
  });

  it.each(['', '40', 'c00000000000', 'd000000000000000', 'ffffffffffffffff'])(
    'are refused: %s',
    (hex) => {
      expect(() => decodeDatagram(Buffer.from(hex, 'hex'))).toThrow(
        expect.objectContaining({ scope: 'connection', code: Http3Code.DATAGRAM_ERROR }),
      );
    },
  );
});

describe('capsules', () => {
  const limits = new Map([[CapsuleType.CLOSE_WEBTRANSPORT_SESSION as number, 1_028]]);

  it('are found among those that nobody knows', () => {
    const close = encodeCapsule(
      CapsuleType.CLOSE_WEBTRANSPORT_SESSION,
      Buffer.from('\0\0\0\x05bye'),
    );
    expect(close.toString('hex')).toBe('6843070000000562796' + '5');
    const reader = new CapsuleReader(limits);
    reader.feed(Buffer.concat([encodeCapsule(0x1f + 0x21, Buffer.alloc(3_000)), close]));
    expect(reader.next()).toBe('frame');
    expect(reader.type).toBe(CapsuleType.CLOSE_WEBTRANSPORT_SESSION);
    expect(Buffer.from(reader.payload).toString('latin1', 4)).toBe('bye');
    expect(reader.next()).toBeNull();
  });

  it('that are wanted and too long are told, not held', () => {
    const reader = new CapsuleReader(limits);
    reader.feed(Buffer.from('6843ffffffffffffffff00', 'hex'));
    expect([reader.next(), reader.next()]).toEqual(['oversized', null]);
  });
});
