import { expect, test } from '@jest/globals';
import { CERTIFICATE_POLL_MS, CertificateSource } from '../../../src/grpc/certificate-source.js';
import { createLogger } from '../../../src/telemetry/log.js';
import { FakeClock } from '../../support/fake-clock.js';

test('bad files are tried again until they are good, and complained about once', () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ level: 'error', format: 'json' }, destination);
  const clock = new FakeClock();
  let fault = '';
  let loads = 0;
  const load = () => {
    loads++;
    if (fault !== '') throw new Error(fault);
    return { ca: null, cert: null, key: null };
  };
  // A file whose stamp never changes, as one that may not be read until its mode is another.
  const source = new CertificateSource(load, [], clock, log);
  source.start();
  clock.advance(3 * CERTIFICATE_POLL_MS);
  expect(loads).toBe(1);

  fault = 'permission denied';
  expect(source.reload()).toBe(false);
  clock.advance(3 * CERTIFICATE_POLL_MS);
  expect([loads, source.fault, lines.length]).toEqual([5, 'permission denied', 1]);
  fault = 'no such file';
  clock.advance(CERTIFICATE_POLL_MS);
  expect([source.fault, lines.length]).toEqual(['no such file', 2]);

  fault = '';
  clock.advance(CERTIFICATE_POLL_MS);
  expect([loads, source.fault]).toEqual([7, '']);
  clock.advance(CERTIFICATE_POLL_MS);
  expect(loads).toBe(7);
  source.stop();
});

test('renewed is what has other bytes: a reload for another reason is no renewal', () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ level: 'info', format: 'json' }, destination);
  let cert = 'old';
  const load = () => ({ ca: null, cert: Buffer.from(cert), key: Buffer.from('key') });
  const source = new CertificateSource(load, [], new FakeClock(), log);
  const told: string[] = [];
  expect(source.reload()).toBe(true);
  source.subscribe((material) => told.push(String(material.cert)));
  cert = 'new';
  expect([source.reload(), source.reload()]).toEqual([true, true]);
  expect(told).toEqual(['new']);
  expect(lines.filter((line) => line.includes('certificates were renewed'))).toHaveLength(1);
});

test('a listener that cannot use them leaves the old ones in use, everywhere', () => {
  const clock = new FakeClock();
  let cert = 'old';
  const load = () => ({ ca: null, cert: Buffer.from(cert), key: Buffer.from('key') });
  const log = createLogger({ level: 'silent', format: 'json' }, { write: () => true });
  const source = new CertificateSource(load, [], clock, log);
  const shown: string[] = [];
  source.subscribe((material) => shown.push(String(material.cert)));
  source.subscribe((material) => {
    if (String(material.cert) === 'strange') throw new Error('TLS refuses it');
  });
  cert = 'strange';
  expect(source.reload()).toBe(false);
  expect([shown, source.fault, String(source.current.cert)]).toEqual([
    ['strange', 'old'],
    'TLS refuses it',
    'old',
  ]);
  cert = 'new';
  expect([source.reload(), source.fault, shown.at(-1)]).toEqual([true, '', 'new']);
});
