import { X509Certificate } from 'node:crypto';
import { splitCertificates } from '../base/pem.js';
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

/** The term of one certificate of a file. */
export interface CertificateTerm extends Term {
  /** The key of the configuration that names the file. */
  readonly key: string;
  /** How messages call it: by that key, and one that is not the file's first by its subject, too. */
  readonly named: string;
}

/** Where the files of each section of the configuration are read; null where it names none. */
export type CertificateSources = Readonly<Record<string, CertificateSource | null>>;

/** Reading an authority that the system ships takes milliseconds, and /health is asked each second. */
const read = new WeakMap<Buffer, readonly CertificateTerm[]>();

/**
 * The terms of all certificates of a PEM file, in their order.
 * @param key the key of the configuration that names it. @param file how messages call it.
 * @throws where one cannot be read.
 */
export function termsOf(key: string, pem: Buffer, file = key): readonly CertificateTerm[] {
  const known = read.get(pem);
  if (known !== undefined) return known;
  const terms = splitCertificates(pem).map((certificate, index) => {
    const { validFrom, validTo, subject } = new X509Certificate(certificate);
    const named = index === 0 ? file : `${file}: ${subject.replaceAll('\n', ', ')}`;
    return { key, named, begins: Date.parse(validFrom), ends: Date.parse(validTo) };
  });
  read.set(pem, terms);
  return terms;
}

/**
 * The one of a file's terms that ends first. Of several authorities one that is over is no more than a leftover
 * while another holds; a chain is broken by it.
 * @param now ms since 1970.
 */
export function firstToEnd(
  terms: readonly CertificateTerm[],
  now: number,
): CertificateTerm | undefined {
  const authority = isAuthority(terms[0]?.key ?? '');
  const holding = terms.filter(({ ends }) => ends >= now);
  const candidates = authority && holding.length > 0 ? holding : terms;
  return candidates.reduce<CertificateTerm | undefined>(
    (first, term) => (first === undefined || term.ends < first.ends ? term : first),
    undefined,
  );
}

/** The key that names the CA of a section: on our ports it signs clients, of calls to upstreams servers. */
export function caKey(section: string): string {
  return `${section}.${section === 'upstream_tls' ? '' : 'client_'}ca_file`;
}

/** Whether this key names a file of authorities. */
export function isAuthority(key: string): boolean {
  return key.endsWith('ca_file');
}

/** Of the certificates and CAs that are in use, by file. */
export function certificateTerms(sources: CertificateSources): (readonly CertificateTerm[])[] {
  const files: (readonly CertificateTerm[])[] = [];
  for (const [section, source] of Object.entries(sources)) {
    const { cert = null, ca = null } = source?.current ?? {};
    if (cert !== null) files.push(termsOf(`${section}.cert_file`, cert));
    if (ca !== null) files.push(termsOf(caKey(section), ca));
  }
  return files;
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
