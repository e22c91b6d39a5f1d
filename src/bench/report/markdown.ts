/** A table of Markdown; the first column names the rows. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)].join('\n');
}

/** `12,010`, `36`, `4.1`, `0.64`: three significant digits are all that a noisy machine is good for. */
export function figure(value: unknown, unit = ''): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const text = value.toLocaleString('en-US', { maximumFractionDigits: digits });
  return unit === '' ? text : `${text} ${unit}`;
}

/** `0.64`: two decimals, always. */
export function ratioText(value: unknown): string {
  return typeof value === 'number' && Number.isFinite(value) ? value.toFixed(2) : '-';
}

/**
 * Replaces what stands between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`, the markers on lines
 * of their own, by what is rendered for that name; null leaves it as it is.
 * @throws {Error} where a marker is not closed.
 */
export function fillMarkers(text: string, render: (name: string) => string | null): string {
  const opened = [...text.matchAll(/^<!-- bench:([a-z]+) -->$/gm)].length;
  let filled = 0;
  const result = text.replace(
    /^<!-- bench:([a-z]+) -->\n([^]*?)^<!-- \/bench:\1 -->$/gm,
    (_, name: string, old: string) => {
      filled++;
      const rendered = render(name);
      const body = rendered === null ? old : `\n${rendered}\n\n`;
      return `<!-- bench:${name} -->\n${body}<!-- /bench:${name} -->`;
    },
  );
  if (filled !== opened) throw new Error('a bench marker is not closed');
  return result;
}
