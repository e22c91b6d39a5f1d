import { X509Certificate } from 'node:crypto';
import type { CertificateSource } from '../grpc/certificate-source.js';

/** A certificate that ends sooner than this wants renewing, ms: what ACME clients take for late. */
const RENEW_BEFORE_MS = 14 * 86_400_000;
/** One that lives for days only, as pages trust by hash, is late in this last part of its life. */
const RENEW_BEFORE_SHARE = 1 / 3;

/** From when until when a certificate is valid, ms since 1970. */
export interface Term {
  readonly begins: number;
  readonly ends: number;
}

/** With the key of the configuration that names its file. */
export interface CertificateTerm extends Term {
  readonly key: string;
}

/** Where the files of each section of the configuration are read; null where it names none. */
export type CertificateSources = Readonly<Record<string, CertificateSource | null>>;

/** The term of a PEM certificate, of several the first. @throws where it holds none. */
export function termOf(pem: Buffer): Term {
  const { validFrom, validTo } = new X509Certificate(pem);
  return { begins: Date.parse(validFrom), ends: Date.parse(validTo) };
}

/** The key that names the CA of a section: on our ports it signs clients, of calls to upstreams servers. */
export function caKey(section: string): string {
  return `${section}.${section === 'upstream_tls' ? '' : 'client_'}ca_file`;
}

/** Of the certificates and CAs that are in use, of a file with several the first. */
export function certificateTerms(sources: CertificateSources): CertificateTerm[] {
  const terms: CertificateTerm[] = [];
  for (const [section, source] of Object.entries(sources)) {
    const { cert = null, ca = null } = source?.current ?? {};
    if (cert !== null) terms.push({ key: `${section}.cert_file`, ...termOf(cert) });
    if (ca !== null) terms.push({ key: caKey(section), ...termOf(ca) });
  }
  return terms;
}

/**
 * What an operator should know of a certificate's end, or null while there is time.
 * @param named how the line begins. @param now ms since 1970.
 */
export function endWarning(named: string, { begins, ends }: Term, now: number): string | null {
  const late = Math.min(RENEW_BEFORE_MS, (ends - begins) * RENEW_BEFORE_SHARE);
  if (ends - now >= late) return null;
  const day = dayOf(ends);
  return ends < now
    ? `${named} expired on ${day}: renew it`
    : `${named} expires on ${day}: renew it`;
}

/** 2026-01-31, in UTC. @param at ms since 1970. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
