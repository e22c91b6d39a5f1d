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
/**
 * The client edge is a module of its own, without the functions that only tools use: it is all that a
 * browser loads.
 */
const CLIENT_EDGE = 'message.proto';
const protos = readdirSync(here).filter((name) => name.endsWith('.proto'));
const modules = [
  { name: 'client-messages', protos: [CLIENT_EDGE], leaveOut: ['--no-convert'] },
  { name: 'messages', protos: protos.filter((name) => name !== CLIENT_EDGE).sort(), leaveOut: [] },
];

const newest = Math.max(
  ...[...protos.map((name) => join(here, name)), fileURLToPath(import.meta.url)].map(
    (path) => statSync(path).mtimeMs,
  ),
);
const outputs = modules.flatMap(({ name }) => [`${name}.js`, `${name}.d.ts`]);
const fresh = outputs
  .map((name) => join(output, name))
  .every((path) => existsSync(path) && statSync(path).mtimeMs >= newest);
if (!fresh) {
  mkdirSync(output, { recursive: true });
  for (const each of modules) generate(each);
}

function generate({ name, protos: sources, leaveOut }) {
  const code = join(output, `${name}.js`);
  const format = ['-t', 'static-module', '-w', 'esm', '-r', `gatesvr-${name}`, '--force-number'];
  const never = ['--no-verify', '--no-service', '--no-delimited', '--no-typeurl'];
  const paths = sources.map((source) => join(here, source));
  execFileSync(
    process.execPath,
    [join(cli, 'bin', 'pbjs'), ...format, ...never, ...leaveOut, '--dts', '-o', code, ...paths],
    { stdio: 'inherit' },
  );
  // An absent 64-bit field must read as the number 0, not as a Long: --force-number changes only the
  // types, and src/wire/uint64.ts reads numbers.
  const longZero = /\$util\.Long \? \$util\.Long\.fromBits\(0,\s*0,\s*(?:true|false)\) : 0/g;
  writeFileSync(code, readFileSync(code, 'utf8').replace(longZero, '0'));
}

const copy = process.argv.indexOf('--copy');
if (copy !== -1) cpSync(output, process.argv[copy + 1], { recursive: true });
