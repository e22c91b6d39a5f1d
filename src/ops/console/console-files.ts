import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One file of the console, in memory. */
export interface ConsoleFile {
  readonly name: string;
  readonly type: string;
  readonly bytes: Buffer;
  /** Quoted, as RFC 9110 section 8.8.3 has it. */
  readonly etag: string;
  /** Its name changes with its content, so that it may be kept for ever. */
  readonly hashed: boolean;
}

/** Where `npm run build` puts them; the same whether this runs from src/ or from dist/. */
export const CONSOLE_FOLDER = fileURLToPath(new URL('../../../dist/console', import.meta.url));

export const PAGE = 'index.html';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Reads the console's files by name; null where it was not built. */
export function readConsole(folder: string): ReadonlyMap<string, ConsoleFile> | null {
  if (!existsSync(join(folder, PAGE))) return null;
  const names = readdirSync(folder).filter((name) => extname(name) in TYPES);
  return new Map(names.map((name) => [name, readFile(folder, name)]));
}

function readFile(folder: string, name: string): ConsoleFile {
  const bytes = readFileSync(join(folder, name));
  const digest = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
  const type = TYPES[extname(name)] ?? 'application/octet-stream';
  const hashed = /-[0-9A-Z]{8}\.\w+$/.test(name);
  return { name, type, bytes, etag: `"${digest}"`, hashed };
}
