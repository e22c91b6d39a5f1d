import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
    writeTogether([
      { file: files.keyFile, text: made.key, mode: 0o600 },
      { file: files.certFile, text: made.certificate, mode: 0o644 },
      { file: files.caFile, text: made.ca, mode: 0o644 },
    ]);
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

interface NewFile {
  readonly file: string;
  readonly text: string;
  readonly mode: number;
}

/**
 * Takes the place of none before all are on the disk: a full one must not leave a certificate without its
 * key or authority. A reader sees the old file or the new one, never a part; a key is never readable by others.
 */
function writeTogether(files: readonly NewFile[]): void {
  const whole: [string, string][] = [];
  try {
    for (const { file, text, mode } of files) {
      const temporary = `${file}.${process.pid}.new`;
      whole.push([temporary, file]);
      writeFileSync(temporary, text, { mode });
    }
    for (const [temporary, file] of whole) renameSync(temporary, file);
  } catch (error) {
    for (const [temporary] of whole) rmSync(temporary, { force: true });
    throw error;
  }
}
