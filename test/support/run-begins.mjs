import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A folder for what the test files of one run of jest share; shared-certificates.ts writes there. */
export default function runBegins() {
  process.env.GATESVR_TEST_RUN = mkdtempSync(path.join(tmpdir(), 'gatesvr-test-run-'));
}
