import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JwtAuthenticator } from '../../../src/auth/jwt-authenticator.js';
import type { JwtOptions } from '../../../src/auth/jwt-authenticator.js';
import { LINE_PACE_MS } from '../../../src/telemetry/line-pace.js';
import { createLogger, silentLogger } from '../../../src/telemetry/log.js';
import { LabelledTally } from '../../../src/telemetry/tally.js';
import type { Verdict } from '../../../src/session/authenticator.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TokenIssuer, hmac, part } from '../../support/token-issuer.js';
import type { IssuerKind } from '../../support/token-issuer.js';

const folder = mkdtempSync(join(tmpdir(), 'gatesvr-auth-'));
afterAll(() => rmSync(folder, { recursive: true }));

const issuers = new Map(
  (['HS256', 'RS256', 'ES256', 'EdDSA'] as const).map((kind) => [kind, new TokenIssuer(kind)]),
);

function issuerOf(kind: IssuerKind): TokenIssuer {
  return issuers.get(kind) as TokenIssuer;
}

/** An authenticator with the issuer's key, what it logs and what it counts. */
class Desk {
  readonly clock = new FakeClock();
  readonly lines: string[] = [];
  readonly failures = new LabelledTally();
  readonly tokens: string[] = [];
  private readonly authenticator: JwtAuthenticator;

  constructor(issuer: TokenIssuer, options: Partial<JwtOptions> = {}) {
    const log = createLogger(
      { level: 'trace', format: 'json' },
      { write: (line) => this.lines.push(line) },
    );
    const defaults = {
      source: sourceOf(issuer),
      issuer: null,
      audience: [],
      clockTolerance: 5_000,
    };
    this.authenticator = new JwtAuthenticator(
      { ...defaults, ...options },
      this.clock,
      log,
      this.failures,
    );
  }

  /** Now, in seconds since 1970. */
  get now(): number {
    return this.clock.wallTime() / 1000;
  }

  async verify(token: string, openid = 'alice'): Promise<Verdict> {
    this.tokens.push(token);
    await this.authenticator.start();
    this.authenticator.stop();
    return new Promise((resolve) =>
      this.authenticator.verify({ openid, token, remoteAddress: '127.0.0.1:5' }, resolve),
    );
  }

  /** The reasons that were logged, with how often each was left out before. */
  get reasons(): [string, number][] {
    return this.lines.map((line) => {
      const { reason, suppressed } = JSON.parse(line) as { reason: string; suppressed: number };
      return [reason, suppressed];
    });
  }
}

function sourceOf(issuer: TokenIssuer): JwtOptions['source'] {
  if (issuer.kind === 'HS256') return { kind: 'secret', secret: issuer.secret };
  const path = join(folder, `${issuer.kind}.pem`);
  writeFileSync(path, issuer.pem);
  return { kind: 'key_file', path };
}

const REFUSED = { ok: false, reason: 'the token was not accepted' };

describe.each(['HS256', 'RS256', 'ES256', 'EdDSA'] as const)('a %s token', (kind) => {
  const issuer = issuerOf(kind);

  test('in its time and for its openid is accepted until it expires, tolerance included', async () => {
    const desk = new Desk(issuer);
    const exp = desk.now + 60;
    expect(await desk.verify(issuer.token({ sub: 'alice', exp }))).toEqual({
      ok: true,
      expiresAt: exp * 1000 + 5_000,
    });
    expect(desk.lines).toEqual([]);
  });

  test.each<[string, string, (desk: Desk) => string]>([
    ['expired', 'expired', ({ now }) => issuer.token({ sub: 'alice', exp: now - 6 })],
    ['of the future', 'not_yet_valid', ({ now }) => issuer.token({ sub: 'alice', nbf: now + 6 })],
    ["of another openid's", 'wrong_subject', () => issuer.token({ sub: 'bob' })],
    ['without sub', 'wrong_subject', () => issuer.token({})],
    ['with a sub that is no text', 'wrong_subject', () => issuer.token({ sub: ['alice'] })],
    ['with an exp that is no number', 'bad_claim', () => issuer.token({ sub: 'alice', exp: '9' })],
    [
      "of another issuer's key",
      'signature',
      () =>
        new TokenIssuer(kind === 'HS256' ? 'RS256' : kind).token({ sub: 'alice' }, { alg: kind }),
    ],
    ['whose claims were changed', 'signature', () => changed(issuer.token({ sub: 'bob' }))],
    ['unsigned', 'algorithm', () => `${part({ alg: 'none' })}.${part({ sub: 'alice' })}.`],
    [
      'that calls itself unsigned',
      'algorithm',
      () => issuer.token({ sub: 'alice' }, { alg: 'none' }),
    ],
    ['of another algorithm', 'algorithm', () => issuer.token({ sub: 'alice' }, { alg: 'PS512' })],
    [
      'with an unknown critical header',
      'malformed',
      () => issuer.token({ sub: 'alice' }, { crit: ['x'], x: 1 }),
    ],
    ['that is missing', 'missing', () => ''],
    ['of deployed clients', 'malformed', () => 'default-token'],
    ['of garbage', 'malformed', () => '\u0000.\u{1f600}.=='],
    ['that is huge', 'too_large', () => issuer.token({ sub: 'alice', pad: 'x'.repeat(9_000) })],
  ])('%s is refused in general terms, and logged as %s', async (_, reason, make) => {
    const desk = new Desk(issuer);
    expect(await desk.verify(make(desk))).toEqual(REFUSED);
    expect(desk.reasons).toEqual([[reason, 0]]);
    expect([...desk.failures.entries()].map(([name, { value }]) => [name, value])).toEqual([
      [reason, 1],
    ]);
    const token = desk.tokens[0] ?? '';
    for (const secret of [token, ...token.split('.')].filter((text) => text.length > 3)) {
      expect(desk.lines.join('')).not.toContain(secret);
    }
  });
});

