import { afterAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../../../src/config/certificates.js';
import { certificateFaults, certificateSource } from '../../../src/gateway/certificate-files.js';
import { certificateTerms } from '../../../src/gateway/certificate-terms.js';
import { CERTIFICATE_POLL_MS } from '../../../src/grpc/certificate-source.js';
import { silentLogger } from '../../../src/telemetry/log.js';
import { FakeClock } from '../../support/fake-clock.js';

const folder = mkdtempSync(join(tmpdir(), 'gatesvr-ca-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('an authority that is damaged is not used: TLS would take it and refuse everyone', async () => {
  const caFile = join(folder, 'ca.crt');
  const { ca } = await makeCertificates();
  writeFileSync(caFile, ca);
  const files = { certFile: null, keyFile: null, caFile };
  const source = certificateSource(files, new FakeClock(), silentLogger());
  for (const [damaged, fault] of [
    [ca.slice(0, 300), 'is not a PEM certificate'],
    [ca + ca.slice(0, 300), 'is damaged: was the file written whole?'],
  ] as const) {
    writeFileSync(caFile, damaged);
    expect(source.reload()).toBe(false);
    expect(certificateFaults({ 'ops.tls': source })).toEqual([
      expect.stringMatching(/^ops\.tls: the old certificates stay in use: .*ca\.crt /),
    ]);
    expect(source.fault).toContain(fault);
    // It is what /health and /metrics tell, which must not fail for it.
    expect(certificateTerms({ 'ops.tls': source })).toHaveLength(1);
    expect(() => certificateSource(files, new FakeClock(), silentLogger())).toThrow(fault);
  }
});

test('a file that the system does not even show is a fault, not the end of the process', async () => {
  const caFile = join(folder, 'shown.crt');
  const { ca } = await makeCertificates();
  writeFileSync(caFile, ca);
  const clock = new FakeClock();
  const files = { certFile: null, keyFile: null, caFile };
  const source = certificateSource(files, clock, silentLogger());
  source.start();
  // As a folder that others may not enter any more, but for root, too.
  rmSync(caFile);
  symlinkSync(caFile, caFile);
  clock.advance(CERTIFICATE_POLL_MS);
  expect(source.fault).toMatch(/^cannot read CA .*shown\.crt: .*ELOOP/);
  rmSync(caFile);
  writeFileSync(caFile, ca);
  clock.advance(CERTIFICATE_POLL_MS);
  expect(source.fault).toBe('');
  source.stop();
  expect(() =>
    certificateSource({ ...files, caFile: join(caFile, 'x') }, clock, silentLogger()),
  ).toThrow(/^cannot read CA /);
});
