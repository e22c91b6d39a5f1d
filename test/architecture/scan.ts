import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import ts from 'typescript';

/** One import or re-export of a source file. */
export interface Import {
  /** As written: `../base/clock.js`, `node:http2`, `@grpc/grpc-js`. */
  readonly specifier: string;
  /** The file below src/ that it names (`base/clock.ts`), or null for a package. */
  readonly target: string | null;
  /** Erased by the compiler. */
  readonly typeOnly: boolean;
  /** `await import()`: loaded when the program comes there. */
  readonly late: boolean;
}

export interface SourceFile {
  /** Below src/, with forward slashes: `session/outbox.ts`. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** Direct uses of a clock or timer of the platform: `Date.now`, `setTimeout`. */
  readonly clockUses: readonly string[];
}

const TIMER_FUNCTIONS = new Set(['setTimeout', 'setInterval']);
const CLOCK_READS = new Set(['Date.now', 'performance.now', 'process.hrtime']);

/** Reads every TypeScript file below `root`; generated code is left out. */
export function scanTree(root: string): SourceFile[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(sep).join('/'))
    .filter((name) => name.endsWith('.ts') && !name.includes('generated/'))
    .sort()
    .map((name) => scanText(name, readFileSync(join(root, name), 'utf8')));
}

/** @param path where the text lies below src/. */
export function scanText(path: string, text: string): SourceFile {
  const parsed = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const imports: Import[] = [];
  const clockUses: string[] = [];
  const visit = (node: ts.Node): void => {
    const found = importOf(path, node);
    if (found !== null) imports.push(found);
    const use = clockUseOf(node);
    if (use !== null) clockUses.push(use);
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return { path, lines: text.split('\n').length - 1, imports, clockUses };
}

function importOf(path: string, node: ts.Node): Import | null {
  let specifier: ts.Node | undefined;
  let [typeOnly, late] = [false, false];
  if (ts.isImportDeclaration(node)) {
    specifier = node.moduleSpecifier;
    typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  } else if (ts.isExportDeclaration(node)) {
    specifier = node.moduleSpecifier;
    typeOnly = node.isTypeOnly;
  } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    specifier = node.arguments[0];
    late = true;
  } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    specifier = node.argument.literal;
    typeOnly = true;
  }
  if (specifier === undefined || !ts.isStringLiteral(specifier)) return null;
  return { specifier: specifier.text, target: targetOf(path, specifier.text), typeOnly, late };
}

function targetOf(path: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  const file = posix.normalize(posix.join(dirname(path), specifier));
  return relative('.', file).split(sep).join('/').replace(/\.js$/, '.ts');
}

function clockUseOf(node: ts.Node): string | null {
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
    return TIMER_FUNCTIONS.has(node.expression.text) ? node.expression.text : null;
  }
  if (ts.isNewExpression(node) && ts.isIdentifier(node.expression)) {
    return node.expression.text === 'Date' && !node.arguments?.length ? 'new Date()' : null;
  }
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    const read = `${node.expression.text}.${node.name.text}`;
    return CLOCK_READS.has(read) ? read : null;
  }
  return null;
}
