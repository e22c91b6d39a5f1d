import { Leaf } from './leaf.js';
import { IGNORED_KEYS, environmentName, schema } from './schema.js';
import type { Section } from './schema.js';

const INTRODUCTION = `# Configuration

<!-- written by \`npm run docs\` from src/config/schema; do not edit -->

\`gatesvr serve --config FILE\` (or \`gatesvr -config=FILE\`) reads YAML, as it does where variable
\`GATESVR_CONFIG\` names the file; every key is optional. A flag overrides the environment, which overrides the file, which overrides the default. Flags: \`--quic-addr :8453\`
for the keys of \`server\`, \`--log-level warn\` for those of \`log\`, \`--set session.offline_ttl=10m\` for any key. All problems are reported at once,
one line each with file and line; an unknown key is a problem.

- duration: as in Go, \`5m\`, \`200ms\`, \`1h30m\`; a bare number other than 0 is refused.
- size: \`64KiB\`, \`4MiB\`, \`1GB\`, or bytes.
- address: \`host:port\`, \`[v6]:port\`, or \`:port\` for every interface; port 0 takes a free one.
- list: \`[a, b]\` in YAML, \`a,b\` elsewhere.
- files are relative to the working directory.
- Reloaded: a change holds after a reload (SIGHUP, see OPERATIONS.md); those of other keys wait for a restart.
`;

const ENDING = `## Accepted without effect

Deployed files may hold ${[...IGNORED_KEYS].map((key) => `\`${key}\``).join(', ')}. They tuned another
runtime; they give a warning and change nothing.
`;

/** docs/CONFIGURATION.md, written from the schema. */
export function renderReference(): string {
  const sections = Object.entries(schema).map(([key, section]) => renderSection(key, section));
  return [INTRODUCTION, ...sections, ENDING].join('\n');
}

function renderSection(path: string, section: Section): string {
  const rows: string[] = [];
  const subsections: string[] = [];
  for (const [key, entry] of Object.entries(section)) {
    const inner = `${path}.${key}`;
    if (entry instanceof Leaf) rows.push(renderLeaf(inner, key, entry));
    else subsections.push(renderSection(inner, entry));
  }
  const head = ['| key | value | default | meaning | variable |', '|---|---|---|---|---|'];
  return [`## ${path}\n\n${[...head, ...rows].join('\n')}\n`, ...subsections].join('\n');
}

function renderLeaf(path: string, key: string, leaf: Leaf<unknown>): string {
  const cells = [`\`${key}\``, leaf.kind, fallbackOf(leaf), meaningOf(leaf)];
  return `| ${[...cells, `\`${environmentName(path)}\``].join(' | ')} |`;
}

function meaningOf({ description, isReloaded }: Leaf<unknown>): string {
  return isReloaded ? `${description} Reloaded.` : description;
}

function fallbackOf(leaf: Leaf<unknown>): string {
  if (leaf.fallback === null) return leaf.follows;
  return leaf.fallback === '' ? 'none' : `\`${leaf.fallback}\``;
}
