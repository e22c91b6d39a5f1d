import { expect, it } from '@jest/globals';
import { firstPacketLength, receivePackets } from '../../../src/quic/coalesced-packets.js';

const handshake = Buffer.from('e00000000102aabb01cc03112233', 'hex');
const initial = Buffer.from('c00000000102aabb01cc02ddee4003112233', 'hex');
const short = Buffer.from('40aabb1122', 'hex');

it('a datagram is given away packet by packet, each byte once', () => {
  const given: string[] = [];
  const recv = (packet: Uint8Array) => given.push(Buffer.from(packet).toString('hex'));
  receivePackets({ recv }, Buffer.concat([initial, handshake, handshake, short]));
  expect(given).toEqual([initial, handshake, handshake, short].map((one) => one.toString('hex')));
});

it('crumbs are not given away one by one', () => {
  let calls = 0;
  receivePackets({ recv: () => ++calls }, Buffer.concat(Array<Buffer>(100).fill(handshake)));
  expect(calls).toBe(8);
});

it.each([
  ['a short header', '40aabb1122e0000000'],
  ['another version', 'e00000000202aabb01cc03112233ffff'],
  ['version negotiation', 'e00000000002aabb01cc03112233ffff'],
  ['a Retry', 'f00000000102aabb01cc03112233ffff'],
  ['more than there is', 'e00000000102aabb01cc09112233'],
  ['a length of eight bytes', 'e00000000102aabb01ccc000000000000003112233ffff'],
  ['a token that is too long', 'c00000000102aabb01cc7fff4003112233'],
  ['an id that is cut', 'e000000001ffaabb'],
  ['six bytes', 'e00000000102'],
  ['one byte', 'c0'],
])('%s is the whole datagram', (_, hex) => {
  const datagram = Buffer.from(hex, 'hex');
  expect(firstPacketLength(datagram)).toBe(datagram.length);
});
