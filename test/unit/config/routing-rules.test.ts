import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../../src/base/errors.js';
import { loadConfig } from '../../../src/config/load.js';
import { routingTable } from '../../../src/config/routing/table.js';

const folder = mkdtempSync(join(tmpdir(), 'gatesvr-routing-'));
afterAll(() => rmSync(folder, { recursive: true }));

function load(yaml: string) {
  const file = join(folder, 'gatesvr.yaml');
  writeFileSync(file, yaml);
  return loadConfig({ file });
}

/** The problems of a file whose rules are these. */
function problems(...rules: string[]): string[] {
  try {
    load(
      `routing:\n  services: [login]\n  rules:\n${rules.map((rule) => `    - ${rule}\n`).join('')}`,
    );
  } catch (error) {
    return messageOf(error).replaceAll(`${folder}/`, '').split('\n');
  }
  return [];
}

function warnings(...rules: string[]): readonly string[] {
  const list = rules.map((rule) => `    - ${rule}\n`).join('');
  return load(`routing:\n  services: [login, match]\n  rules:\n${list}`).warnings;
}

describe('routing.rules', () => {
  test('are read in every form, and as JSON from a flag', () => {
    const { config } = load(`
routing:
  services: [login, match-2]
  rules:
    - { action_prefix: login., service: login }
    - openid_prefix: vip-
      zone: 001
    - { openid_from: a, openid_to: m, zone: 002 }
    - { openid_from: m, service: match-2 }
`);
    expect(config.routing.services).toEqual(['login', 'match-2']);
    expect(config.routing.rules).toEqual([
      { number: 1, condition: { by: 'action_prefix', prefix: 'login.' }, target: 'login' },
      { number: 2, condition: { by: 'openid_prefix', prefix: 'vip-' }, target: '001' },
      { number: 3, condition: { by: 'openid_range', from: 'a', to: 'm' }, target: '002' },
      { number: 4, condition: { by: 'openid_range', from: 'm', to: null }, target: 'match-2' },
    ]);
    const json = '[{"action_prefix":"a.","zone":"003"}]';
    const flagged = loadConfig({ flags: { 'routing.rules': json } }).config;
    expect(flagged.routing.rules).toEqual([
      { number: 1, condition: { by: 'action_prefix', prefix: 'a.' }, target: '003' },
    ]);
    expect(loadConfig().config.routing).toMatchObject({ rules: [], services: [] });
  });

  test.each<[string, string]>([
    [
      '{ zone: 001 }',
      'rule 1 has no condition: give action_prefix, openid_prefix, or openid_from and openid_to',
    ],
    ['{}', 'rule 1 has no condition'],
    [
      '{ action_prefix: a, openid_from: b, zone: 001 }',
      'rule 1 has more than one condition (action_prefix; openid_from and openid_to): write a rule for each',
    ],
    ['{ action_prefix: a }', 'rule 1 says not where to: give zone or service'],
    [
      '{ action_prefix: a, zone: 001, service: login }',
      'rule 1 names both a zone and a service: give one',
    ],
    ['{ action_prefix: a, zone: 007 }', 'rule 1 has zone "007", which is none of 001 to 006'],
    [
      '{ action_prefix: a, service: logn }',
      'rule 1 names service "logn", which is not in routing.services; did you mean login?',
    ],
    ['{ action_prefix: a, service: 001 }', ''],
    [
      '{ openid_from: m, openid_to: a, zone: 001 }',
      'rule 1 has an empty range: openid_from "m" must come before openid_to "a"',
    ],
    ['{ openid_from: a, openid_to: a, zone: 001 }', 'rule 1 has an empty range'],
    ['{ action_prefix: "", zone: 001 }', 'rule 1: action_prefix is empty'],
    [
      `{ openid_prefix: ${'x'.repeat(129)}, zone: 001 }`,
      'rule 1: openid_prefix is longer than 128 bytes',
    ],
    ['{ openid_prefix: [a], zone: 001 }', 'rule 1: openid_prefix must be a text'],
    [
      '{ openid_prefx: a, zone: 001 }',
      'rule 1: unknown key openid_prefx; did you mean openid_prefix?',
    ],
    ['word', 'rule 1 is no rule such as { action_prefix: "login.", service: login }'],
  ])('%s: %s', (rule, problem) => {
    const found = problems(rule);
    if (problem === '') expect(found).toEqual([]);
    else
      expect(found.join('\n')).toContain(
        `routing.rules${problem.includes('names service') ? ':' : ''} ${problem}`,
      );
  });

  test('every problem is named, with its file and line', () => {
    const found = problems(
      '{ action_prefix: a }',
      '{ zone: 001 }',
      '{ openid_prefix: ok, zone: 001 }',
    );
    expect(found).toHaveLength(2);
    expect(found[0]).toMatch(/^gatesvr\.yaml:3: routing\.rules rule 1 says not where to/);
    expect(found[1]).toMatch(/^gatesvr\.yaml:3: routing\.rules rule 2 has no condition/);
  });

  test.each(['rules: 5', 'rules: { a: b }', 'rules: "[1"'])('%s is no list', (line) => {
    expect(() => load(`routing:\n  ${line}\n`)).toThrow(
      /gatesvr\.yaml:2: routing\.rules must be a list of rules such as/,
    );
  });

  test('more rules than anyone reads are refused', () => {
    const many = Array.from({ length: 257 }, (_, n) => ({ action_prefix: `a${n}.`, zone: '001' }));
    const flags = { 'routing.rules': JSON.stringify(many) };
    expect(() => loadConfig({ flags })).toThrow('routing.rules has 257 rules, above 256');
  });
});

