import { afterAll, describe, expect, test } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KEY_POLL_MS, KeyRing } from '../../../src/auth/key-ring.js';
import type { KeySource } from '../../../src/auth/key-ring.js';
import { judgeToken } from '../../../src/auth/token-verdict.js';
import { createLogger } from '../../../src/telemetry/log.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TokenIssuer, hmac, part } from '../../support/token-issuer.js';

const folder = mkdtempSync(join(tmpdir(), 'gatesvr-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));

const PATH = join(folder, 'keys');
let written = 0;

/** Writes the file with a time of its own, for two writes may fall into one tick of the disk's clock. */
function write(content: unknown): void {
  writeFileSync(PATH, typeof content === 'string' ? content : JSON.stringify(content));
  utimesSync(PATH, 1_700_000_000, 1_700_000_000 + ++written);
}

function ringOf(source: KeySource) {
  const lines: { msg: string; level: number }[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const clock = new FakeClock();
  const ring = new KeyRing(
    source,
    clock,
    createLogger({ level: 'info', format: 'json' }, destination),
  );
  return { ring, clock, lines };
}

const JWKS: KeySource = { kind: 'jwks_file', path: PATH };
const PEM: KeySource = { kind: 'key_file', path: PATH };

/** Whether the keys in force accept a token of alice's, or why not. */
async function accepts(ring: KeyRing, token: string): Promise<unknown> {
  const demands = { subject: 'alice', issuer: null, audience: [], clockTolerance: 0, now: 0 };
  const verdict = await judgeToken(token, ring.current, demands);
  return typeof verdict === 'string' ? verdict : true;
}

const first = new TokenIssuer('RS256', 'first');
const second = new TokenIssuer('ES256', 'second');
const third = new TokenIssuer('EdDSA', 'third');
const ALICE = { sub: 'alice' };

describe('a key set', () => {
  test('is read again when the file changes: rotation without a restart', async () => {
    write({ keys: [first.jwk] });
    const { ring, clock, lines } = ringOf(JWKS);
    await ring.start();
    expect(await accepts(ring, first.token(ALICE))).toBe(true);
    expect(await accepts(ring, second.token(ALICE))).toBe('algorithm');
    write({ keys: [first.jwk, second.jwk, third.jwk] });
    clock.advance(KEY_POLL_MS);
    while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const issuer of [first, second, third]) {
      expect(await accepts(ring, issuer.token(ALICE))).toBe(true);
    }
    write({ keys: [second.jwk] });
    await ring.reload();
    expect(await accepts(ring, first.token(ALICE))).toBe('algorithm');
    expect(await accepts(ring, new TokenIssuer('ES256', 'other').token(ALICE))).toBe('unknown_key');
    expect(lines.map(({ msg }) => msg)).toEqual(['token keys reloaded', 'token keys reloaded']);
    ring.stop();
    expect(clock.pending).toBe(0);
  });

  test('that became bad changes nothing but the log, once, and the next good one is taken', async () => {
    write({ keys: [first.jwk] });
    const { ring, lines } = ringOf(JWKS);
    await ring.start();
    write('{"keys": [');
    await ring.reload();
    await ring.reload();
    expect(ring.fault).toBe('auth.jwks_file: the old keys stay in force: it is no JSON');
    expect(lines.map(({ level }) => level)).toEqual([40]);
    rmSync(PATH);
    await ring.reload();
    expect(ring.fault).toContain('no such file');
    expect(await accepts(ring, first.token(ALICE))).toBe(true);
    write({ keys: [second.jwk] });
    await ring.reload();
    expect(ring.fault).toBe('');
    expect(await accepts(ring, second.token(ALICE))).toBe(true);
    ring.stop();
  });

  test('without key ids is tried key by key', async () => {
    const [old, young, stranger] = [1, 2, 3].map(() => new TokenIssuer('ES256'));
    write({ keys: [old?.jwk, young?.jwk] });
    const { ring } = ringOf(JWKS);
    await ring.start();
    ring.stop();
    expect(await accepts(ring, old?.token(ALICE) ?? '')).toBe(true);
    expect(await accepts(ring, young?.token(ALICE) ?? '')).toBe(true);
    expect(await accepts(ring, young?.token({ sub: 'bob' }) ?? '')).toBe('wrong_subject');
    expect(await accepts(ring, stranger?.token(ALICE) ?? '')).toBe('signature');
  });

  test('fixes the algorithm of each key', async () => {
    write({ keys: [first.jwk, { ...second.jwk, alg: 'ES256', use: 'sig' }] });
    const { ring } = ringOf(JWKS);
    await ring.start();
    ring.stop();
    expect(await accepts(ring, second.token(ALICE))).toBe(true);
    expect(await accepts(ring, second.token(ALICE, { kid: 'first' }))).toBe('unknown_key');
    expect(await accepts(ring, second.token(ALICE, { alg: 'RS256' }))).toBe('unknown_key');
    const text = `${part({ alg: 'HS256', kid: 'first' })}.${part(ALICE)}`;
    const forged = `${text}.${hmac(Buffer.from(text), first.pem).toString('base64url')}`;
    expect(await accepts(ring, forged)).toBe('algorithm');
  });

  test('passes over keys of other kinds, purposes and private ones', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
    const secret = { kty: 'oct', k: Buffer.alloc(32).toString('base64url') };
    const others = [{ kty: 'new' }, null, 7, secret, weak.export({ format: 'jwk' })];
    write({ keys: [...others, { ...second.jwk, alg: 'ES512' }, third.jwk] });
    const { ring } = ringOf(JWKS);
    await ring.start();
    ring.stop();
    expect(ring.current.algorithms).toEqual(['EdDSA']);
    expect(await accepts(ring, third.token(ALICE))).toBe(true);
  });

  // Whoever removes the private members of a key often leaves what it could do with them.
  test.each<[string, object]>([
    ['names signing beside verifying', { key_ops: ['sign', 'verify'] }],
    ['names encryption beside verifying', { key_ops: ['verify', 'encrypt'] }],
    ['names verifying twice', { key_ops: ['verify', 'verify'] }],
    ['has an ext that is no boolean', { ext: 'true' }],
    ['has a use that is no text', { use: null }],
  ])('verifies with a key that %s', async (_, members) => {
    write({ keys: [{ ...first.jwk, ...members }, second.jwk] });
    const { ring } = ringOf(JWKS);
    await ring.start();
    ring.stop();
    expect(await accepts(ring, first.token(ALICE))).toBe(true);
    expect(await accepts(ring, second.token(ALICE))).toBe(true);
  });
});

describe('a PEM key', () => {
  test('is read again when the file changes, also to another kind', async () => {
    write(first.pem);
    const { ring } = ringOf(PEM);
    await ring.start();
    expect(await accepts(ring, first.token(ALICE))).toBe(true);
    write(third.pem);
    await ring.reload();
    expect(await accepts(ring, third.token(ALICE))).toBe(true);
    expect(await accepts(ring, first.token(ALICE))).toBe('algorithm');
    ring.stop();
  });
});

describe('keys that cannot be used stop the start', () => {
  const pem = (key: { export(o: { type: 'spki'; format: 'pem' }): string | Buffer }) =>
    key.export({ type: 'spki', format: 'pem' }).toString();
  const privatePem = generateKeyPairSync('ed25519').privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });

  const setOf = (members: object) => JSON.stringify({ keys: [{ ...first.jwk, ...members }] });

  test.each<[string, KeySource['kind'], string, RegExp]>([
    ['a short secret', 'secret', 'hunter2', /^auth\.secret cannot be used: it has 7 bytes/],
    ['a private key', 'key_file', privatePem.toString(), /private key; give the public one/],
    ['no key', 'key_file', 'hello', /no PEM public key/],
    // The first alone would be in force, as if the other were, too.
    ['two keys', 'key_file', first.pem + third.pem, /several keys, .*use auth\.jwks_file/],
    [
      'a weak key',
      'key_file',
      pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey),
      /1024 bits/,
    ],
    [
      'another curve',
      'key_file',
      pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey),
      /secp384r1, ES256 needs P-256/,
    ],
    ['another kind', 'key_file', pem(generateKeyPairSync('x25519').publicKey), /x25519/],
    ['no key set', 'jwks_file', '[]', /no JSON Web Key Set/],
    ['null', 'jwks_file', 'null', /no JSON Web Key Set/],
    ['an empty key set', 'jwks_file', '{"keys":[]}', /no public key for signatures/],
    // Every token would be refused, and nothing would say why.
    [
      'a key set for encryption',
      'jwks_file',
      setOf({ use: 'enc' }),
      /no public key for signatures/,
    ],
    [
      'a key set for other operations',
      'jwks_file',
      setOf({ key_ops: ['encrypt', 'wrapKey'] }),
      /no public key for signatures/,
    ],
    ['too many keys', 'jwks_file', `{"keys":[${'1,'.repeat(40)}1]}`, /more than 32 keys/],
    ['a huge file', 'jwks_file', ' '.repeat(2 ** 20 + 1), /larger than 1 MiB/],
  ])('%s', async (_, kind, content, message) => {
    if (kind !== 'secret') write(content);
    const source: KeySource = kind === 'secret' ? { kind, secret: content } : { kind, path: PATH };
    const { ring, clock } = ringOf(source);
    await expect(ring.start()).rejects.toMatchObject({
      code: 'AUTH_KEYS',
      message: expect.stringMatching(message),
    });
    expect(clock.pending).toBe(0);
  });

  test('a missing file', async () => {
    const { ring } = ringOf({ kind: 'key_file', path: join(folder, 'none.pem') });
    await expect(ring.start()).rejects.toThrow(
      /auth\.key_file \(.*none\.pem\) cannot be used: no such file/,
    );
  });
});
