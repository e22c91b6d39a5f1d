import { describe, expect, it } from '@jest/globals';
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import { ConnectionIdSource, idKey } from '../../../src/quic/connection-id.js';
import {
  TransportError,
  initialClose,
  serverInitialKeys,
} from '../../../src/quic/initial-close.js';
import { InitialGate } from '../../../src/quic/initial-gate.js';
import type { Verdict } from '../../../src/quic/initial-gate.js';
import { parseLongHeader } from '../../../src/quic/packet-header.js';
import { RetryTokens } from '../../../src/quic/retry-token.js';
import { StatelessResets } from '../../../src/quic/stateless-reset.js';
import { FakeClock } from '../../support/fake-clock.js';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');
const KEY = Buffer.alloc(32, 7);

describe('parseLongHeader', () => {
  const ids = '08 0102030405060708 04 aabbccdd';

  it('reads version, ids and the token of an Initial', () => {
    const datagram = hex(`c3 00000001 ${ids} 05 1122334455 4001 ffff`);
    expect(parseLongHeader(datagram)).toEqual({
      version: 1,
      kind: 'initial',
      dcid: hex('0102030405060708'),
      scid: hex('aabbccdd'),
      token: hex('1122334455'),
    });
  });

  it('reads a token whose length takes two bytes', () => {
    const token = Buffer.alloc(100, 9);
    const datagram = Buffer.concat([hex(`c0 00000001 ${ids} 4064`), token]);
    expect(parseLongHeader(datagram)?.token).toEqual(token);
  });

  it('tells the kinds apart', () => {
    const kinds = ['c0', 'd0', 'e0', 'f0'].map(
      (first) => parseLongHeader(hex(`${first} 00000001 ${ids} 00`))?.kind,
    );
    expect(kinds).toEqual(['initial', 'zero-rtt', 'handshake', 'retry']);
    expect(parseLongHeader(hex(`80 00000000 ${ids}`))?.kind).toBe('negotiation');
  });

  it('reads the ids of other versions whatever their length', () => {
    const long = '11'.repeat(255);
    const header = parseLongHeader(hex(`80 ff00001d ff ${long} ff ${long}`));
    expect(header?.dcid).toHaveLength(255);
    expect(header?.scid).toHaveLength(255);
  });

  it('refuses what is cut off, has no fixed bit, or has ids too long for version 1', () => {
    const whole = hex(`c3 00000001 ${ids} 05 1122334455`);
    for (let length = 0; length < whole.length; length++) {
      expect(parseLongHeader(whole.subarray(0, length))).toBeNull();
    }
    expect(parseLongHeader(hex(`83 00000001 ${ids} 00`))).toBeNull();
    expect(parseLongHeader(hex(`43 00000001 ${ids} 00`))).toBeNull();
    expect(parseLongHeader(hex(`c3 00000001 15 ${'11'.repeat(21)} 00 00`))).toBeNull();
    expect(parseLongHeader(hex(`c3 00000001 ${ids} 80000001 11`))).toBeNull();
  });
});

describe('initialClose', () => {
  it('derives the keys of RFC 9001 appendix A.1', () => {
    const keys = serverInitialKeys(hex('8394c8f03e515708'));
    expect(keys.key).toEqual(hex('cf3a5331653c364c88f0f379b6067e37'));
    expect(keys.iv).toEqual(hex('0ac1493ca1905853b0bba03e'));
    expect(keys.hp).toEqual(hex('c206b8d9b9f0f37644430b490eeaa314'));
  });

  it('makes a packet that opens with those keys and says the code', () => {
    const dcid = hex('aabbccdd');
    const scid = hex('8394c8f03e515708');
    const packet = initialClose(dcid, scid, TransportError.InvalidToken);
    expect(parseLongHeader(packet)).toMatchObject({ kind: 'initial', version: 1, dcid, scid });
    const { key, iv, hp } = serverInitialKeys(scid);
    const numberAt = 7 + dcid.length + scid.length + 2;
    const mask = createCipheriv('aes-128-ecb', hp, null).update(
      packet.subarray(numberAt + 4, numberAt + 20),
    );
    const header = Buffer.from(packet.subarray(0, numberAt + 1));
    header.writeUInt8((header[0] ?? 0) ^ ((mask[0] ?? 0) & 0x0f), 0);
    header.writeUInt8((header[numberAt] ?? 0) ^ (mask[1] ?? 0), numberAt);
    expect([header[0], header[numberAt]]).toEqual([0xc0, 0]);
    expect(header[numberAt - 1]).toBe(packet.length - numberAt);
    const decipher = createDecipheriv('aes-128-gcm', key, iv);
    decipher.setAAD(header);
    decipher.setAuthTag(packet.subarray(-16));
    const payload = Buffer.concat([
      decipher.update(packet.subarray(numberAt + 1, -16)),
      decipher.final(),
    ]);
    expect(payload).toEqual(hex('1c 0b 00 00'));
  });
});

