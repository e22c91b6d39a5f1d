import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { randomBytes, webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { StartupError, messageOf } from '../base/errors.js';

/** What a development certificate is good for when nothing else is asked: this machine. */
export const DEFAULT_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '::1'];
export const DEFAULT_DAYS = 365;
/** Where the certificates of a first run are written, below the working directory. */
export const DEVELOPMENT_FOLDER = 'certs';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;
/** Valid since an hour ago, for clocks of peers may be behind. */
const BACKDATE_MS = 3_600_000;

export interface CertificateRequest {
  /** DNS names and IP addresses of the server. */
  readonly hosts?: readonly string[];
  /** Days that both certificates are valid. */
  readonly days?: number;
}

/** A development CA and a server certificate that it signed, all PEM. */
export interface DevelopmentCertificates {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * Makes a CA and a server certificate on ECDSA P-256. The CA's key is forgotten at once, so nobody
 * can ever sign anything else with it.
 */
export async function makeCertificates(
  request: CertificateRequest = {},
): Promise<DevelopmentCertificates> {
  const from = Date.now() - BACKDATE_MS;
  const notBefore = new Date(from);
  const notAfter = new Date(from + (request.days ?? DEFAULT_DAYS) * DAY_MS);
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
      extensions: await serverExtensions(request.hosts ?? DEFAULT_HOSTS, issuer, subject),
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
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension(names),
    await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto),
    await x509.SubjectKeyIdentifierExtension.create(subject.publicKey, false, webcrypto),
  ];
}

/**
 * Makes certificates and writes ca.crt, server.crt and server.key (mode 0600) into a folder.
 * @param force overwrite existing ones.
 * @throws StartupError CERTIFICATES_EXIST, or CERTIFICATES_UNWRITABLE naming folder and reason.
 */
export async function writeCertificates(
  folder: string,
  request: CertificateRequest = {},
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
