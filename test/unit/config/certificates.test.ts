import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import {
  ensureDevelopmentCertificates,
  makeCertificates,
  writeCertificates,
} from '../../../src/config/certificates.js';
import type { DevelopmentCertificates } from '../../../src/config/certificates.js';
import { loadConfig } from '../../../src/config/load.js';
import { serverIdentity } from '../../../src/config/server-identity.js';
import { loadTlsFiles } from '../../../src/config/tls-files.js';

const DAY_MS = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-certs-'));
let made: DevelopmentCertificates;
beforeAll(async () => {
  made = await makeCertificates();
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string | Buffer): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('makeCertificates', () => {
  it('signs a server certificate for this machine with its CA', () => {
    const ca = new X509Certificate(made.ca);
    const server = new X509Certificate(made.certificate);
    expect(ca.ca).toBe(true);
    expect(server.ca).toBe(false);
    expect(server.checkIssued(ca)).toBe(true);
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.checkHost('localhost')).toBe('localhost');
    expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(server.checkIP('::1')).toBe('::1');
    expect(server.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(Date.parse(server.validTo) - Date.now()).toBeGreaterThan(364 * DAY_MS);
  });

  it('takes other hosts and days', async () => {
    const { certificate } = await makeCertificates({ hosts: ['gate.test', '10.1.2.3'], days: 2 });
    const server = new X509Certificate(certificate);
    expect(server.checkHost('gate.test')).toBe('gate.test');
    expect(server.checkIP('10.1.2.3')).toBe('10.1.2.3');
    expect(server.checkHost('localhost')).toBeUndefined();
    expect(Date.parse(server.validTo) - Date.parse(server.validFrom)).toBe(2 * DAY_MS);
  });

  it('is trusted by TLS 1.3 clients that trust its CA', async () => {
    const server = createServer({ cert: made.certificate, key: made.key }, (socket) => {
      socket.end('hello');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', ca: made.ca, minVersion: 'TLSv1.3' });
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    }).finally(() => server.close());
    expect(answer).toBe('hello');
  });
});

describe('files', () => {
  it('are written once, the key for its owner only, and replaced only by force', async () => {
    const target = join(folder, 'new', 'certs');
    const first = await ensureDevelopmentCertificates(target);
    expect(first.made).toBe(true);
    expect(statSync(first.keyFile).mode & 0o777).toBe(0o600);
    expect(existsSync(first.caFile)).toBe(true);
    const before = readFileSync(first.certFile, 'utf8');
    expect((await ensureDevelopmentCertificates(target)).made).toBe(false);
    await expect(writeCertificates(target)).rejects.toMatchObject({ code: 'CERTIFICATES_EXIST' });
    expect(readFileSync(first.certFile, 'utf8')).toBe(before);
    await writeCertificates(target, {}, true);
    expect(readFileSync(first.certFile, 'utf8')).not.toBe(before);
    expect(loadTlsFiles(first.certFile, first.keyFile).certName).toBe(first.certFile);
  });

  it('are not written in part where the disk is full before the last of them', async () => {
    const dir = join(folder, 'full');
    mkdirSync(dir);
    symlinkSync('/dev/full', join(dir, `ca.crt.${process.pid}.new`));
    await expect(writeCertificates(dir)).rejects.toMatchObject({ code: 'CERTIFICATES_UNWRITABLE' });
    expect(readdirSync(dir)).toEqual([]);
  });

  it('that cannot be written are a startup error', async () => {
    await expect(writeCertificates('/dev/null/certs')).rejects.toMatchObject({
      code: 'CERTIFICATES_UNWRITABLE',
    });
  });
});

describe('serverIdentity', () => {
  const server = loadConfig().config.server;

  it('is what the operator names', async () => {
    const [certFile, keyFile] = [file('o.crt', made.certificate), file('o.key', made.key)];
    const identity = await serverIdentity({ ...server, certFile, keyFile });
    expect(identity).toMatchObject({ certName: certFile, development: false, made: false });
  });

  it('is a development one, made once, where nothing is named', async () => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      expect(await serverIdentity(server)).toMatchObject({ development: true, made: true });
      expect(await serverIdentity(server)).toMatchObject({ development: true, made: false });
      rmSync(join('certs', 'server.crt'));
      await expect(serverIdentity(server)).rejects.toMatchObject({ code: 'TLS_UNREADABLE' });
    } finally {
      process.chdir(before);
    }
  });
});

describe('loadTlsFiles', () => {
  it('gives what was read and when it ends', () => {
    const [cert, key] = [file('s.crt', made.certificate), file('s.key', made.key)];
    const loaded = loadTlsFiles(cert, key);
    expect(loaded.cert.toString()).toBe(made.certificate);
    expect(loaded.key.toString()).toBe(made.key);
    expect(loaded.expires).toBe(Date.parse(new X509Certificate(made.certificate).validTo));
  });

  it('refuses in one line what cannot be used', async () => {
    const other = await makeCertificates();
    const cert = file('s.crt', made.certificate);
    const key = file('s.key', made.key);
    const wrong = file('other.key', other.key);
    const junk = file('junk', Buffer.from([0, 1, 2]));
    const late = Date.now() + 400 * DAY_MS;
    const early = Date.now() - 2 * DAY_MS;
    expect(() => loadTlsFiles(join(folder, 'no'), key)).toThrow(
      /cannot read certificate .*: no such/,
    );
    expect(() => loadTlsFiles(cert, folder)).toThrow(/cannot read private key/);
    expect(() => loadTlsFiles(cert, wrong)).toThrow(/other\.key does not belong to certificate/);
    expect(() => loadTlsFiles(junk, key)).toThrow(/junk is not a PEM certificate/);
    expect(() => loadTlsFiles(cert, junk)).toThrow(/junk is not an unencrypted PEM private key/);
    expect(() => loadTlsFiles(cert, key, late)).toThrow(/expired on .*gatesvr certs --force/);
    expect(() => loadTlsFiles(cert, key, early)).toThrow(/is not valid before/);
  });

  it('refuses a chain that is torn after its first certificate', () => {
    const chain = file('torn.crt', made.certificate + made.ca.slice(0, 300));
    const key = file('s.key', made.key);
    expect(() => loadTlsFiles(chain, key)).toThrow(
      /^certificate 2 of .*torn\.crt is damaged: was the file written whole\?$/,
    );
    const whole = file('whole.crt', `a line of text\n${made.certificate}more text\n${made.ca}`);
    expect(loadTlsFiles(whole, key).certName).toBe(whole);
  });

  it('refuses a certificate that is no PEM', () => {
    const der = file('s.der', new X509Certificate(made.certificate).raw);
    expect(() => loadTlsFiles(der, file('s.key', made.key))).toThrow(/s\.der is not a PEM/);
  });
});
