import type { Clock } from '../base/clock.js';
import type { Authenticator, Credentials, Verdict } from '../session/authenticator.js';
import type { Logger } from '../telemetry/log.js';
import type { LabelledTally } from '../telemetry/tally.js';
import { KeyRing } from './key-ring.js';
import type { KeySource } from './key-ring.js';
import { RefusalLog } from './refusal-log.js';
import { judgeToken } from './token-verdict.js';

export interface JwtOptions {
  readonly source: KeySource;
  readonly issuer: string | null;
  readonly audience: readonly string[];
  /** How far the issuer's clock may be off, ms. */
  readonly clockTolerance: number;
}

/** All that a client learns: which part of a token was wrong is of use only to someone who forges one. */
const REFUSED: Verdict = { ok: false, reason: 'the token was not accepted' };

/** Claims of a later expiry than this, ms since 1970, mean never: no date reaches further (ECMA-262). */
const LATEST_DATE = 8.64e15;

/**
 * Accepts a START whose token is a JWT (RFC 7519) signed by a known key, in its time, and whose `sub`
 * is the openid. The log says why another was refused; the token itself goes nowhere.
 */
export class JwtAuthenticator implements Authenticator {
  private readonly keys: KeyRing;
  private readonly refusals: RefusalLog;

  /** @param failures refused tokens by reason (REFUSALS of token-verdict.ts). */
  constructor(
    private readonly options: JwtOptions,
    private readonly clock: Clock,
    log: Logger,
    private readonly failures: LabelledTally,
  ) {
    this.keys = new KeyRing(options.source, clock, log);
    this.refusals = new RefusalLog(clock, log);
  }

  /** Loads the keys and watches their file. @throws {StartupError} where they cannot be used. */
  start(): Promise<void> {
    return this.keys.start();
  }

  stop(): void {
    this.keys.stop();
  }

  /** Reads a changed key file now; one that cannot be used keeps the old keys and is logged. */
  reload(): Promise<void> {
    return this.keys.reload();
  }

  /** What an operator should look at, one line each. */
  warnings(): string[] {
    return this.keys.fault === '' ? [] : [this.keys.fault];
  }

  verify(credentials: Credentials, done: (verdict: Verdict) => void): void {
    void this.judge(credentials).then(done);
  }

  private async judge(credentials: Credentials): Promise<Verdict> {
    const { issuer, audience, clockTolerance } = this.options;
    const now = this.clock.wallTime();
    const demands = { subject: credentials.openid, issuer, audience, clockTolerance, now };
    const claims = await judgeToken(credentials.token, this.keys.current, demands);
    if (typeof claims === 'string') {
      this.failures.add(claims);
      this.refusals.note(claims, credentials);
      return REFUSED;
    }
    // Until then a START with this token would be accepted, so until then its session may go on.
    const expiresAt = claims.exp === undefined ? Infinity : claims.exp * 1000 + clockTolerance;
    return { ok: true, expiresAt: expiresAt <= LATEST_DATE ? expiresAt : null };
  }
}
