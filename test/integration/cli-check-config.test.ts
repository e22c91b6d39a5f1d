import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerCheckConfigCommand } from '../../src/cli/check-config.js';
import { registerServeCommand } from '../../src/cli/serve.js';
import { writeCertificates } from '../../src/config/certificates.js';
import { encodeHeader } from '../../src/journal/disk-log-format.js';
import { RoleFile } from '../../src/replication/role-file.js';
import { CliRun } from '../support/cli-run.js';

const folder = mkdtempSync(join(tmpdir(), 'gatesvr-check-'));
const at = (...names: string[]) => join(folder, ...names);
let count = 0;

beforeAll(async () => {
  await writeCertificates(at('one'));
  await writeCertificates(at('two'));
  // Valid since an hour, for a quarter of an hour more.
  await writeCertificates(at('short'), { days: 1.25 / 24 });
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(...argv: string[]) {
  const started = new CliRun(argv, (program, terminal) => {
    registerCheckConfigCommand(program, terminal);
    registerServeCommand(program, terminal, () => Promise.reject(new Error('not to be started')));
  });
  const code = await started.code;
  return { code, out: started.out, err: started.err };
}

/** A good configuration of one's own files, and these lines of YAML behind it. */
function file(more = '', certificate = 'one'): string {
  const path = at(`${++count}.yaml`);
  const own = [
    'server:',
    '  quic_addr: 127.0.0.1:9443',
    '  grpc_addr: 127.0.0.1:9092',
    `  cert_file: ${at(certificate, 'server.crt')}`,
    `  key_file: ${at(certificate, 'server.key')}`,
    `  state_file: ${at('state')}`,
    `quic: { retry_key_file: ${at('retry')} }`,
  ];
  writeFileSync(path, `${own.join('\n')}\n${more}\n`);
  return path;
}

describe('gatesvr check-config', () => {
  test('says what a good configuration means, and changes no file', async () => {
    const config = file('session: { offline_ttl: 10m, resume_window: 1m }');
    const { code, out, err } = await run('check-config', '-c', config, '--log-level', 'warn');
    expect([code, err]).toEqual([0, '']);
    const lines = out.split('\n').map((line) => line.replace(/ {2,}/g, '  '));
    expect(lines[0]).toBe('settings that differ from the defaults:');
    expect(lines).toContain(`  server.quic_addr  127.0.0.1:9443  ${config}:2`);
    expect(lines).toContain(`  session.offline_ttl  10m  ${config}:8`);
    expect(lines).toContain('  log.level  warn  --log-level');
    const until = /^ {2}server\.cert_file {2}\S+server\.crt {2}valid until \d{4}-\d\d-\d\d$/;
    expect(lines).toContainEqual(expect.stringMatching(until));
    expect(lines.slice(-2)).toEqual(['the configuration is valid', '']);
    expect([existsSync(at('retry')), existsSync(at('state.ceiling'))]).toEqual([false, false]);
  });

  test('a default that is written down is no difference', async () => {
    const { out } = await run('check-config', '--set', 'session.offline_ttl=0s');
    expect(out).toMatch(/^all settings are the defaults\n/);
  });

  test('prints the routing table as it is tried', async () => {
    const rule =
      'routing: { services: [login], rules: [{ action_prefix: auth., service: login }] }';
    const { code, out } = await run('check-config', '-c', file(rule));
    expect(code).toBe(0);
    const table = out.slice(out.indexOf('routing, the first line that matches decides:\n'));
    expect(table).toMatch(/^.*\n {2}.*auth\..* -> .*login.*\n {2}any other request +-> the zone/);
  });

  test('serve --check is the same', async () => {
    const config = file();
    const checked = await run('check-config', '--config', config);
    expect(await run('serve', '--check', '--config', config)).toEqual(checked);
  });

  test('never prints a secret', async () => {
    const secrets = ['0123456789-admin-token', 'A-shared-secret-of-32-bytes-or-so!', 'peer-secret'];
    const config = file(`ops: { admin_token: ${secrets[0]} }\ngrpc: { secret: ${secrets[2]} }`);
    const token = ['--set', 'auth.mode=jwt', '--set', `auth.secret=${secrets[1]}`];
    const { code, out, err } = await run('check-config', '-c', config, ...token);
    expect(code).toBe(0);
    expect(out.match(/\(secret\)/g)).toHaveLength(3);
    for (const secret of secrets) expect(out + err).not.toContain(secret);
  });

  test('names every problem at once, and exits with 1', async () => {
    writeFileSync(at('retry-other'), 'something else');
    writeFileSync(at('damaged.ceiling'), 'xyz');
    writeFileSync(at('jwks.json'), '{"keys": []}');
    const sets = {
      'server.key_file': at('two', 'server.key'),
      'server.state_file': at('damaged'),
      'quic.retry_key_file': at('retry-other'),
      'grpc.tls.cert_file': at('none.crt'),
      'grpc.tls.key_file': at('two', 'server.key'),
      'upstream_tls.ca_file': at('retry-other'),
      'auth.mode': 'jwt',
      'auth.jwks_file': at('jwks.json'),
    };
    const argv = Object.entries(sets).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const { code, out, err } = await run('check-config', '-c', file(), ...argv);
    expect(code).toBe(1);
    expect(out).not.toContain('is valid');
    const problems = err.trimEnd().split('\n');
    expect(problems).toEqual([
      expect.stringMatching(/^gatesvr: server: private key .* does not belong to certificate/),
      expect.stringMatching(/^gatesvr: grpc\.tls: cannot read certificate .*none\.crt: no such/),
      expect.stringMatching(/^gatesvr: upstream_tls: .*retry-other holds no PEM certificate$/),
      expect.stringMatching(/^gatesvr: auth\.jwks_file .* cannot be used: /),
      expect.stringMatching(/^gatesvr: server\.state_file: .*damaged\.ceiling is damaged/),
      expect.stringMatching(/^gatesvr: quic\.retry_key_file: .*is no key file of ours/),
    ]);
  });

  // Node makes no certificate of that kind.
  const withOpenssl = spawnSync('openssl', ['version']).status === 0 ? test : test.skip;
  withOpenssl('names a key of a kind that QUIC does not take, as the start does', async () => {
    const files = { key: at('ed448.key'), cert: at('ed448.crt') };
    const request = ['req', '-x509', '-newkey', 'ed448', '-nodes', '-days', '30', '-subj', '/CN=x'];
    execFileSync('openssl', [...request, '-keyout', files.key, '-out', files.cert], {
      stdio: 'ignore',
    });
    const argv = ['--cert-file', files.cert, '--key-file', files.key];
    const { code, err } = await run('check-config', '-c', file(), ...argv);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(
        /^gatesvr: server: TLS refuses private key .*ed448\.key .*; use ECDSA P-256, Ed25519 or RSA\n$/,
      ),
    ]);
  });

  test('an authority that has expired is a problem only where no other one is beside it', async () => {
    // Valid since an hour, for less than that.
    await writeCertificates(at('over'), { days: 0.5 / 24 });
    const [over, good] = ['over', 'two'].map((name) => readFileSync(at(name, 'ca.crt'), 'latin1'));
    const checked = async (authorities: string) => {
      writeFileSync(at('ca.crt'), authorities);
      return await run(
        'check-config',
        '-c',
        file(),
        '--set',
        `upstream_tls.ca_file=${at('ca.crt')}`,
      );
    };
    const line = (kind: string) =>
      expect.stringMatching(
        new RegExp(
          `^gatesvr: ${kind}upstream_tls\\.ca_file: .*ca\\.crt expired on [0-9-]+: renew it\n$`,
        ),
      );
    const alone = await checked(over ?? '');
    expect([alone.code, alone.err]).toEqual([1, line('')]);
    const beside = await checked(`${over}${good}`);
    expect([beside.code, beside.err]).toEqual([0, line('warning: ')]);
  });

  test('names files of ours that the system does not let a gateway use', async () => {
    mkdirSync(at('a-folder'));
    const state = ['--set', `server.state_file=${at('a-folder')}`];
    const log = ['--set', `log.file=${at('one', 'server.crt', 'below', 'x.log')}`];
    const { code, err } = await run('check-config', '-c', file(), ...state, ...log);
    expect([code, err.trimEnd().split('\n')]).toEqual([
      1,
      [
        expect.stringMatching(/^gatesvr: server\.state_file: cannot read state file .*a-folder: E/),
        expect.stringMatching(/^gatesvr: log\.file: .*server\.crt is not a directory$/),
      ],
    ]);
    const other = await run('check-config', '-c', file(), '--set', `log.file=${at('one')}`);
    expect(other.err).toMatch(/^gatesvr: log\.file: cannot write .*one: it is a directory\n$/);
    const good = await run('check-config', '-c', file(), '--set', `log.file=${at('new', 'x.log')}`);
    expect([good.code, good.err, existsSync(at('new'))]).toEqual([0, '', false]);
  });

  test('looks at the folder of the journal and how its segments begin, and says what it leaves', async () => {
    const folder = at('journal');
    const journal = (path: string) => ['--set', `journal.path=${path}`];
    const missing = await run('check-config', '-c', file(), ...journal(folder));
    expect([missing.code, missing.err, existsSync(folder)]).toEqual([0, '', false]);
    const below = await run('check-config', '-c', file(), ...journal(at('one', 'server.crt', 'x')));
    expect([below.code, below.err]).toEqual([
      1,
      expect.stringMatching(/^gatesvr: journal\.path: .*server\.crt is not a directory\n$/),
    ]);
    mkdirSync(folder);
    const header = { whole: true, standalone: true, position: 0, bootId: '' };
    writeFileSync(join(folder, '00000001.log'), encodeHeader(header));
    writeFileSync(join(folder, '00000002.log'), '');
    const good = await run('check-config', '-c', file(), ...journal(folder));
    expect([good.code, good.err]).toEqual([0, '']);
    expect(good.out).toMatch(
      / journal\.path +\S+journal +can be read and written; .* \(2\) hold is/,
    );
    writeFileSync(join(folder, '00000002.log'), 'something else');
    const damaged = await run('check-config', '-c', file(), ...journal(folder));
    expect(damaged.code).toBe(0);
    expect(damaged.err).toMatch(
      /warning: journal\.path: \S+00000002\.log does not begin as a segm/,
    );
    rmSync(join(folder, '00000002.log'));
    mkdirSync(join(folder, '00000003.log'));
    const unread = await run('check-config', '-c', file(), ...journal(folder));
    expect([unread.code, unread.err]).toEqual([
      1,
      expect.stringMatching(/: journal\.path: cannot read \S+3\.log: .*EISDIR/),
    ]);
  });

  test('names a role file that a start would refuse', async () => {
    const sets = [
      'backup.enabled=true',
      'backup.server_id=a',
      'backup.heartbeat.peer_addr=127.0.0.1:1',
      'backup.sync.peer_addr=127.0.0.1:2',
      `backup.role_file=${at('role')}`,
    ];
    const argv = sets.flatMap((set) => ['--set', set]);
    const refused = async () => {
      const { code, err } = await run('check-config', '-c', file(), ...argv);
      expect(code).toBe(1);
      return err;
    };
    writeFileSync(at('role'), '{"role":"primary"}');
    expect(await refused()).toMatch(/backup\.role_file: .*role is damaged/);
    const state = { role: 'primary', solo: true, boot: 1, epoch: 1, position: 1 } as const;
    new RoleFile(at('role'), 'b').save({ ...state, seenEpoch: 1, peer: 'a', failbacks: 0 });
    expect(await refused()).toMatch(/backup\.role_file: .*role is that of the other gateway/);
  });

  test('warns of what will go wrong, and --strict takes that for a failure', async () => {
    chmodSync(at('short', 'server.key'), 0o644);
    const config = file('', 'short');
    const { code, err } = await run('check-config', '-c', config);
    expect(code).toBe(0);
    expect(err).toMatch(/warning: server\.cert_file: .* expires on \d{4}-\d\d-\d\d: renew it\n/);
    expect(err).toMatch(/warning: server\.key_file: .* can be read by everyone on this machine/);
    const strict = await run('check-config', '--strict', '-c', config);
    expect(strict.code).toBe(1);
    expect(strict.err).toMatch(/\ngatesvr: 2 warnings, and --strict allows none\n$/);
  });

  test('warns of registrations that a start would set aside, and moves none', async () => {
    const registry = at('registry');
    writeFileSync(registry, '{"format":1,"upstreams":[]}');
    const set = ['--set', `routing.registry_file=${registry}`];
    const good = await run('check-config', '-c', file(), ...set);
    expect([good.code, good.err]).toEqual([0, '']);
    expect(good.out).toMatch(/^ {2}routing\.registry_file +\S+registry +holds 0 registered/m);
    writeFileSync(registry, '{"format":1,"upst');
    const { code, err } = await run('check-config', '-c', file(), ...set);
    expect(code).toBe(0);
    expect(err).toMatch(/warning: routing\.registry_file: .*damaged: a start sets it aside/);
    expect(readFileSync(registry, 'utf8')).toBe('{"format":1,"upst');
    // A gateway with a journal keeps its registrations there.
    const journal = ['--set', `journal.path=${at('log')}`];
    expect((await run('check-config', '-c', file(), ...set, ...journal)).err).toBe('');
  });

  test('a command line that is wrong exits with 2', async () => {
    expect(await run('check-config', '--confg', 'x')).toMatchObject({ code: 2, out: '' });
  });
});