describe('RetryTokens', () => {
  const originalId = hex('0102030405060708090a');
  const newId = hex('1111111111111111');

  it('prove address, ids and age, and nothing else', () => {
    const clock = new FakeClock();
    const tokens = new RetryTokens(KEY, clock);
    const token = tokens.mint('10.0.0.1', 4000, originalId, newId);
    expect(tokens.open('10.0.0.1', 4000, token, newId)).toEqual(originalId);
    expect(tokens.open('10.0.0.2', 4000, token, newId)).toBeNull();
    expect(tokens.open('10.0.0.1', 4001, token, newId)).toBeNull();
    expect(tokens.open('10.0.0.1', 4000, token, originalId)).toBeNull();
    expect(
      new RetryTokens(Buffer.alloc(32), clock).open('10.0.0.1', 4000, token, newId),
    ).toBeNull();
    for (let at = 0; at < token.length; at++) {
      const forged = Buffer.from(token);
      forged.writeUInt8((forged[at] ?? 0) ^ 1, at);
      expect(tokens.open('10.0.0.1', 4000, forged, newId)).toBeNull();
      expect(tokens.open('10.0.0.1', 4000, token.subarray(0, at), newId)).toBeNull();
    }
    clock.advance(14_000);
    expect(tokens.open('10.0.0.1', 4000, token, newId)).toEqual(originalId);
    clock.advance(3_000);
    expect(tokens.open('10.0.0.1', 4000, token, newId)).toBeNull();
  });
});

describe('RetryTokens of a wall clock that four bytes do not hold', () => {
  it.each([
    ['after 2106', Date.UTC(2121, 0, 1)],
    ['before 1970', Date.UTC(1966, 0, 1)],
    ['at the end of the four bytes', 2 ** 32 * 1000 - 1_000],
  ])('prove the age: %s', (_, wall) => {
    const clock = new FakeClock(1_000, wall);
    const tokens = new RetryTokens(KEY, clock);
    const [originalId, newId] = [hex('0102030405060708090a'), hex('1111111111111111')];
    const token = tokens.mint('10.0.0.1', 4000, originalId, newId);
    clock.advance(14_000);
    expect(tokens.open('10.0.0.1', 4000, token, newId)).toEqual(originalId);
    clock.advance(3_000);
    expect(tokens.open('10.0.0.1', 4000, token, newId)).toBeNull();
  });
});

describe('ConnectionIdSource', () => {
  it('never gives the same id twice and keeps those it gave', () => {
    const ids = new ConnectionIdSource(KEY);
    const given = Array.from({ length: 2_000 }, () => ids.next());
    const keys = given.map(idKey);
    expect(new Set(keys).size).toBe(2_000);
    expect(given.map(idKey)).toEqual(keys);
  });

  it('derives reset tokens from key and id alone, also as a number', () => {
    const id = hex('0102030405060708');
    const token = new ConnectionIdSource(KEY).resetToken(id);
    expect(new ConnectionIdSource(KEY).resetToken(id)).toEqual(token);
    expect(new ConnectionIdSource(Buffer.alloc(32)).resetToken(id)).not.toEqual(token);
    expect(new ConnectionIdSource(KEY).resetToken(hex('0102030405060709'))).not.toEqual(token);
    const number = new ConnectionIdSource(KEY).resetTokenNumber(id);
    expect(number.toString(16).padStart(32, '0')).toBe(token.toString('hex'));
  });
});

