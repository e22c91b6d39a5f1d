import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;
/** Valid since an hour ago, for clocks of peers may be behind. */
const BACKDATE_MS = 3_600_000;

export interface CertificateRequest {
  /** DNS names and IP addresses of the server. */
  readonly hosts: readonly string[];
  /** Days that both certificates are valid. */
  readonly days: number;
}

/** A development CA and a server certificate that it signed, all PEM. */
export interface DevelopmentCertificates {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/**
 * Makes a CA and a server certificate on ECDSA P-256. The CA's key is forgotten at once, so nobody
 * can ever sign anything else with it.
 */
export async function issueCertificates(
  request: CertificateRequest,
): Promise<DevelopmentCertificates> {
  const from = Date.now() - BACKDATE_MS;
  const notBefore = new Date(from);
  const notAfter = new Date(from + request.days * DAY_MS);
  const issuer = await keyPair();
  const subject = await keyPair();
  const validity = { notBefore, notAfter, signingAlgorithm: ALGORITHM };
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...validity,
      serialNumber: serialNumber(),
      name: 'CN=GateSvr development CA',
      keys: issuer,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  const certificate = await x509.X509CertificateGenerator.create(
    {
      ...validity,
      serialNumber: serialNumber(),
      subject: 'CN=GateSvr development server',
      issuer: ca.subject,
      publicKey: subject.publicKey,
      signingKey: issuer.privateKey,
      extensions: await serverExtensions(request.hosts, issuer, subject),
    },
    webcrypto,
  );
  const exported = await webcrypto.subtle.exportKey('pkcs8', subject.privateKey);
  const key = x509.PemConverter.encode(exported, 'PRIVATE KEY');
  return { ca: pem(ca), certificate: pem(certificate), key: `${key}\n` };
}

async function serverExtensions(
  hosts: readonly string[],
  issuer: webcrypto.CryptoKeyPair,
  subject: webcrypto.CryptoKeyPair,
): Promise<x509.Extension[]> {
  const names = hosts.map((host) => ({
    type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const),
    value: host,
  }));
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    // Of a client too: gateways and upstreams show each other the same certificate.
    new x509.ExtendedKeyUsageExtension([
      x509.ExtendedKeyUsage.serverAuth,
      x509.ExtendedKeyUsage.clientAuth,
    ]),
    new x509.SubjectAlternativeNameExtension(names),
    await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto),
    await x509.SubjectKeyIdentifierExtension.create(subject.publicKey, false, webcrypto),
  ];
}

function keyPair(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** 127 random bits: positive and unique, as RFC 5280 section 4.1.2.2 asks. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}
