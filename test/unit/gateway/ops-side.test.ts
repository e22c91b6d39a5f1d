import { expect, test } from '@jest/globals';
import { loadConfig } from '../../../src/config/load.js';
import { opsWarnings } from '../../../src/gateway/ops-side.js';

const ADMIN = { 'ops.admin_token': 'admin-token-0123456789' };
const READ = { 'ops.read_token': 'read-token-0123456789' };
const TLS = { 'ops.tls.cert_file': 'server.crt', 'ops.tls.key_file': 'server.key' };
const LOCAL_HTTP = { 'server.http_addr': '127.0.0.1:8080' };
const LOCAL_METRICS = { 'server.metrics_addr': '[::1]:9090' };

const http = (tokens: string) =>
  `server.http_addr is plain HTTP, which shows ${tokens}: set ops.tls`;
const metrics = 'server.metrics_addr is plain HTTP, which shows ops.read_token: set ops.tls';

test.each([
  ['no token', {}, []],
  ['an admin token, which Prometheus never shows', ADMIN, [http('ops.admin_token')]],
  ['a read token, which both listeners take', READ, [http('ops.read_token'), metrics]],
  ['both', { ...ADMIN, ...READ }, [http('ops.admin_token and ops.read_token'), metrics]],
  ['both over TLS', { ...ADMIN, ...READ, ...TLS }, []],
  ['a local API', { ...ADMIN, ...READ, ...LOCAL_HTTP }, [metrics]],
  ['no API', { ...READ, 'server.http_addr': 'off' }, [metrics]],
  ['a local Prometheus', { ...READ, ...LOCAL_METRICS }, [http('ops.read_token')]],
  ['no Prometheus', { ...READ, 'server.metrics_addr': 'off' }, [http('ops.read_token')]],
  ['all local', { ...ADMIN, ...READ, ...LOCAL_HTTP, ...LOCAL_METRICS }, []],
])('tokens in the clear: %s', (_, flags, expected) => {
  const { config } = loadConfig({ env: {}, flags: flags as Record<string, string> });
  expect(opsWarnings(config)).toEqual(expected);
});
