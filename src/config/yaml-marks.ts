import { isAlias, isNode, isPair, isScalar, visit } from 'yaml';
import type { Document, Node, Pair } from 'yaml';

/** Tags that YAML itself defines, `!!str` and its like, say nothing that our keys do not know. */
const OWN_TAGS = 'tag:yaml.org,2002:';

export interface MistakenMark {
  /** Names of the keys that lead to the value, the outermost first. */
  readonly keys: readonly string[];
  /** Where the last of them begins, in characters. */
  readonly offset: number;
  readonly mark: '!' | '&' | '*';
}

/**
 * Values that were meant as text, but begin with a mark of YAML: a tag (`!`), an anchor of nothing
 * (`&`), or an alias of nothing (`*`). They would read as empty, and an empty token is no token.
 */
export function mistakenMarks(document: Document): MistakenMark[] {
  const found: MistakenMark[] = [];
  visit(document, {
    Node: (_, node, path) => {
      const mark = markOf(node, document);
      if (mark !== null) found.push({ mark, ...placeOf(path.filter((step) => isPair(step))) });
    },
  });
  return found;
}

function markOf(node: Node, document: Document): MistakenMark['mark'] | null {
  if (isAlias(node)) return node.resolve(document) === undefined ? '*' : null;
  const { tag, anchor } = node as { tag?: string; anchor?: string };
  if (tag !== undefined && !tag.startsWith(OWN_TAGS)) return '!';
  return anchor !== undefined && isScalar(node) && node.source === '' ? '&' : null;
}

function placeOf(pairs: readonly Pair[]): Pick<MistakenMark, 'keys' | 'offset'> {
  const keys = pairs.map(({ key }) => (isScalar(key) ? String(key.value) : '?'));
  const last = pairs.at(-1)?.key;
  return { keys, offset: isNode(last) ? (last.range?.[0] ?? 0) : 0 };
}
