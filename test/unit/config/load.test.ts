import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartupError } from '../../../src/base/errors.js';
import { loadConfig } from '../../../src/config/load.js';
import type { ConfigSources } from '../../../src/config/load.js';
import { renderReference } from '../../../src/config/reference.js';
import { environmentName, leaves } from '../../../src/config/schema.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function yaml(text: string): string {
  const file = join(folder, 'gatesvr.yaml');
  writeFileSync(file, text);
  return file;
}

/** The problems that loading names, the folder of the file left out. */
function problems(sources: ConfigSources): string[] {
  try {
    loadConfig(sources);
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    return error.message.replaceAll(`${folder}/`, '').split('\n');
  }
  return [];
}

describe('defaults', () => {
  it('are those of WIRE.md', () => {
    const { config, warnings } = loadConfig();
    expect(warnings).toEqual([]);
    expect(config.server).toMatchObject({
      quicAddr: { host: '', port: 8453 },
      httpAddr: { host: '', port: 8080 },
      grpcAddr: { host: '', port: 8092 },
      metricsAddr: { host: '', port: 9090 },
      wsAddr: { host: '', port: 8453 },
      sessionTimeout: 300_000,
      ackTimeout: 30_000,
      maxRetries: 3,
      certFile: null,
    });
    expect(config.backup).toMatchObject({
      enabled: false,
      heartbeat: { interval: 2_000, timeout: 6_000, listenAddr: { host: '', port: 8093 } },
      sync: {
        batchSize: 50,
        timeout: 200,
        bufferSize: 1_000,
        listenAddr: { host: '', port: 8094 },
      },
    });
  });

  it('follow from other keys where the reference says so', () => {
    const { config } = loadConfig({
      flags: {
        'server.session_timeout': '90s',
        'overload_protection.max_connections': '700',
        'overload_protection.session_qps': '20',
        'server.quic_addr': ':4433',
      },
    });
    expect(config.session.resumeWindow).toBe(90_000);
    expect(config.session.maxSessions).toBe(1_400);
    expect(config.overloadProtection.connectionWarningThreshold).toBe(560);
    expect(config.overloadProtection.sessionBurst).toBe(20);
    expect(config.server.stateFile).toBe('gatesvr-4433.state');
    expect(config.routing.registryFile).toBe('gatesvr-4433.upstreams.state');
    expect(config.quic.retryKeyFile).toBe('gatesvr-4433.keys.state');
    expect(config.server.wsAddr).toEqual({ host: '', port: 4433 });
  });

  it('keep nothing on disk for a gateway on a free port', () => {
    const { config } = loadConfig({ flags: { 'server.quic_addr': '127.0.0.1:0' } });
    expect(config.server.stateFile).toBeNull();
    expect(config.routing.registryFile).toBeNull();
    expect(config.quic.retryKeyFile).toBeNull();
  });

  it('leave the TCP port of QUIC to another listener that has it', () => {
    const { config } = loadConfig({ flags: { 'server.quic_addr': ':8080' } });
    expect(config.server.wsAddr).toBeNull();
  });

  it('take an address to call without its host as one of this machine', () => {
    const file = yaml(
      'server: {upstream_addr: ":9001"}\nbackup: {heartbeat: {peer_addr: ":8093"}, sync: {peer_addr: ":8094"}}\n',
    );
    const { server, backup } = loadConfig({ file }).config;
    const called = [server.upstreamAddr, backup.heartbeat.peerAddr, backup.sync.peerAddr];
    expect(called).toEqual([9001, 8093, 8094].map((port) => ({ host: '127.0.0.1', port })));
  });

  it.each([
    ['0.5', 350],
    ['1.0', 700],
    ['1', 700],
    ['2', 2],
  ])('a warning threshold of %s is at %i of 700', (text, expected) => {
    const { config } = loadConfig({
      flags: {
        'overload_protection.max_connections': '700',
        'overload_protection.connection_warning_threshold': text,
      },
    });
    expect(config.overloadProtection.connectionWarningThreshold).toBe(expected);
  });

  it('are frozen all the way down', () => {
    const { config } = loadConfig();
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.backup.sync.listenAddr)).toBe(true);
  });
});

