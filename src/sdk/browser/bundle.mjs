// Bundles the client for browsers: `node src/sdk/browser/bundle.mjs OUTFILE`. Needs nothing but
// node_modules; esbuild's program is an optional package of its own, so no install script has to run.
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

/**
 * Parts of protobufjs/minimal that nothing here uses: RPC services, base64, floats, 64-bit numbers as
 * objects (src/wire/uint64.ts reads plain ones), and the variants for Node's Buffer. A fifth of the
 * bundle.
 */
const UNUSED =
  /^(?:long|\.\/(?:rpc|(?:util\/)?(?:base64|float|eventemitter|aspromise)|(?:writer|reader)_buffer))$/;

const leaveOut = {
  name: 'leave-out-unused',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: 'unused' }));
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({
      contents: 'exports._configure = () => undefined;',
    }));
  },
};

/**
 * One ES module that imports nothing.
 * @param entry path of the source; default: the client.
 * @returns esbuild's result with `metafile`, the file in memory where no `outfile` is given.
 */
export function bundle(outfile, entry = fileURLToPath(new URL('index.ts', import.meta.url))) {
  return build({
    entryPoints: [entry],
    ...(outfile === undefined ? { write: false } : { outfile, sourcemap: true }),
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    metafile: true,
    plugins: [leaveOut],
  });
}

const [, script, outfile] = process.argv;
if (script === fileURLToPath(import.meta.url)) await bundle(outfile);
