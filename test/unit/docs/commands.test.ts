import { describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import * as client from '../../../src/sdk/client/index.js';
import * as upstream from '../../../src/sdk/upstream/index.js';
import { expectCommandLine } from './command-line.js';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'deploy/README.md',
  'docs/models/README.md',
  'examples/README.md',
];
for (const name of readdirSync('docs')) if (name.endsWith('.md')) pages.push(`docs/${name}`);

/** What a page sets as code: in a fence, indented, or between backticks. */
function codeOf(page: string): string[] {
  const text = readFileSync(page, 'utf8');
  const inline = [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  const fences = [...text.matchAll(/```\w*\n([^`]*)```/g)].map(([, body = '']) => body);
  const indented = text.split('\n').filter((line) => line.startsWith('    '));
  const lines = [...fences.join('\n').split('\n'), ...indented].map((line) => line.trim());
  return [...inline, ...lines].map((code) => code.replace(/\s+#.*$/, ''));
}

describe('the documentation', () => {
  it.each(pages)('%s names no command or option that does not exist', (page) => {
    const calls = codeOf(page).flatMap((code) => {
      const [, line = ''] =
        /^(?:node dist\/cli\/main\.js|gatesvr) ([a-z]+(?: .*)?)$/.exec(code) ?? [];
      return line === '' ? [] : [line.split(/\s+/)];
    });
    for (const call of calls) expectCommandLine(call);
  });

  it.each(pages)('%s names no target that the Makefile does not have', (page) => {
    const makefile = readFileSync('Makefile', 'utf8');
    const named = codeOf(page).flatMap((code) => /^make ([a-z0-9-]+)\b/.exec(code)?.[1] ?? []);
    expect(named.filter((target) => !makefile.includes(`\n${target}:`))).toEqual([]);
  });

  it.each(pages)('%s imports only what the package exports', (page) => {
    const text = readFileSync(page, 'utf8');
    const imports = text.matchAll(/^import \{ ([^}]+) \} from 'gatesvr\/(client|upstream)';$/gm);
    for (const [, names = '', from] of imports) {
      const exported = Object.keys(from === 'client' ? client : upstream);
      for (const name of names.split(', ')) expect(exported).toContain(name);
    }
  });

  it('shows at least the calls of the README', () => {
    const calls = codeOf('README.md').filter((code) => code.startsWith('node dist/cli/main.js '));
    expect(calls.length).toBeGreaterThanOrEqual(3);
  });
});
