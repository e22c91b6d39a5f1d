const SINGLE_DASH = /^-[a-z][a-z0-9]*[a-z0-9_-]+(=.*)?$/s;
const OWN_FLAGS = new Set(['-h', '--help', '-V', '--version']);

/**
 * Accepts what deployed scripts write for a Go program: `-config=FILE` is `--config=FILE`, and flags
 * without a command belong to `serve`. What follows `--` is left alone.
 * @param argv without node and script.
 */
export function fromGoFlags(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const own = end === -1 ? argv : argv.slice(0, end);
  const flags = own.map((word) => (SINGLE_DASH.test(word) ? `-${word}` : word));
  const rest = end === -1 ? [] : argv.slice(end);
  const first = flags[0];
  const bare = first !== undefined && first.startsWith('-') && !OWN_FLAGS.has(first);
  return [...(bare ? ['serve'] : []), ...flags, ...rest];
}
