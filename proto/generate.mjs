// Generates the static protobuf codecs from proto/*.proto into src/wire/generated (git-ignored),
// skipping the work when they are newer than their sources. `--copy DIR` also copies them to DIR.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const output = join(here, '..', 'src', 'wire', 'generated');
const cli = dirname(createRequire(import.meta.url).resolve('protobufjs-cli/package.json'));
const sources = readdirSync(here)
  .filter((name) => name.endsWith('.proto'))
  .sort()
  .map((name) => join(here, name));
const code = join(output, 'messages.js');
const types = join(output, 'messages.d.ts');

const newest = Math.max(
  ...[...sources, fileURLToPath(import.meta.url)].map((path) => statSync(path).mtimeMs),
);
const fresh = [code, types].every((path) => existsSync(path) && statSync(path).mtimeMs >= newest);
if (!fresh) {
  mkdirSync(output, { recursive: true });
  const format = ['-t', 'static-module', '-w', 'esm', '-r', 'gatesvr', '--force-number'];
  const leaveOut = ['--no-verify', '--no-service', '--no-delimited', '--no-typeurl'];
  execFileSync(
    process.execPath,
    [join(cli, 'bin', 'pbjs'), ...format, ...leaveOut, '--dts', '-o', code, ...sources],
    { stdio: 'inherit' },
  );
  // An absent 64-bit field must read as the number 0, not as a Long: --force-number changes only the
  // types, and src/wire/uint64.ts reads numbers.
  const longZero = /\$util\.Long \? \$util\.Long\.fromBits\(0,\s*0,\s*(?:true|false)\) : 0/g;
  writeFileSync(code, readFileSync(code, 'utf8').replace(longZero, '0'));
}
const copy = process.argv.indexOf('--copy');
if (copy !== -1) cpSync(output, process.argv[copy + 1], { recursive: true });
