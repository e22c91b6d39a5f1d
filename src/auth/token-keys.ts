import { createPublicKey, createSecretKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { createLocalJWKSet } from 'jose';
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose';

/** The signature algorithms that are understood (RFC 7518 section 3.1, RFC 8037). */
export type TokenAlgorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA';

/** HS256 wants a secret of at least the hash's size (RFC 7518 section 3.2). */
const MIN_SECRET_BYTES = 32;

/** Below it RS256 is refused (RFC 7518 section 3.3). */
const MIN_RSA_BITS = 2048;

/** Without key ids a token is tried against every key of its kind; no issuer has more than a few. */
const MAX_KEYS = 32;

/**
 * What tokens are verified with. The kind of key fixes the algorithms, never the token: a public key
 * can then not be taken for a shared secret, and `none` is no algorithm at all.
 */
export interface TokenKeys {
  readonly algorithms: readonly TokenAlgorithm[];
  readonly resolve: JWTVerifyGetKey;
}

/** @throws {Error} where the secret is too short for HS256. */
export function keysOfSecret(secret: string): TokenKeys {
  const bytes = Buffer.from(secret, 'utf8');
  if (bytes.length < MIN_SECRET_BYTES) {
    throw new Error(`it has ${bytes.length} bytes, HS256 needs at least ${MIN_SECRET_BYTES}`);
  }
  return keysOf(createSecretKey(bytes), 'HS256');
}

/**
 * Reads a PEM public key: RSA (RS256), EC on P-256 (ES256) or Ed25519 (EdDSA).
 * @throws {Error} that says what is wrong with it.
 */
export function keysOfPem(pem: string): TokenKeys {
  if (pem.includes('PRIVATE KEY-----')) {
    throw new Error('it holds a private key; give the public one (openssl pkey -pubout)');
  }
  if ((pem.match(/-----BEGIN (?:RSA )?PUBLIC KEY-----/g)?.length ?? 0) > 1) {
    throw new Error('it holds several keys, of which only one would count: use auth.jwks_file');
  }
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (error) {
    throw new Error('it is no PEM public key', { cause: error });
  }
  return keysOf(key, algorithmOf(key));
}

/**
 * Reads a JSON Web Key Set (RFC 7517 section 5). Keys that serve another purpose, or of a kind that is
 * not understood, are passed over, as the RFC asks.
 * @throws {Error} where it is no key set, or no key in it can verify a token.
 */
export function keysOfSet(json: string): TokenKeys {
  const keys = (parse(json) as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw new Error('it is no JSON Web Key Set: {"keys": [...]}');
  if (keys.length > MAX_KEYS) throw new Error(`it has more than ${MAX_KEYS} keys`);
  const usable = keys.flatMap((jwk) => usableKey(jwk));
  if (usable.length === 0) {
    throw new Error('it has no public key for signatures by RS256, ES256 or EdDSA');
  }
  const algorithms = [...new Set(usable.map(({ alg }) => alg))];
  return { algorithms, resolve: createLocalJWKSet({ keys: usable } as JSONWebKeySet) };
}

function keysOf(key: KeyObject, algorithm: TokenAlgorithm): TokenKeys {
  return { algorithms: [algorithm], resolve: () => key };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new Error('it is no JSON', { cause: error });
  }
}

/**
 * The key itself, its id and its one algorithm, or nothing. What else the set says of it has been looked at: a
 * verifier that imports it stumbles over members such as `key_ops` with `sign`, and refuses every token.
 */
function usableKey(jwk: unknown): (JsonWebKey & { alg: TokenAlgorithm })[] {
  if (typeof jwk !== 'object' || jwk === null || 'd' in jwk || 'k' in jwk) return [];
  if (!isForSignatures(jwk)) return [];
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    const alg = algorithmOf(key);
    const { alg: declared = alg, kid } = jwk as JsonWebKey;
    return declared === alg ? [{ ...key.export({ format: 'jwk' }), kid, alg }] : [];
  } catch {
    return [];
  }
}

/** By `use` and `key_ops` (RFC 7517 sections 4.2 and 4.3), as jose chooses among keys. */
function isForSignatures({
  use,
  key_ops: operations,
}: {
  use?: unknown;
  key_ops?: unknown;
}): boolean {
  if (typeof use === 'string' && use !== 'sig') return false;
  return !Array.isArray(operations) || operations.includes('verify');
}

function algorithmOf(key: KeyObject): TokenAlgorithm {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      if (modulusLength >= MIN_RSA_BITS) return 'RS256';
      throw new Error(`its RSA key has ${modulusLength} bits, RS256 needs ${MIN_RSA_BITS}`);
    case 'ec':
      if (namedCurve === 'prime256v1') return 'ES256';
      throw new Error(`its curve is ${namedCurve}, ES256 needs P-256`);
    case 'ed25519':
      return 'EdDSA';
    default:
      throw new Error(`its kind, ${key.asymmetricKeyType}, is not RSA, EC on P-256 or Ed25519`);
  }
}
