/** What a TLS listener shows and asks for; PEM. */
export interface ListenerTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Who must have signed the certificates that callers show; null: none is asked for. */
  readonly ca: Buffer | null;
}

/** The same in the terms of node:tls. */
export function tlsOptions({ cert, key, ca }: ListenerTls) {
  const asked = ca === null ? {} : { ca, requestCert: true, rejectUnauthorized: true };
  return { cert, key, minVersion: 'TLSv1.2' as const, ...asked };
}
