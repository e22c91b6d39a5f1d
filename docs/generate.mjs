// Writes docs/CONFIGURATION.md, docs/METRICS.md and docs/openapi.json from the code. Needs `npm run build` first.
import { writeFileSync } from 'node:fs';
import { renderReference } from '../dist/config/reference.js';
import { VERSION } from '../dist/config/version.js';
import { openApiDocument } from '../dist/ops/openapi/document.js';
import { renderMetrics } from '../dist/telemetry/metrics-reference.js';

const write = (name, text) => writeFileSync(new URL(name, import.meta.url), text);

write('CONFIGURATION.md', renderReference());
write('METRICS.md', await renderMetrics());
write('openapi.json', `${JSON.stringify(openApiDocument(VERSION), null, 2)}\n`);