describe('StatelessResets', () => {
  it('end in the token of the id, are shorter than their cause, and at most 1,000 a second', () => {
    const clock = new FakeClock();
    const ids = new ConnectionIdSource(KEY);
    const resets = new StatelessResets(ids, clock);
    const datagram = Buffer.alloc(60, 0x41);
    const reset = resets.answerShort(datagram);
    expect(reset).toHaveLength(43);
    expect(reset?.subarray(-16)).toEqual(ids.resetToken(datagram.subarray(1, 9)));
    expect((reset?.[0] ?? 0) & 0xc0).toBe(0x40);
    expect(resets.answerShort(datagram.subarray(0, 30))).toHaveLength(29);
    expect(resets.answerShort(datagram.subarray(0, 21))).toBeNull();
    let given = 0;
    for (let count = 0; count < 2_000; count++)
      given += resets.answerShort(datagram) === null ? 0 : 1;
    expect(given).toBe(998);
    clock.advance(1_000);
    expect(resets.answerShort(datagram)).not.toBeNull();
  });

  it('answer Handshake packets to ids as ours are', () => {
    const ids = new ConnectionIdSource(KEY);
    const resets = new StatelessResets(ids, new FakeClock());
    const datagram = Buffer.alloc(60, 0xe1);
    const id = hex('0102030405060708');
    expect(resets.answerHandshake(id, datagram)?.subarray(-16)).toEqual(ids.resetToken(id));
    expect(resets.answerHandshake(id.subarray(1), datagram)).toBeNull();
    expect(resets.answerHandshake(Buffer.alloc(20), datagram)).toBeNull();
    expect(resets.answerHandshake(id, datagram.subarray(0, 21))).toBeNull();
  });
});

describe('InitialGate', () => {
  const from: RemoteInfo = { address: '192.0.2.1', port: 4433, family: 'IPv4', size: 1_200 };
  const open = { refusal: (): null => null, handshakeCount: (): number => 0 };
  const limits = { retryAbove: 10, maxHandshakes: 20 };

  it('tells 200 strangers a second which versions there are, and ignores the others', () => {
    const clock = new FakeClock();
    const gate = new InitialGate(KEY, clock, new ConnectionIdSource(KEY), limits, open);
    const noise = Buffer.alloc(1_200, 0xff);
    const header = parseLongHeader(noise);
    if (header === null) throw new Error('noise looks like a long header');
    const verdicts = Array.from({ length: 300 }, () => gate.judge(header, noise, from));
    expect(verdicts.filter(({ kind }) => kind === 'answer')).toHaveLength(200);
    expect(verdicts.at(-1)).toEqual({ kind: 'drop', reason: 'unknown_version' });
    clock.advance(1_000);
    expect(gate.judge(header, noise, from).kind).toBe('answer');
  });

  it('refuses 1,000 Initials a second, and ignores the others, which come again', () => {
    const clock = new FakeClock();
    const full = { ...open, refusal: (): string => 'max_connections' };
    const gate = new InitialGate(KEY, clock, new ConnectionIdSource(KEY), limits, full);
    const initial = Buffer.alloc(1_200);
    hex('c3 00000001 08 0102030405060708 00 00 4496').copy(initial);
    const header = parseLongHeader(initial);
    if (header === null) throw new Error('not an Initial');
    const kinds = Array.from({ length: 1_500 }, () => gate.judge(header, initial, from).kind);
    expect(kinds.filter((kind) => kind === 'refuse')).toHaveLength(1_000);
    expect(kinds.at(-1)).toBe('drop');
    clock.advance(1_000);
    expect(gate.judge(header, initial, from).kind).toBe('refuse');
  });

  describe('of a client with a token', () => {
    const clock = new FakeClock();
    const gate = new InitialGate(KEY, clock, new ConnectionIdSource(KEY), limits, open);
    const datagram = Buffer.alloc(1_200);
    const first = hex('0102030405060708090a');
    const chosen = hex('1111111111111111');
    const token = new RetryTokens(KEY, clock).mint(from.address, from.port, first, chosen);
    const judge = (bytes: Uint8Array, dcid = chosen): Verdict => {
      const header = { version: 1, kind: 'initial', dcid, scid: chosen, token: bytes } as const;
      return gate.judge(header, datagram, from);
    };

    it('lets in who has one of another server, as if it had none', () => {
      expect(judge(hex('deadbeef'.repeat(9)))).toMatchObject({ kind: 'accept', originalId: null });
      expect(judge(hex('67'))).toMatchObject({ kind: 'accept', originalId: null });
      const shortId = hex('11111111111111');
      expect(judge(hex('deadbeef'), shortId)).toEqual({ kind: 'drop', reason: 'malformed' });
    });

    it('lets in who was sent a Retry, and refuses an altered or expired token of ours', () => {
      expect(judge(token)).toEqual({ kind: 'accept', id: chosen, originalId: first });
      const altered = Buffer.from(token);
      altered.writeUInt8((altered.at(-1) ?? 0) ^ 1, altered.length - 1);
      expect(judge(altered)).toMatchObject({ kind: 'refuse', reason: 'invalid_token' });
      expect(judge(token.subarray(0, 10))).toMatchObject({ reason: 'invalid_token' });
      clock.advance(60_000);
      expect(judge(token)).toMatchObject({ kind: 'refuse', reason: 'invalid_token' });
    });
  });
});
