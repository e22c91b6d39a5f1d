// Bundles the playground into a folder: `node src/playground/bundle.mjs FOLDER`.
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../sdk/browser/bundle.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
await bundle(join(folder, 'main.js'), here('main.ts'));
for (const name of ['index.html', 'playground.css', 'icon.svg']) {
  copyFileSync(here(name), join(folder, name));
}
