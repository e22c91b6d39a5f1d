import { generateKeyPairSync, sign, createHmac } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

export type IssuerKind = 'HS256' | 'RS256' | 'ES256' | 'EdDSA';

/** Signs tokens by hand, so that tests can also make those that no library would. */
export class TokenIssuer {
  readonly secret = 'a secret of the test that is long enough';
  readonly publicKey: KeyObject | null;
  private readonly privateKey: KeyObject | null;

  constructor(
    readonly kind: IssuerKind,
    readonly kid?: string,
  ) {
    const pair = kind === 'HS256' ? null : keyPair(kind);
    this.publicKey = pair?.publicKey ?? null;
    this.privateKey = pair?.privateKey ?? null;
  }

  get pem(): string {
    return this.publicKey?.export({ type: 'spki', format: 'pem' }).toString() ?? '';
  }

  get jwk(): Record<string, unknown> {
    const jwk = this.publicKey?.export({ format: 'jwk' }) ?? {};
    return { ...jwk, ...(this.kid === undefined ? {} : { kid: this.kid }) };
  }

  /** @param claims of the payload, times in seconds. @param header overrides `alg` and `kid`. */
  token(claims: Record<string, unknown>, header: Record<string, unknown> = {}): string {
    const kid = this.kid === undefined ? {} : { kid: this.kid };
    const signed = `${part({ alg: this.kind, ...kid, ...header })}.${part(claims)}`;
    return `${signed}.${this.sign(Buffer.from(signed)).toString('base64url')}`;
  }

  private sign(bytes: Buffer): Buffer {
    if (this.privateKey === null) return hmac(bytes, this.secret);
    const hash = this.kind === 'EdDSA' ? null : 'sha256';
    return sign(hash, bytes, { key: this.privateKey, dsaEncoding: 'ieee-p1363' });
  }
}

export function hmac(bytes: Buffer, secret: string): Buffer {
  return createHmac('sha256', secret).update(bytes).digest();
}

/** A part of a compact token (RFC 7515 section 3.1). */
export function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function keyPair(kind: Exclude<IssuerKind, 'HS256'>) {
  if (kind === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (kind === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return generateKeyPairSync('ed25519');
}
