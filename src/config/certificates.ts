import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartupError, messageOf } from '../base/errors.js';
import type { CertificateRequest, DevelopmentCertificates } from './certificate-issuer.js';

export type { CertificateRequest, DevelopmentCertificates } from './certificate-issuer.js';

/** What a development certificate is good for when nothing else is asked: this machine. */
export const DEFAULT_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '::1'];
export const DEFAULT_DAYS = 365;
/** Where the certificates of a first run are written, below the working directory. */
export const DEVELOPMENT_FOLDER = 'certs';

export interface CertificateFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * Makes a CA and a server certificate on ECDSA P-256. The CA's key is forgotten at once, so nobody
 * can ever sign anything else with it.
 * @param request for DEFAULT_HOSTS and DEFAULT_DAYS unless it says otherwise.
 */
export async function makeCertificates(
  request: Partial<CertificateRequest> = {},
): Promise<DevelopmentCertificates> {
  // The library takes long to load, and most processes make no certificate.
  const { issueCertificates } = await import('./certificate-issuer.js');
  return issueCertificates({ hosts: DEFAULT_HOSTS, days: DEFAULT_DAYS, ...request });
}

/**
 * Makes certificates and writes ca.crt, server.crt and server.key (mode 0600) into a folder.
 * @param force overwrite existing ones.
 * @throws {StartupError} CERTIFICATES_EXIST, or CERTIFICATES_UNWRITABLE naming folder and reason.
 */
export async function writeCertificates(
  folder: string,
  request: Partial<CertificateRequest> = {},
  force = false,
): Promise<CertificateFiles> {
  const files = filesIn(folder);
  const existing = [files.certFile, files.keyFile].find((file) => existsSync(file));
  if (existing !== undefined && !force) {
    throw new StartupError(
      'CERTIFICATES_EXIST',
      `${existing} exists already: use --force to replace it, or --dir for another folder`,
    );
  }
  const made = await makeCertificates(request);
  try {
    mkdirSync(folder, { recursive: true });
    writeWhole(files.keyFile, made.key, 0o600);
    writeWhole(files.certFile, made.certificate, 0o644);
    writeWhole(files.caFile, made.ca, 0o644);
  } catch (error) {
    throw new StartupError(
      'CERTIFICATES_UNWRITABLE',
      `cannot write certificates into ${folder}: ${messageOf(error)}`,
      { cause: error },
    );
  }
  return files;
}

/**
 * The development certificates of a folder, made first when neither file is there, so that a first
 * run just works. Never replaces anything.
 */
export async function ensureDevelopmentCertificates(
  folder = DEVELOPMENT_FOLDER,
): Promise<CertificateFiles & { readonly made: boolean }> {
  const files = filesIn(folder);
  const made = !existsSync(files.certFile) && !existsSync(files.keyFile);
  if (made) await writeCertificates(folder);
  return { ...files, made };
}

function filesIn(folder: string): CertificateFiles {
  const [caFile, certFile, keyFile] = ['ca.crt', 'server.crt', 'server.key'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  return { caFile, certFile, keyFile };
}

/** A reader sees the old file or the new one, never a part; the key is never readable by others. */
function writeWhole(file: string, text: string, mode: number): void {
  const temporary = `${file}.${process.pid}.new`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, file);
}