describe('routing.services', () => {
  test.each(['any', '001', 'Login', 'a b', '-a', 'x'.repeat(33)])('"%s" is no name', (name) => {
    expect(() => loadConfig({ flags: { 'routing.services': name } })).toThrow(
      /routing\.services must be names/,
    );
  });

  test('are at most 32', () => {
    const names = Array.from({ length: 33 }, (_, n) => `s${n}`).join(',');
    expect(() => loadConfig({ flags: { 'routing.services': names } })).toThrow(
      '33 services, above 32',
    );
  });
});

describe('rules that are probably not meant', () => {
  test.each<[string[], string]>([
    [
      ['{ action_prefix: a, zone: 001 }', '{ action_prefix: a.b, zone: 002 }'],
      'routing.rules: rule 2 (action a.b*) never matches, for rule 1 (action a*) covers it and comes first',
    ],
    [
      ['{ openid_prefix: a, zone: 001 }', '{ openid_prefix: a, zone: 002 }'],
      'rule 2 (openid a*) never matches, for rule 1 (openid a*)',
    ],
    [
      ['{ openid_from: a, openid_to: m, zone: 001 }', '{ openid_prefix: li, zone: 002 }'],
      'rule 2 (openid li*) never matches, for rule 1 (openid from a, below m)',
    ],
    [
      [
        '{ openid_to: m, zone: 001 }',
        '{ openid_from: m, zone: 002 }',
        '{ action_prefix: x, zone: 003 }',
      ],
      'rule 3 (action x*) never matches, for rule 1 (openid below m) and rule 2 (openid from m) cover it',
    ],
    [
      [
        '{ openid_from: a, openid_to: m, zone: 001 }',
        '{ openid_from: g, openid_to: t, zone: 002 }',
      ],
      'rule 2 (openid from g, below t) and rule 1 (openid from a, below m) overlap: openids of both go to zone 001',
    ],
    [
      ['{ openid_from: mm, zone: 001 }', '{ openid_prefix: m, service: login }'],
      'rule 2 (openid m*) and rule 1 (openid from mm) overlap: openids of both go to zone 001',
    ],
  ])('%s: %s', (rules, warning) => {
    expect(warnings(...rules).join('\n')).toContain(warning);
    expect(warnings(...rules)).toHaveLength(1);
  });

  test('an exception before its rule, and neighbours, are meant', () => {
    expect(
      warnings(
        '{ action_prefix: a.b, service: login }',
        '{ action_prefix: a, service: match }',
        '{ openid_prefix: v, zone: 001 }',
        '{ openid_prefix: vip, zone: 002 }',
        '{ openid_prefix: lion, zone: 003 }',
        '{ openid_from: a, openid_to: m, zone: 004 }',
        '{ openid_from: m, openid_to: n, zone: 005 }',
      ),
    ).toEqual([]);
  });
});

test('the resolved table tries longer openid prefixes first and says how each rule was numbered', () => {
  const { config } = load(`
routing:
  services: [login]
  rules:
    - { openid_prefix: vip-, zone: 001 }
    - { action_prefix: login., service: login }
    - { openid_prefix: vip-gold-, zone: 002 }
    - { openid_to: g, zone: 003 }
`);
  expect(routingTable(config.routing.rules)).toEqual([
    'routing, the first line that matches decides:',
    '  openid vip-gold-* -> zone 002 (rule 3)',
    '  openid vip-*      -> zone 001 (rule 1)',
    '  action login.*    -> service login (rule 2)',
    '  openid below g    -> zone 003 (rule 4)',
    '  any other request -> the zone of its openid, 001 to 006 by hash',
  ]);
});