/** The token of bob with alice's claims and the old signature. */
function changed(token: string): string {
  const [header, , signature] = token.split('.');
  return `${header}.${part({ sub: 'alice' })}.${signature}`;
}

describe('the kind of key fixes the algorithm', () => {
  test.each(['RS256', 'ES256', 'EdDSA'] as const)(
    'a public key for %s taken as an HS256 secret is refused',
    async (kind) => {
      const issuer = issuerOf(kind);
      const desk = new Desk(issuer);
      for (const pem of [issuer.pem, issuer.pem.trim(), issuer.pem.replaceAll('\n', '')]) {
        const text = `${part({ alg: 'HS256' })}.${part({ sub: 'alice' })}`;
        const forged = `${text}.${hmac(Buffer.from(text), pem).toString('base64url')}`;
        expect(await desk.verify(forged)).toEqual(REFUSED);
      }
      expect(desk.reasons).toEqual([['algorithm', 0]]);
    },
  );

  test('a key that a token brings along counts for nothing', async () => {
    const stranger = new TokenIssuer('ES256');
    const desk = new Desk(issuerOf('ES256'));
    const token = stranger.token({ sub: 'alice' }, { jwk: stranger.jwk });
    expect(await desk.verify(token)).toEqual(REFUSED);
    expect(desk.reasons).toEqual([['signature', 0]]);
  });
});

describe('times', () => {
  const issuer = issuerOf('HS256');

  test.each([
    ['expired within the tolerance', { exp: -4 }, true],
    ['not yet valid, within the tolerance', { nbf: 4 }, true],
    ['expired at the tolerance', { exp: -5 }, false],
    ['not yet valid, beyond the tolerance', { nbf: 6 }, false],
  ])('%s', async (_, offsets, ok) => {
    const desk = new Desk(issuer);
    const claims = Object.entries(offsets).map(([name, offset]) => [name, desk.now + offset]);
    const token = issuer.token({ sub: 'alice', ...Object.fromEntries(claims) });
    expect((await desk.verify(token)).ok).toBe(ok);
  });

  test.each([[undefined], [1e300]])('an exp of %p is never', async (exp) => {
    const verdict = await new Desk(issuer).verify(issuer.token({ sub: 'alice', exp }));
    expect(verdict).toEqual({ ok: true, expiresAt: null });
  });
});

describe('issuer and audience', () => {
  const issuer = issuerOf('HS256');
  const demands = { issuer: 'login', audience: ['game', 'chat'] };

  test.each([
    [{ iss: 'login', aud: 'game' }, 'ok'],
    [{ iss: 'login', aud: ['mail', 'chat'] }, 'ok'],
    [{ iss: 'other', aud: 'game' }, 'wrong_issuer'],
    [{ aud: 'game' }, 'wrong_issuer'],
    [{ iss: 'login', aud: 'mail' }, 'wrong_audience'],
    [{ iss: 'login' }, 'wrong_audience'],
  ])('%p is %s', async (claims, expected) => {
    const desk = new Desk(issuer, demands);
    const { ok } = await desk.verify(issuer.token({ sub: 'alice', ...claims }));
    expect(ok ? 'ok' : desk.reasons[0]?.[0]).toBe(expected);
  });
});

describe('the log', () => {
  test('has one line per reason and period, and says how many it left out', async () => {
    const issuer = issuerOf('HS256');
    const desk = new Desk(issuer);
    for (let count = 0; count < 5; count++) await desk.verify('garbage');
    await desk.verify(issuer.token({ sub: 'bob' }));
    desk.clock.advance(LINE_PACE_MS);
    await desk.verify('garbage');
    expect(desk.reasons).toEqual([
      ['malformed', 0],
      ['wrong_subject', 0],
      ['malformed', 4],
    ]);
  });
});

test('before its keys are loaded nothing is accepted', async () => {
  const issuer = issuerOf('HS256');
  const { clock, failures } = new Desk(issuer);
  const options = { source: sourceOf(issuer), issuer: null, audience: [], clockTolerance: 0 };
  const log = silentLogger();
  const early = new JwtAuthenticator(options, clock, log, failures);
  const credentials = { openid: 'alice', token: issuer.token({ sub: 'alice' }), remoteAddress: '' };
  expect(await new Promise((resolve) => early.verify(credentials, resolve))).toEqual(REFUSED);
});
