import { expect, it } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The team's specification, which is kept beside this repository (CONTRIBUTING.md). */
const SPECIFICATION = ['DESIGN.md', 'QUIC-NOTES.md', 'REPLICATION.md', 'WIRE.md'];

const files = ['src', 'test', 'proto', 'docs'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|mjs|proto|md)$/.test(name) && !name.includes('generated'))
    .map((name) => join(folder, name)),
);

interface Citation {
  readonly from: string;
  readonly page: string;
  /** Null: the page as a whole. */
  readonly heading: string | null;
}

/** Where a file names a page, `X.md`, or a part of it, `X.md, "Heading"`; it may go over lines of a comment. */
function citationsOf(from: string): Citation[] {
  const text = readFileSync(from, 'utf8').replaceAll(/\n\s*(?:\*|\/\/)?\s*/g, ' ');
  const named = text.matchAll(
    /(?<![\w/-])((?:docs\/(?:models\/)?)?[A-Z][A-Z-]+\.md)(?:(?:,| \(|'s) ?"([^"]+)")?/g,
  );
  return [...named].map(([, page = '', heading]) => ({ from, page, heading: heading ?? null }));
}

const pathOf = (page: string): string | undefined =>
  [page, join('docs', page)].find((path) => existsSync(path));

const headingsOf = (path: string): string[] =>
  [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);

const citations = files.flatMap(citationsOf);

it('comments and pages cite pages that are here or in the specification', () => {
  const unknown = citations.filter(
    ({ page }) => pathOf(page) === undefined && !SPECIFICATION.includes(page),
  );
  expect(unknown).toEqual([]);
});

it('comments and pages cite headings that are there', () => {
  const parts = citations.filter(({ page, heading }) => heading !== null && pathOf(page));
  expect(parts.length).toBeGreaterThan(20);
  const untrue = parts.filter(
    ({ page, heading }) => !headingsOf(pathOf(page) ?? page).includes(heading ?? ''),
  );
  expect(untrue).toEqual([]);
});
