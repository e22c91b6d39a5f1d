// Writes docs/CONFIGURATION.md from the schema. Needs `npm run build` first.
import { writeFileSync } from 'node:fs';
import { renderReference } from '../dist/config/reference.js';

writeFileSync(new URL('CONFIGURATION.md', import.meta.url), renderReference());
