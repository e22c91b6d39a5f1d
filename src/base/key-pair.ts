import { X509Certificate, createPrivateKey } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { StartupError, messageOf } from './errors.js';
import { splitCertificates } from './pem.js';

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
  const certificate = checkCertificates(cert, certName);
  const wanted = 'an unencrypted PEM private key';
  const privateKey = parsed(keyName, wanted, () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new StartupError(
      'TLS_KEY_MISMATCH',
      `private key ${keyName} does not belong to certificate ${certName}: give the two that were made together`,
    );
  }
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const message = `TLS refuses certificate ${certName} with private key ${keyName} (${messageOf(error)}); use ECDSA P-256, Ed25519 or RSA`;
    throw new StartupError('TLS_INVALID', message, { cause: error });
  }
  return certificate;
}

/**
 * Checks every certificate of a chain, or of a list of authorities: TLS libraries refuse a file whose
 * second one is torn, or pass over it, as one that was read while it was being written.
 * @returns the first.
 * @throws {StartupError} TLS_INVALID, in one line that names the file.
 */
export function checkCertificates(pem: Buffer, name: string): X509Certificate {
  const [first = '', ...others] = splitCertificates(pem);
  const certificate = parsed(name, 'a PEM certificate', () => new X509Certificate(first));
  for (const [index, other] of others.entries()) {
    try {
      new X509Certificate(other);
    } catch (error) {
      const message = `certificate ${index + 2} of ${name} is damaged: was the file written whole?`;
      throw new StartupError('TLS_INVALID', message, { cause: error });
    }
  }
  return certificate;
}

function parsed<T>(name: string, wanted: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new StartupError('TLS_INVALID', `${name} is not ${wanted}`, { cause: error });
  }
}