describe('sources', () => {
  it('override each other: flags, environment, file, defaults', () => {
    const file = yaml(
      'server: {quic_addr: ":1", http_addr: ":2", grpc_addr: ":3", state_file: off}\n',
    );
    const env = { GATESVR_HTTP_ADDR: ':20', GATESVR_GRPC_ADDR: ':30', GATESVR_METRICS_ADDR: '' };
    const { config } = loadConfig({ file, env, flags: { 'server.grpc_addr': ':300' } });
    const { quicAddr, httpAddr, grpcAddr, metricsAddr } = config.server;
    expect([quicAddr.port, httpAddr?.port, grpcAddr.port, metricsAddr?.port]).toEqual([
      1, 20, 300, 9090,
    ]);
    expect(config.server.stateFile).toBeNull();
  });

  it('name server.* in the environment by the key, others by their path', () => {
    expect(environmentName('server.quic_addr')).toBe('GATESVR_QUIC_ADDR');
    expect(environmentName('backup.sync.mode')).toBe('GATESVR_BACKUP_SYNC_MODE');
    const names = leaves().map(([path]) => environmentName(path));
    expect(new Set(names).size).toBe(names.length);
    const env = { GATESVR_BACKUP_SYNC_MODE: 'sync', GATESVR_UPSTREAM_ADDR: 'localhost:9001' };
    const { config } = loadConfig({ env });
    expect(config.backup.sync.mode).toBe('sync');
    expect(config.server.upstreamAddr).toEqual({ host: 'localhost', port: 9001 });
  });

  it('warn of a variable that is a slip of the pen, and of no other', () => {
    const env = { GATESVR_QUIC_ADR: ':1', GATESVR_SERVICE_HOST: '10.0.0.1', GATESVR_DEBUG: '1' };
    expect(loadConfig({ env }).warnings).toEqual([
      'GATESVR_QUIC_ADR: not a known variable; did you mean GATESVR_QUIC_ADDR?',
    ]);
  });

  it('accept the legacy keys with a warning', () => {
    const file = yaml(
      'start_processor: {workers: 4}\nasync: [1]\nserver:\n  upstream_services: {a: b}\nbackup: {readonly: true}\n',
    );
    expect(loadConfig({ file }).warnings.map((line) => line.replace(`${folder}/`, ''))).toEqual([
      'gatesvr.yaml:1: start_processor has no effect in this gateway',
      'gatesvr.yaml:2: async has no effect in this gateway',
      'gatesvr.yaml:4: server.upstream_services has no effect in this gateway',
    ]);
  });

  it('read YAML as it is written: text stays text, lists and aliases work, empty is unset', () => {
    const file = yaml(
      [
        'backup: {server_id: 007, cluster_secret: &s 0123}',
        'session: {login_action: *s}',
        'log:',
        'server: {session_timeout: null, cert_file: ""}',
        'overload_protection: {enabled: No, max_qps: 10_000, qps_warning_threshold: 0.5}',
      ].join('\n'),
    );
    const { config } = loadConfig({ file });
    expect(config.backup.serverId).toBe('007');
    expect(config.session.loginAction).toBe('0123');
    expect(config.overloadProtection).toMatchObject({
      enabled: false,
      maxQps: 10_000,
      qpsWarningThreshold: 5_000,
    });
  });

  it('take an empty file for defaults', () => {
    expect(loadConfig({ file: yaml('# nothing\n') }).config).toEqual(loadConfig().config);
  });

  it('take the test configuration of the repository', () => {
    const { config, warnings } = loadConfig({ file: join(root, 'test-config.yaml') });
    expect(warnings).toEqual([]);
    expect(config.overloadProtection.maxConnections).toBe(10_000);
  });
});

