import { X509Certificate } from 'node:crypto';
import type { CertificateSource } from '../grpc/certificate-source.js';

/** A certificate that ends sooner than this wants renewing, ms: what ACME clients take for late. */
const RENEW_BEFORE_MS = 14 * 86_400_000;

/** When a certificate ends, ms since 1970, and the key of the configuration that names its file. */
export interface CertificateEnd {
  readonly key: string;
  readonly ends: number;
}

/** Where the files of each section of the configuration are read; null where it names none. */
export type CertificateSources = Readonly<Record<string, CertificateSource | null>>;

/** When a PEM certificate ends, ms since 1970; of several the first. @throws where it holds none. */
export function endOf(pem: Buffer): number {
  return Date.parse(new X509Certificate(pem).validTo);
}

/** The key that names the CA of a section: on our ports it signs clients, of calls to upstreams servers. */
export function caKey(section: string): string {
  return `${section}.${section === 'upstream_tls' ? '' : 'client_'}ca_file`;
}

/** Of the certificates and CAs that are in use, of a file with several the first. */
export function certificateEnds(sources: CertificateSources): CertificateEnd[] {
  const ends: CertificateEnd[] = [];
  for (const [section, source] of Object.entries(sources)) {
    const { cert = null, ca = null } = source?.current ?? {};
    if (cert !== null) ends.push({ key: `${section}.cert_file`, ends: endOf(cert) });
    if (ca !== null) ends.push({ key: caKey(section), ends: endOf(ca) });
  }
  return ends;
}

/**
 * What an operator should know of a certificate's end, or null while there is time.
 * @param named how the line begins. @param now ms since 1970.
 */
export function endWarning(named: string, ends: number, now: number): string | null {
  if (ends - now >= RENEW_BEFORE_MS) return null;
  const day = dayOf(ends);
  return ends < now
    ? `${named} expired on ${day}: renew it`
    : `${named} expires on ${day}: renew it`;
}

/** 2026-01-31, in UTC. @param at ms since 1970. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
