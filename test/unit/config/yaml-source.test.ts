import { describe, expect, it } from '@jest/globals';
import type { Findings } from '../../../src/config/source.js';
import { readYaml } from '../../../src/config/yaml-source.js';

function read(text: string) {
  const findings: Findings = { problems: [], warnings: [] };
  const settings = readYaml(text, 'g.yaml', findings);
  return { settings, problems: findings.problems };
}

/** Each of them would otherwise mean no token at all: an open door that looks shut. */
describe('a value that YAML takes for a mark of its own', () => {
  const quoted = (path: string, mark: string) =>
    `g.yaml:2: ${path} begins with "${mark}", which YAML does not take as text: put it into quotes`;

  it.each([
    ['ops:\n  admin_token: !hunter2-hunter2-hunter2', quoted('ops.admin_token', '!')],
    ['ops:\n  admin_token: &hunter2-hunter2-hunter2', quoted('ops.admin_token', '&')],
    ['ops:\n  admin_token: *hunter2-hunter2-hunter2', quoted('ops.admin_token', '*')],
    ['ops:\n  admin_token: !ENV hunter2', quoted('ops.admin_token', '!')],
    ['grpc:\n  register_allow: [10.0.0.0/8, !hunter2]', quoted('grpc.register_allow', '!')],
    ['routing:\n  rules: [{action: !hunter2}]', quoted('routing.rules.action', '!')],
    ['# both\nserver: *hunter2', quoted('server', '*')],
  ])('is a problem, and not shown: %j', (text, expected) => {
    const { problems } = read(text);
    expect(problems).toEqual([expected]);
    expect(problems.join()).not.toContain('hunter2');
  });

  it('passes in quotes, and marks that mean something pass too', () => {
    const text =
      'ops: {admin_token: "!a"}\nlog: {level: &l warn, format: !!str json}\nserver: {max_retries: !!int 5}\nsession: {login_action: *l}\n';
    const { settings, problems } = read(text);
    expect(problems).toEqual([]);
    expect(
      Object.fromEntries([...settings].map(([path, { text: value }]) => [path, value])),
    ).toEqual({
      'ops.admin_token': '!a',
      'log.level': 'warn',
      'log.format': 'json',
      'server.max_retries': '5',
      'session.login_action': 'warn',
    });
  });
});

it('of several documents says what to do with the file', () => {
  expect(read('server: {}\n---\nlog: {}').problems).toEqual([
    'g.yaml:2: the file holds several documents: take out the line ---, so that it is one',
  ]);
});

it.each([
  ['server.quic_addr: ":1"', 'server.quic_addr', 'server: {quic_addr: ...}'],
  ['grpc:\n  tls.cert_file: a', 'grpc.tls.cert_file', 'grpc: {tls: {cert_file: ...}}'],
  ['ops.tls:\n  cert_file: a', 'ops.tls', 'ops: {tls: ...}'],
])('a key with dots, as all pages name it, is told to be levels: %j', (text, path, levels) => {
  expect(read(text).problems).toEqual([expect.stringMatching(/^g\.yaml:[12]: unknown key /)]);
  expect(read(text).problems[0]).toContain(
    `unknown key ${path}: each dot is a level in YAML, such as ${levels}`,
  );
});
