import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { JwtAuthenticator } from '../../src/auth/jwt-authenticator.js';
import { keysOfPem, keysOfSet } from '../../src/auth/token-keys.js';
import { addressKey } from '../../src/session/overload/address-key.js';
import type { Verdict } from '../../src/session/authenticator.js';
import { createLogger } from '../../src/telemetry/log.js';
import { LabelledTally } from '../../src/telemetry/tally.js';
import { FakeClock } from '../support/fake-clock.js';
import { TokenIssuer, part } from '../support/token-issuer.js';

const issuer = new TokenIssuer('HS256');
const good = issuer.token({ sub: 'alice' });
const [goodHeader = '', goodClaims = '', goodSignature = ''] = good.split('.');

const lines: string[] = [];
const authenticator = new JwtAuthenticator(
  {
    source: { kind: 'secret', secret: issuer.secret },
    issuer: null,
    audience: [],
    clockTolerance: 0,
  },
  new FakeClock(),
  createLogger({ level: 'trace', format: 'json' }, { write: (line) => void lines.push(line) }),
  new LabelledTally(),
);

function verify(token: string): Promise<Verdict> {
  return new Promise((resolve) =>
    authenticator.verify({ openid: 'alice', token, remoteAddress: '' }, resolve),
  );
}

/** Almost tokens: parts of a good one, of others, and of nothing. */
const headers = fc.oneof(
  fc.constant(goodHeader),
  fc.record({ alg: fc.oneof(fc.constantFrom('none', 'HS256', 'RS256'), fc.anything()) }).map(part),
  fc.json().map((text) => Buffer.from(text).toString('base64url')),
  fc.string(),
);
const claims = fc.oneof(
  fc.constant(goodClaims),
  fc.record({ sub: fc.constant('alice'), exp: fc.anything(), nbf: fc.anything() }).map(part),
  fc.json().map((text) => Buffer.from(text).toString('base64url')),
  fc.string(),
);
const signatures = fc.oneof(
  fc.constant(goodSignature),
  fc.base64String().map((text) => text.replace(/=/g, '')),
  fc.constant(''),
);
const tokens = fc.oneof(
  fc.tuple(headers, claims, signatures).map((parts) => parts.join('.')),
  fc.string({ unit: 'binary' }),
);

describe('whatever a client offers as a token', () => {
  test('only the signed one is accepted, and none of it reaches the log', async () => {
    await authenticator.start();
    expect((await verify(good)).ok).toBe(true);
    await fc.assert(
      fc.asyncProperty(tokens, async (token) => {
        fc.pre(token !== good);
        expect(await verify(token)).toEqual({ ok: false, reason: 'the token was not accepted' });
        if (token.length > 20) expect(lines.join('')).not.toContain(token);
      }),
      { numRuns: 1_500 },
    );
    authenticator.stop();
  });
});

describe('whatever lies in a key file', () => {
  const jwks = fc
    .array(
      fc.oneof(
        fc.anything(),
        fc.record({
          kty: fc.constantFrom('RSA', 'EC', 'OKP', 'oct'),
          crv: fc.anything(),
          x: fc.anything(),
        }),
      ),
    )
    .map((keys) => JSON.stringify({ keys }));

  test('gives keys or an error with a plain message, nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), jwks), (text) => {
        for (const read of [keysOfPem, keysOfSet]) {
          try {
            expect(read(text).algorithms.length).toBeGreaterThan(0);
          } catch (error) {
            expect((error as Error).message).toMatch(/^it /);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

test('any address has a key, the same for all of an IPv6 /64', () => {
  fc.assert(
    fc.property(fc.string(), fc.ipV6(), fc.nat(65_535), (text, host, port) => {
      expect(typeof addressKey(text)).toBe('string');
      const key = addressKey(`[${host}]:${port}`);
      expect(addressKey(`[${host}]:1`)).toBe(key);
      expect(key).toMatch(/^[0-9a-f:]+::\/64$|^[\d.]+$/);
    }),
    { numRuns: 500 },
  );
});
