import { X509Certificate, createPrivateKey } from 'node:crypto';
import { StartupError } from './errors.js';

/** A certificate chain and its private key, both PEM. */
export interface KeyPair {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** The files they were read from, or what else messages should call them. */
  readonly certName: string;
  readonly keyName: string;
}

/**
 * Checks that a certificate and a key are what they should be, and belong together: TLS libraries
 * say so late, or never.
 * @returns the first certificate of the chain.
 * @throws {StartupError} TLS_INVALID or TLS_KEY_MISMATCH, in one line that names the file.
 */
export function checkKeyPair({ cert, key, certName, keyName }: KeyPair): X509Certificate {
  const certificate = parsed(certName, 'a PEM certificate', () => new X509Certificate(cert));
  const wanted = 'an unencrypted PEM private key';
  const privateKey = parsed(keyName, wanted, () => createPrivateKey(key));
  if (certificate.checkPrivateKey(privateKey)) return certificate;
  throw new StartupError(
    'TLS_KEY_MISMATCH',
    `private key ${keyName} does not belong to certificate ${certName}: give the two that were made together`,
  );
}

function parsed<T>(name: string, wanted: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new StartupError('TLS_INVALID', `${name} is not ${wanted}`, { cause: error });
  }
}
