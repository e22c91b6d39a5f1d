// Bundles the console: `node src/console/bundle.mjs OUTDIR`. Names carry a hash of the content, so that
// browsers may keep them for ever. Needs nothing but node_modules; esbuild's program is an optional
// package of its own, so no install script has to run.
import { build } from 'esbuild';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const outdir = resolve(process.argv[2] ?? 'dist/console');

rmSync(outdir, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: ['main.ts', 'console.css', 'icon.svg'].map((name) => join(folder, name)),
  entryNames: '[name]-[hash]',
  outdir,
  bundle: true,
  format: 'esm',
  // The first with `light-dark()`.
  target: ['chrome123', 'firefox128', 'safari17.5'],
  minify: true,
  charset: 'utf8',
  legalComments: 'eof',
  loader: { '.svg': 'copy' },
  tsconfig: join(folder, 'tsconfig.json'),
  metafile: true,
  logLevel: 'warning',
});

let page = readFileSync(join(folder, 'index.html'), 'utf8');
for (const [output, { entryPoint, inputs }] of Object.entries(metafile.outputs)) {
  const source = basename(entryPoint ?? Object.keys(inputs)[0] ?? '');
  const written = `"console/${source.replace(/\.ts$/, '.js')}"`;
  if (!page.includes(written)) throw new Error(`index.html does not name ${written}`);
  page = page.replaceAll(written, `"console/${relative(outdir, output)}"`);
}
writeFileSync(join(outdir, 'index.html'), page);
