import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_DAYS, makeCertificates } from '../../src/config/certificates.js';
import type { DevelopmentCertificates } from '../../src/config/certificates.js';

/** Of this run of jest; run-begins.mjs made it. */
const folder = process.env['GATESVR_TEST_RUN'] ?? '';

/**
 * A CA and a server certificate for this machine, the same for all files of a run that ask for so many days:
 * to load what makes certificates, and to make some, costs each file 150 ms of processor time. Whoever needs
 * two that differ calls `makeCertificates`.
 */
export async function sharedCertificates(days = DEFAULT_DAYS): Promise<DevelopmentCertificates> {
  const file = join(folder, `certificates-${days}.json`);
  const made = read(file);
  if (made !== null) return made;
  const own = await makeCertificates({ days });
  const written = `${file}.${process.pid}`;
  writeFileSync(written, JSON.stringify(own), { mode: 0o600 });
  // Another worker may have been first; then its own replaces what nobody needs to have in common.
  renameSync(written, file);
  return own;
}

/** The same as files, as `writeCertificates` leaves them. */
export async function writeSharedCertificates(into: string, days?: number): Promise<void> {
  const { ca, certificate, key } = await sharedCertificates(days);
  mkdirSync(into, { recursive: true });
  writeFileSync(join(into, 'server.key'), key, { mode: 0o600 });
  writeFileSync(join(into, 'server.crt'), certificate);
  writeFileSync(join(into, 'ca.crt'), ca);
}

function read(file: string): DevelopmentCertificates | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as DevelopmentCertificates;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
