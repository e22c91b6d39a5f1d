import { errors, jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyOptions } from 'jose';
import type { TokenKeys } from './token-keys.js';

/** Longest token that is looked at, bytes: several times what issuers make. */
const MAX_TOKEN_BYTES = 8 * 1024;

/** Why a token was refused: for the log and the metric, never for the client. */
export const REFUSALS = [
  'missing',
  'too_large',
  'malformed',
  'algorithm',
  'unknown_key',
  'signature',
  'expired',
  'not_yet_valid',
  'wrong_subject',
  'wrong_issuer',
  'wrong_audience',
  'bad_claim',
  'internal',
] as const;

export type TokenRefusal = (typeof REFUSALS)[number];

const BY_CODE: Readonly<Record<string, TokenRefusal>> = {
  ERR_JWT_EXPIRED: 'expired',
  ERR_JOSE_ALG_NOT_ALLOWED: 'algorithm',
  ERR_JWKS_NO_MATCHING_KEY: 'unknown_key',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
  ERR_JWS_INVALID: 'malformed',
  ERR_JWT_INVALID: 'malformed',
};

const BY_CLAIM: Readonly<Record<string, TokenRefusal>> = {
  nbf: 'not_yet_valid',
  sub: 'wrong_subject',
  iss: 'wrong_issuer',
  aud: 'wrong_audience',
};

/** What a token must say beside being signed. */
export interface TokenDemands {
  readonly subject: string;
  readonly issuer: string | null;
  /** At least one of them must be in the token's `aud`; empty: any. */
  readonly audience: readonly string[];
  /** Milliseconds. */
  readonly clockTolerance: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Verifies a token (RFC 7519 section 7.2). Never throws: answers its claims, or why not. */
export async function judgeToken(
  token: string,
  keys: TokenKeys,
  demands: TokenDemands,
): Promise<JWTPayload | TokenRefusal> {
  if (token === '') return 'missing';
  if (token.length > MAX_TOKEN_BYTES) return 'too_large';
  const options: JWTVerifyOptions = {
    algorithms: [...keys.algorithms],
    subject: demands.subject,
    clockTolerance: demands.clockTolerance / 1000,
    currentDate: new Date(demands.now),
  };
  if (demands.issuer !== null) options.issuer = demands.issuer;
  if (demands.audience.length > 0) options.audience = [...demands.audience];
  try {
    return await verify(token, keys, options);
  } catch (error) {
    return refusalOf(error);
  }
}

async function verify(
  token: string,
  keys: TokenKeys,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys.resolve, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    return verifyWithAny(token, error, options);
  }
}

/** Of several keys that may have signed (no key id), the first that did. */
async function verifyWithAny(
  token: string,
  candidates: errors.JWKSMultipleMatchingKeys,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  for await (const key of candidates) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

function refusalOf(error: unknown): TokenRefusal {
  if (error instanceof errors.JWTClaimValidationFailed) {
    return BY_CLAIM[error.claim] ?? 'bad_claim';
  }
  return error instanceof errors.JOSEError ? (BY_CODE[error.code] ?? 'malformed') : 'internal';
}
