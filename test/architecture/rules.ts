import type { Import, SourceFile } from './scan.js';

/** What the tables of docs/ARCHITECTURE.md say. */
export interface House {
  /** folder -> folders it may import; true: code, false: types only. */
  readonly folders: ReadonlyMap<string, ReadonlyMap<string, boolean>>;
  /** Package name, or prefix ending in `/*`, -> the folders that may import it. */
  readonly doors: ReadonlyMap<string, readonly string[]>;
}

const MAX_LINES = 350;
const EMPTY_WORDS = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'manager']);
/** Open to everything that runs in the server, the composition root included. */
const SERVER_FOLDERS =
  'gateway ops replication edge session routing upstream grpc journal http3 quic websocket link';
/** Where behaviour over time must be testable with a fake clock. */
const CLOCKED_FOLDERS =
  'auth replication edge session routing upstream grpc journal http3 quic websocket wire';

/** Reads the import table and the table of package doors. */
export function readHouse(markdown: string): House {
  const folders = new Map<string, Map<string, boolean>>();
  const doors = new Map<string, string[]>();
  for (const line of markdown.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length === 5 && /^[a-z0-9]+$/.test(cells[1] ?? '') && cells[1] !== 'folder') {
      folders.set(cells[1] ?? '', parseFolders(cells[3] ?? ''));
    } else if (cells.length === 4 && /^[a-z0-9]+(, [a-z0-9]+)*$/.test(cells[2] ?? '')) {
      const allowed = (cells[2] ?? '').split(', ');
      for (const name of (cells[1] ?? '').split(', ')) doors.set(name, allowed);
    }
  }
  for (const name of folders.keys()) folders.get(name)?.set('base', true);
  for (const name of SERVER_FOLDERS.split(' ')) {
    const allowed = folders.get(name);
    allowed?.set('telemetry', true);
    if (allowed?.has('config') === false) allowed.set('config', false);
  }
  return { folders, doors };
}

function parseFolders(cell: string): Map<string, boolean> {
  const allowed = new Map<string, boolean>();
  for (const item of cell.split(',').map((part) => part.trim())) {
    if (item !== '') allowed.set(item.replace(' (types)', ''), !item.endsWith('(types)'));
  }
  return allowed;
}

/** Every breach of the rules in these files, one line each; empty when the house is in order. */
export function violations(house: House, files: readonly SourceFile[]): string[] {
  return [
    ...files.flatMap((file) => [
      ...file.imports.flatMap((found) => importViolations(house, file, found)),
      ...fileViolations(house, file),
    ]),
    ...cycles(files).map((cycle) => `cycle: ${cycle.join(' -> ')}`),
  ];
}

function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
}

function importViolations(house: House, file: SourceFile, found: Import): string[] {
  const from = folderOf(file.path);
  if (found.target === null) return packageViolations(house, file.path, found.specifier);
  if (!/\.js(on)?$/.test(found.specifier)) {
    return [`${file.path}: import of ${found.specifier} must end in .js`];
  }
  const to = folderOf(found.target);
  if (to === from) return [];
  const permission = house.folders.get(from)?.get(to);
  if (permission === undefined) return [`${file.path}: ${from} may not import ${to}`];
  if (permission || found.typeOnly) return [];
  return [`${file.path}: ${from} may import types of ${to} only (import type)`];
}

function packageViolations(house: House, path: string, specifier: string): string[] {
  const from = folderOf(path);
  for (const [name, allowed] of house.doors) {
    const prefix = name.endsWith('/*') ? name.slice(0, -1) : `${name}/`;
    if ((specifier === name || specifier.startsWith(prefix)) && !allowed.includes(from)) {
      return [`${path}: only ${allowed.join(' and ')} may import ${specifier}`];
    }
  }
  if (specifier.startsWith('node:') && from === 'wire') return [`${path}: wire is pure, no I/O`];
  return [];
}

function fileViolations(house: House, file: SourceFile): string[] {
  const from = folderOf(file.path);
  const found: string[] = [];
  if (!house.folders.has(from)) {
    found.push(`${file.path}: folder ${from || 'src'} is not in the import table`);
  }
  if (file.lines >= MAX_LINES) found.push(`${file.path}: ${file.lines} lines, must be below 350`);
  for (const word of file.path.replace(/\.ts$/, '').split(/[/.-]/)) {
    if (EMPTY_WORDS.has(word)) found.push(`${file.path}: "${word}" names nothing`);
  }
  if (CLOCKED_FOLDERS.split(' ').includes(from)) {
    for (const use of file.clockUses) found.push(`${file.path}: ${use} instead of a Clock`);
  }
  return found;
}

/** Each group of files that import each other in a ring, once, as the ring. */
function cycles(files: readonly SourceFile[]): string[][] {
  const targets = new Map(
    files.map((file) => [file.path, file.imports.map(({ target }) => target)] as const),
  );
  const done = new Set<string>();
  const found: string[][] = [];
  const walk = (path: string, trail: string[]): void => {
    const seen = trail.indexOf(path);
    if (seen !== -1) {
      found.push([...trail.slice(seen), path]);
      return;
    }
    if (done.has(path)) return;
    for (const target of targets.get(path) ?? []) {
      if (target !== null) walk(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const file of files) walk(file.path, []);
  return found;
}