describe('problems', () => {
  it('are all told, each with its place', () => {
    const file = yaml(
      'server:\n  quic_adr: ":1"\n  ack_timeout: 30\nresume_window: 1m\nquic: 7\nlog: {level: loud}\n',
    );
    const env = { GATESVR_GRPC_ADDR: '8092' };
    const flags = { 'session.max_in_flight': '0', 'server.htp_addr': ':1' };
    expect(problems({ file, env, flags })).toEqual([
      'gatesvr.yaml:2: unknown key server.quic_adr; did you mean server.quic_addr?',
      'gatesvr.yaml:4: unknown key resume_window; did you mean session.resume_window?',
      'gatesvr.yaml:5: quic must be a map of keys, such as "migration: ..."',
      '--htp-addr: unknown key server.htp_addr; did you mean server.http_addr?',
      'GATESVR_GRPC_ADDR: server.grpc_addr must be an address such as :8453 or 127.0.0.1:8453, not "8092"',
      'gatesvr.yaml:3: server.ack_timeout must be a duration such as 5m, 200ms or 1h30m, not "30"',
      '--set session.max_in_flight: session.max_in_flight must be between 1 and 65536, not "0"',
      'gatesvr.yaml:6: log.level must be trace, debug, info, warn, error, fatal or silent, not "loud"',
    ]);
  });

  it.each([
    ['a: [1', /^gatesvr\.yaml:\d+: /],
    ['server: {quic_addr: ":1", quic_addr: ":2"}', /^gatesvr\.yaml:1: Map keys must be unique/],
    ['- a\n- b', /the file must be a map/],
    ['server: {quic_addr: {a: 1}}', /server\.quic_addr must be a single value/],
    ['? [a]\n: 1', /must be a plain word/],
    ['__proto__: {a: 1}', /unknown key __proto__/],
    ['server: &a\n  <<: *a', /unknown key server\.<</],
    ['a: 1\n---\nb: 1', /several documents/],
  ])('of YAML are told: %p', (text, expected) => {
    expect(problems({ file: yaml(text) }).join('\n')).toMatch(expected);
  });

  it('never show a secret', () => {
    const flags = { 'backup.cluster_secret': 'hunter2'.repeat(1_000) };
    const found = problems({ flags });
    expect(found).toHaveLength(1);
    expect(found[0]).not.toContain('hunter2');
  });

  it('of a missing or huge file are told', () => {
    expect(problems({ file: join(folder, 'none.yaml') })).toEqual([
      'cannot read configuration none.yaml: no such file',
    ]);
    expect(problems({ file: yaml('#'.repeat(2 ** 20 + 1)) })[0]).toContain('larger than 1 MiB');
    expect(problems({ file: folder })[0]).toContain('cannot read configuration');
  });

  it.each([
    [{ 'server.cert_file': 'a.pem' }, 'server.cert_file is set without server.key_file'],
    [{ 'server.key_file': 'a.pem' }, 'server.key_file is set without server.cert_file'],
    [{ 'server.http_addr': ':8092' }, 'server.grpc_addr and server.http_addr are both :8092'],
    [{ 'session.max_sessions': '10' }, 'below overload_protection.max_connections (50000)'],
    [{ 'session.heartbeat_interval': '1500ms' }, 'must be whole seconds'],
    [{ 'server.state_file': '/no/such/folder/x' }, 'directory /no/such/folder does not exist'],
    [{ 'journal.path': '/dev/null/x' }, 'journal.path: '],
    // It knows no off: a folder of that name would be made.
    [{ 'journal.path': '/no/such/x' }, '/no/such does not exist: create it, or name another'],
    [{ 'backup.enabled': 'true' }, 'backup.server_id is missing'],
    [{ 'auth.mode': 'jwt' }, 'auth.mode jwt needs auth.secret, auth.key_file or auth.jwks_file'],
    [
      { 'auth.mode': 'jwt', 'auth.secret': 's', 'auth.jwks_file': 'f' },
      'auth.secret and auth.jwks_file are set: the kind of key decides',
    ],
    [{ 'grpc.allow_insecure': 'false' }, 'grpc.allow_insecure is false without grpc.tls.cert_file'],
    [{ 'grpc.secret': 'two words' }, 'grpc.secret must be printable ASCII'],
    [{ 'grpc.tls.cert_file': 'a.crt' }, 'grpc.tls.cert_file and grpc.tls.key_file: set both'],
    [{ 'upstream_tls.key_file': 'a.key' }, 'upstream_tls.cert_file and upstream_tls.key_file: set'],
    [{ 'grpc.tls.client_ca_file': 'ca.crt' }, 'grpc.tls.client_ca_file is set without'],
    [
      { 'backup.enabled': 'true', 'backup.heartbeat.interval': '5s' },
      'backup.heartbeat.timeout must be at least twice',
    ],
  ])('of keys that do not fit together are told: %p', (flags, expected) => {
    expect(problems({ flags: flags as Record<string, string> }).join('\n')).toContain(expected);
  });

  it('warn of keys for tokens that nobody verifies', () => {
    const { warnings } = loadConfig({ flags: { 'auth.secret': 'hunter2'.repeat(9) } });
    expect(warnings).toEqual([
      'auth.secret without effect: auth.mode is none, every token is accepted',
    ]);
  });

  it('warn of a line end at a secret, which makes another one, and show neither', () => {
    const secret = 'hunter2'.repeat(9);
    const file = yaml(`backup:\n  cluster_secret: |\n    ${secret}\n`);
    const env = { GATESVR_AUTH_SECRET: `${secret}\n`, GATESVR_AUTH_MODE: 'jwt' };
    const { warnings } = loadConfig({ file, env });
    expect(warnings).toEqual([
      expect.stringMatching(/^auth\.secret begins or ends with white space/),
      expect.stringMatching(/^backup\.cluster_secret begins or ends with white space/),
    ]);
    expect(warnings.join()).not.toContain('hunter2');
    const clean = loadConfig({ env: { ...env, GATESVR_AUTH_SECRET: secret } });
    expect(clean.warnings).toEqual([]);
    const refused = { 'grpc.secret': `${secret}\n` };
    expect(problems({ flags: refused })).toEqual([
      expect.stringMatching(/^grpc\.secret must be .* without spaces or line ends/),
    ]);
    expect(problems({ flags: { 'ops.admin_token': `${secret}\n` } })).toEqual([
      expect.stringMatching(/ops\.admin_token must be .* without spaces or line ends$/),
    ]);
  });

  it('warn where a setting will hurt', () => {
    const flags = { 'quic.idle_timeout': '30s', 'backup.enabled': 'yes', 'backup.server_id': 'a' };
    const peers = {
      'backup.heartbeat.peer_addr': '10.0.0.2:8093',
      'backup.sync.peer_addr': '10.0.0.2:8094',
    };
    const { warnings } = loadConfig({ flags: { ...flags, ...peers } });
    expect(warnings.join('\n')).toMatch(/quic\.idle_timeout \(30s\) does not exceed/);
    expect(warnings.join('\n')).toMatch(/cluster_secret is not set/);
    expect(warnings.join('\n')).toMatch(/without journal\.path/);
    expect(warnings.join('\n')).toMatch(/advertise_addr is not set/);
  });
});

describe('a queue for openids without a session', () => {
  const room = { 'session.offline_max_frames': '91', 'session.outbox_max_frames': '100' };

  it.each([
    ['that one outbox does not take is warned of', { ...room, 'session.offline_ttl': '1m' }, 1],
    ['that is off is not', room, 0],
    [
      'that fits is not',
      { ...room, 'session.offline_ttl': '1m', 'session.offline_max_frames': '90' },
      0,
    ],
  ])('%s', (_, flags, count) => {
    const { warnings } = loadConfig({ env: {}, flags });
    expect(warnings).toEqual(
      Array(count).fill(expect.stringMatching(/offline_max_frames \(91\).* at most 90 is better/)),
    );
  });
});

describe('the reference', () => {
  it('docs/CONFIGURATION.md is current (make build-all writes it)', () => {
    expect(readFileSync(join(root, 'docs', 'CONFIGURATION.md'), 'utf8')).toBe(renderReference());
  });

  it('describes every key', () => {
    for (const [path, leaf] of leaves()) {
      expect([path, leaf.description]).toEqual([path, expect.stringMatching(/^.{10,}$/)]);
      expect([path, leaf.fallback ?? leaf.follows]).toEqual([path, expect.any(String)]);
    }
  });
});
