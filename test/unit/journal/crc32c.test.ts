import { describe, expect, it } from '@jest/globals';
import { crc32c } from '../../../src/journal/crc32c.js';

describe('crc32c', () => {
  // RFC 3720, appendix B.4, and the check value of the CRC catalogue.
  it.each([
    ['the text 123456789', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
    ['32 bytes of zeroes', Buffer.alloc(32), 0x8a9136aa],
    ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['32 bytes counting up', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
    [
      '32 bytes counting down',
      Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)),
      0x113fdb5c,
    ],
    ['an iSCSI read command', iscsiRead(), 0xd9963a56],
  ])('of %s is the published value', (_what, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  it('is computed of the view, not of the buffer behind it', () => {
    expect(crc32c(Buffer.from('x123456789x').subarray(1, 10))).toBe(0xe3069283);
  });
});

function iscsiRead(): Buffer {
  const command = Buffer.alloc(48);
  command.set([0x01, 0xc0]);
  command.set([0x14], 16);
  command.set([0x04], 22);
  command.set([0x14], 27);
  command.set([0x18], 31);
  command.set([0x28], 32);
  command.set([0x02], 40);
  return command;
}
