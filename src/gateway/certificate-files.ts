import { readFileSync } from 'node:fs';
import type { Clock } from '../base/clock.js';
import { StartupError, messageOf } from '../base/errors.js';
import { checkCertificates } from '../base/key-pair.js';
import { separatePem } from '../base/pem.js';
import { loadTlsFiles } from '../config/tls-files.js';
import { CertificateSource } from '../grpc/certificate-source.js';
import type { TlsMaterial } from '../grpc/certificate-source.js';
import type { Logger } from '../telemetry/log.js';
import type { CertificateSources } from './certificate-terms.js';

/** The files of one TLS section of the configuration; null where a key is not set. */
export interface CertificateFiles {
  readonly certFile: string | null;
  readonly keyFile: string | null;
  /** Who must have signed what the other side shows. */
  readonly caFile: string | null;
}

/** @throws {StartupError} where a certificate, key or CA cannot be used. */
export function certificateSource(
  { certFile, keyFile, caFile }: CertificateFiles,
  clock: Clock,
  log: Logger,
): CertificateSource {
  const files = [certFile, keyFile, caFile].filter((file) => file !== null);
  const load = (): TlsMaterial => {
    const own = certFile === null || keyFile === null ? null : loadTlsFiles(certFile, keyFile);
    const ca = caFile === null ? null : readAuthority(caFile);
    return { ca, cert: own?.cert ?? null, key: own?.key ?? null };
  };
  return new CertificateSource(load, files, clock, log);
}

/**
 * What an operator should know of sources whose files are not in use as they are now, one line each.
 * @param sources by the section of the configuration that names their files.
 */
export function certificateFaults(sources: CertificateSources): string[] {
  return Object.entries(sources)
    .filter(([, source]) => source !== null && source.fault !== '')
    .map(([section, source]) => `${section}: the old certificates stay in use: ${source?.fault}`);
}

/** One that is damaged would be taken by TLS, and then refuse every caller. */
function readAuthority(file: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = separatePem(readFileSync(file));
  } catch (error) {
    throw new StartupError('TLS_UNREADABLE', `cannot read CA ${file}: ${messageOf(error)}`);
  }
  if (!bytes.includes('-----BEGIN CERTIFICATE-----')) {
    throw new StartupError('TLS_INVALID', `${file} holds no PEM certificate`);
  }
  checkCertificates(bytes, file);
  return bytes;
}
