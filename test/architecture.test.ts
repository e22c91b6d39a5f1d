import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readHouse, violations } from './architecture/rules.js';
import { scanText, scanTree } from './architecture/scan.js';
import type { SourceFile } from './architecture/scan.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const house = readHouse(readFileSync(join(root, 'docs', 'ARCHITECTURE.md'), 'utf8'));

/** The breaches in one file with this text. */
function breaches(path: string, text: string): string[] {
  return violations(house, [scanText(path, text)]);
}

describe('the code', () => {
  it('keeps to the import table and the rules of docs/ARCHITECTURE.md', () => {
    const files = scanTree(join(root, 'src'));
    expect(files.length).toBeGreaterThan(20);
    expect(violations(house, files)).toEqual([]);
  });

  it('of the command line loads QUIC, gRPC and the gateway only for commands that need them', () => {
    const { folders, packages } = loadedAtOnce(scanTree(join(root, 'src')), 'cli/main.ts');
    expect(folders).toContain('config');
    const heavy = ['gateway', 'grpc', 'quic', 'session', 'telemetry', 'wire'];
    expect(folders.filter((folder) => heavy.includes(folder))).toEqual([]);
    const light = ['commander', 'yaml', 'zod'];
    expect(packages.filter((name) => !name.startsWith('node:') && !light.includes(name))).toEqual(
      [],
    );
  });
});

/** What stands in memory before a program does anything. */
function loadedAtOnce(files: readonly SourceFile[], first: string) {
  const byPath = new Map(files.map((file) => [file.path, file] as const));
  const [paths, packages] = [new Set([first]), new Set<string>()];
  for (const path of paths) {
    for (const { specifier, target, typeOnly, late } of byPath.get(path)?.imports ?? []) {
      if (typeOnly || late) continue;
      if (target === null) packages.add(specifier);
      else paths.add(target);
    }
  }
  const folders = new Set([...paths].map((path) => path.slice(0, path.indexOf('/'))));
  return { folders: [...folders], packages: [...packages] };
}

describe('the import table', () => {
  it('was read whole', () => {
    expect([...house.folders.keys()].sort()).toEqual(
      // prettier-ignore
      ['auth', 'base', 'bench', 'cli', 'config', 'console', 'edge', 'gateway', 'grpc', 'http3', 'journal', 'link',
        'ops', 'playground', 'quic', 'replication', 'routing', 'sdk', 'session', 'telemetry', 'upstream', 'websocket', 'wire'],
    );
    expect(house.doors.get('@matrixai/quic')).toEqual(['quic', 'bench']);
    expect(house.doors.get('node:http2')).toEqual(['grpc', 'bench']);
  });

  it('points down only: no folder reaches itself through others', () => {
    const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
      [...(house.folders.get(from)?.keys() ?? [])].some((next) => {
        if (next === to) return true;
        if (seen.has(next) || next === from) return false;
        return reaches(next, to, seen.add(next));
      });
    for (const folder of house.folders.keys()) {
      if (folder !== 'base') expect([folder, reaches(folder, folder)]).toEqual([folder, false]);
    }
  });
});

describe('the rules', () => {
  it.each([
    ['session/a.ts', `import { b } from '../gateway/b.js';`, 'session may not import gateway'],
    ['wire/a.ts', `import { b } from '../telemetry/b.js';`, 'wire may not import telemetry'],
    ['base/a.ts', `export * from '../wire/b.js';`, 'base may not import wire'],
    ['quic/a.ts', `const b = await import('../session/b.js');`, 'quic may not import session'],
    ['link/a.ts', `type B = import('../session/b.js').B;`, 'link may not import session'],
    ['session/a.ts', `import { r } from '../routing/r.js';`, 'types of routing only'],
    ['quic/a.ts', `import { c } from '../config/c.js';`, 'types of config only'],
    ['edge/a.ts', `import { native } from '@matrixai/quic';`, 'only quic and bench may import'],
    [
      'upstream/a.ts',
      `import * as grpc from '@grpc/grpc-js';`,
      'only grpc and bench may import @grpc',
    ],
    ['quic/a.ts', `import http2 from 'node:http2';`, 'only grpc and bench may import node:http2'],
    ['session/a.ts', `import type { Logger } from 'pino';`, 'only telemetry may import pino'],
    ['wire/a.ts', `import { readFileSync } from 'node:fs';`, 'wire is pure'],
    ['wire/a.ts', `import { b } from './b';`, 'must end in .js'],
    ['session/a.ts', `setTimeout(() => {}, 1);`, 'setTimeout instead of a Clock'],
    ['quic/a.ts', `class A { at = Date.now(); }`, 'Date.now instead of a Clock'],
    ['routing/a.ts', `const now = performance.now;`, 'performance.now instead of a Clock'],
    ['session/a.ts', `const now = new Date();`, 'new Date() instead of a Clock'],
    ['session/session-manager.ts', '', '"manager" names nothing'],
    ['session/utils/a.ts', '', '"utils" names nothing'],
    ['lib/a.ts', '', 'folder lib is not in the import table'],
    ['main.ts', '', 'folder src is not in the import table'],
  ])('refuse in %s: %s', (path, text, complaint) => {
    expect(breaches(path, text).join('\n')).toContain(complaint);
  });

  it.each([
    ['session/a.ts', `import type { R } from '../routing/r.js'; import { t } from '../base/t.js';`],
    [
      'quic/a.ts',
      `import type { C } from '../config/c.js'; import { native } from '@matrixai/quic';`,
    ],
    ['gateway/a.ts', `import { c } from '../config/c.js'; import { s } from '../session/s.js';`],
    ['telemetry/a.ts', `import { pino } from 'pino';`],
    ['base/clock.ts', `setTimeout(() => Date.now(), 1);`],
    ['session/a.ts', `// setTimeout(1)\nconst text = 'Date.now'; const at = new Date(1);`],
  ])('allow in %s: %s', (path, text) => {
    expect(breaches(path, text)).toEqual([]);
  });

  it('refuse a file of 350 lines', () => {
    expect(breaches('session/a.ts', '\n'.repeat(349))).toEqual([]);
    expect(breaches('session/a.ts', '\n'.repeat(350))).toEqual([
      'session/a.ts: 350 lines, must be below 350',
    ]);
  });

  it('find a cycle between files, of types too', () => {
    const files = [
      scanText('wire/a.ts', `import { b } from './b.js';`),
      scanText('wire/b.ts', `import { c } from './deep/c.js';`),
      scanText('wire/deep/c.ts', `import type { a } from '../a.js';`),
    ];
    expect(violations(house, files)).toEqual([
      'cycle: wire/a.ts -> wire/b.ts -> wire/deep/c.ts -> wire/a.ts',
    ]);
    expect(violations(house, files.slice(0, 2))).toEqual([]);
  });
});
