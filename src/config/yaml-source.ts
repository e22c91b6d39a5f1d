import { LineCounter, isAlias, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Pair } from 'yaml';
import { messageOf } from '../base/errors.js';
import { Leaf, StructuredLeaf } from './leaf.js';
import { IGNORED_KEYS, leaves, schema } from './schema.js';
import type { Section } from './schema.js';
import { unknownKey } from './source.js';
import type { Findings, Settings } from './source.js';
import { mistakenMarks } from './yaml-marks.js';

/** The parser's own message is for whoever calls it. */
const SEVERAL_DOCUMENTS =
  'the file holds several documents: take out the line ---, so that it is one';

/**
 * Reads a YAML file by the schema. Scalars are taken as they are written (YAML's failsafe schema):
 * `server_id: 007` is the text 007, and every key parses its own text.
 * @param name of the file, for messages.
 * @param broken take what can be made out of a file that is no YAML as a whole; its faults are problems still.
 */
export function readYaml(text: string, name: string, findings: Findings, broken = false): Settings {
  const lines = new LineCounter();
  const document = parse(text, name, lines, findings, broken);
  if (document === null) return new Map();
  return new YamlReader(document, name, lines, findings).read();
}

function parse(
  text: string,
  name: string,
  lines: LineCounter,
  findings: Findings,
  broken: boolean,
): Document | null {
  try {
    const options = { schema: 'failsafe', prettyErrors: false, lineCounter: lines } as const;
    const document = parseDocument(text, options);
    for (const error of document.errors) {
      const line = lines.linePos(error.pos[0]).line;
      const message = error.code === 'MULTIPLE_DOCS' ? SEVERAL_DOCUMENTS : oneLine(error.message);
      findings.problems.push(`${name}:${line}: ${message}`);
    }
    return document.errors.length === 0 || broken ? document : null;
  } catch (error) {
    findings.problems.push(`${name}: ${oneLine(messageOf(error))}`);
    return null;
  }
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, ' ').trim();
}

/** One walk along document and schema together; its depth is that of the schema. */
class YamlReader {
  private readonly settings: Settings = new Map();
  private readonly known = new Set(leaves().map(([path]) => path));

  constructor(
    private readonly document: Document,
    private readonly name: string,
    private readonly lines: LineCounter,
    private readonly findings: Findings,
  ) {}

  read(): Settings {
    this.marks();
    this.section(this.document.contents, schema, '', 1);
    return this.settings;
  }

  /** The value itself is not shown, for it may be a secret. */
  private marks(): void {
    for (const { keys, offset, mark } of mistakenMarks(this.document)) {
      const path = keys.length === 0 ? 'the file' : keys.join('.');
      const what = `${path} begins with "${mark}", which YAML does not take as text`;
      this.problem(this.lines.linePos(offset).line, `${what}: put it into quotes`);
    }
  }

  private section(node: unknown, section: Section, prefix: string, line: number): void {
    const value = this.resolve(node);
    if (isEmpty(value)) return;
    if (!isMap(value)) {
      const what = prefix === '' ? 'the file' : prefix.slice(0, -1);
      this.problem(line, `${what} must be a map of keys, such as "${firstKey(section)}: ..."`);
      return;
    }
    for (const pair of value.items) this.entry(pair, section, prefix);
  }

  private entry(pair: Pair, section: Section, prefix: string): void {
    const line = this.lineOf(pair.key);
    const key = isScalar(pair.key) ? String(pair.key.value) : null;
    if (key === null) {
      this.problem(line, `a key below ${prefix.slice(0, -1) || 'the top'} must be a plain word`);
      return;
    }
    const path = prefix + key;
    const entry = Object.hasOwn(section, key) ? section[key] : undefined;
    if (IGNORED_KEYS.has(path)) {
      this.findings.warnings.push(`${this.name}:${line}: ${path} has no effect in this gateway`);
    } else if (entry === undefined) {
      this.problem(line, this.misplaced(path) ?? this.misspelt(path, section, prefix));
    } else if (entry instanceof StructuredLeaf) this.structure(pair.value, path, line);
    else if (entry instanceof Leaf) this.leaf(pair.value, path, line);
    else this.section(pair.value, entry, `${path}.`, line);
  }

  /** Every page names keys with dots, which in YAML are levels. */
  private misplaced(path: string): string | null {
    if (![...this.known].some((other) => other === path || other.startsWith(`${path}.`)))
      return null;
    const levels = path.split('.');
    const nested = `${levels.join(': {')}: ...${'}'.repeat(levels.length - 1)}`;
    return `unknown key ${path}: each dot is a level in YAML, such as ${nested}`;
  }

  private misspelt(path: string, section: Section, prefix: string): string {
    const groups = Object.keys(section).map((name) => prefix + name);
    return unknownKey(path, [...groups, ...this.known]);
  }

  private leaf(node: unknown, path: string, line: number): void {
    const value = this.resolve(node);
    const where = `${this.name}:${line}`;
    if (isEmpty(value)) return;
    if (isScalar(value)) this.settings.set(path, { text: String(value.value), where });
    else if (isSeq(value) && value.items.every((item) => isScalar(item))) {
      const items = value.items.map((item) => (isScalar(item) ? String(item.value) : ''));
      this.settings.set(path, { text: items.join(','), where });
    } else this.problem(line, `${path} must be a single value`);
  }

  /** Taken as JSON, so that it is the same text from every source. */
  private structure(node: unknown, path: string, line: number): void {
    const value = this.resolve(node);
    if (isEmpty(value)) return;
    try {
      const plain: unknown = isNode(value) ? value.toJS(this.document) : '';
      const text = typeof plain === 'string' ? plain : JSON.stringify(plain);
      this.settings.set(path, { text, where: `${this.name}:${line}` });
    } catch (error) {
      this.problem(line, `${path}: ${messageOf(error)}`);
    }
  }

  private resolve(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.document) : node;
  }

  private lineOf(node: unknown): number {
    const range = isScalar(node) ? node.range : null;
    return range ? this.lines.linePos(range[0]).line : 1;
  }

  private problem(line: number, message: string): void {
    this.findings.problems.push(`${this.name}:${line}: ${oneLine(message)}`);
  }
}

/** `key:` and `key: null` say nothing, so that the default holds. */
function isEmpty(node: unknown): boolean {
  if (node === null || node === undefined) return true;
  if (!isScalar(node)) return false;
  return node.value === null || node.value === '' || isPlainNull(node);
}

function isPlainNull(node: { value: unknown; type?: string | undefined }): boolean {
  return node.type === 'PLAIN' && (node.value === 'null' || node.value === '~');
}

function firstKey(section: Section): string {
  return Object.keys(section)[0] ?? 'key';
}
