import type { Command } from 'commander';
import { StartupError } from '../base/errors.js';
import { loadConfig } from '../config/load.js';
import type { LoadedConfig } from '../config/load.js';
import { routingTable } from '../config/routing/table.js';
import type { Preflight } from '../gateway/preflight.js';
import { addConfigOptions, sourcesOf } from './config-options.js';
import type { ConfigOptions } from './config-options.js';
import type { Terminal } from './program.js';

interface CheckOptions extends ConfigOptions {
  readonly strict?: boolean;
}

/** Rules and lists are long; the table of routes shows them in full. */
const WIDEST_VALUE = 60;

const HELP = `
Reads everything that a start would read, and changes nothing; of the journal how its segments begin, not what they
hold. Secrets are never printed.
Exit codes: 0 valid, 1 a start would fail (with --strict also: warnings), 2 a wrong command line.`;

/** `gatesvr check-config`: would a start with this configuration work, and what would it mean. */
export function registerCheckConfigCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('check-config')
    .description('check a configuration and all files that it names, and say what it means')
    .option('--strict', 'warnings are failures too')
    .addHelpText('after', HELP);
  addConfigOptions(command).action((options: CheckOptions) => checkConfig(options, terminal));
}

/** Prints what was found. @throws {StartupError} naming every problem, one line each. */
export async function checkConfig(options: CheckOptions, terminal: Terminal): Promise<void> {
  const loaded = loadConfig(sourcesOf(options));
  const { preflight } = await import('../gateway/preflight.js');
  const found = await preflight(loaded.config);
  const warnings = [...loaded.warnings, ...found.warnings];
  for (const warning of warnings) terminal.err(`gatesvr: warning: ${warning}\n`);
  const report = [...settingLines(loaded), ...fileLines(found), ...routingLines(loaded)];
  for (const line of report) terminal.out(`${line}\n`);
  if (found.problems.length > 0) {
    throw new StartupError('CONFIG_INVALID', found.problems.join('\n'));
  }
  if (options.strict === true && warnings.length > 0) {
    const count = warnings.length === 1 ? 'a warning' : `${warnings.length} warnings`;
    throw new StartupError('CONFIG_WARNINGS', `${count}, and --strict allows none`);
  }
  terminal.out('the configuration is valid\n');
}

/** Settings that are not the default, and who says so. */
function settingLines({ given }: LoadedConfig): string[] {
  if (given.length === 0) return ['all settings are the defaults'];
  const rows = given.map(({ path, text, where }) => [path, shortened(text), where] as const);
  return ['settings that differ from the defaults:', ...columns(rows)];
}

function shortened(text: string | null): string {
  if (text === null) return '(secret)';
  return text.length > WIDEST_VALUE ? `${text.slice(0, WIDEST_VALUE)}...` : text;
}

function fileLines({ files }: Preflight): string[] {
  if (files.length === 0) return [];
  return ['files:', ...columns(files.map(({ key, file, note }) => [key, file, note] as const))];
}

/** Where requests go. */
function routingLines({ config }: LoadedConfig): string[] {
  const { upstreamAddr } = config.server;
  const lines = routingTable(config.routing.rules);
  if (upstreamAddr !== null) lines.push('  zones without an upstream -> server.upstream_addr');
  return lines;
}

function columns(rows: readonly (readonly [string, string, string])[]): string[] {
  const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length));
  const [first, second] = [width(0), width(1)];
  return rows.map(([a, b, c]) => `  ${a.padEnd(first)}  ${b.padEnd(second)}  ${c}`);
}
