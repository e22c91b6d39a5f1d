import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { StartupError, messageOf } from '../base/errors.js';

/** A certificate chain and its key as they were read, checked to belong together. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** The files, for messages. */
  readonly certName: string;
  readonly keyName: string;
  /** When the first certificate of the chain ends, ms since 1970. */
  readonly expires: number;
}

/**
 * Reads and checks what TLS servers present.
 * @param now ms since 1970.
 * @throws StartupError TLS_UNREADABLE, TLS_INVALID, TLS_KEY_MISMATCH or TLS_EXPIRED, in one line.
 */
export function loadTlsFiles(certFile: string, keyFile: string, now = Date.now()): TlsFiles {
  const cert = read(certFile, 'certificate');
  const key = read(keyFile, 'private key');
  const certificate = parsed(certFile, 'a PEM certificate', () => new X509Certificate(cert));
  const wanted = 'an unencrypted PEM private key';
  const privateKey = parsed(keyFile, wanted, () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new StartupError(
      'TLS_KEY_MISMATCH',
      `private key ${keyFile} does not belong to certificate ${certFile}: give the two that were made together`,
    );
  }
  const expires = Date.parse(certificate.validTo);
  if (expires <= now) {
    throw new StartupError(
      'TLS_EXPIRED',
      `certificate ${certFile} expired on ${certificate.validTo}: renew it (a development one with: gatesvr certs --force)`,
    );
  }
  if (Date.parse(certificate.validFrom) > now) {
    throw new StartupError(
      'TLS_EXPIRED',
      `certificate ${certFile} is not valid before ${certificate.validFrom}: check the clock of this machine`,
    );
  }
  return { cert, key, certName: certFile, keyName: keyFile, expires };
}

function read(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = missing ? 'no such file' : messageOf(error);
    throw new StartupError('TLS_UNREADABLE', `cannot read ${what} ${file}: ${reason}`);
  }
}

function parsed<T>(file: string, wanted: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new StartupError('TLS_INVALID', `${file} is not ${wanted}`, { cause: error });
  }
}
