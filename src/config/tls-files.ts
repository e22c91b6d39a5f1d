import { readFileSync } from 'node:fs';
import { StartupError, messageOf } from '../base/errors.js';
import { checkKeyPair } from '../base/key-pair.js';
import type { KeyPair } from '../base/key-pair.js';
import { separatePem } from '../base/pem.js';

/** A certificate chain and its key as they were read, checked to belong together. */
export interface TlsFiles extends KeyPair {
  /** When the first certificate of the chain ends, ms since 1970. */
  readonly expires: number;
}

/**
 * Reads and checks what TLS servers present.
 * @param now ms since 1970.
 * @throws {StartupError} TLS_UNREADABLE, TLS_INVALID, TLS_KEY_MISMATCH or TLS_EXPIRED, in one line.
 */
export function loadTlsFiles(certFile: string, keyFile: string, now = Date.now()): TlsFiles {
  const pair = {
    cert: read(certFile, 'certificate'),
    key: read(keyFile, 'private key'),
    certName: certFile,
    keyName: keyFile,
  };
  const certificate = checkKeyPair(pair);
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
  return { ...pair, expires };
}

function read(file: string, what: string): Buffer {
  try {
    return separatePem(readFileSync(file));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = missing ? 'no such file' : messageOf(error);
    throw new StartupError('TLS_UNREADABLE', `cannot read ${what} ${file}: ${reason}`);
  }
}
