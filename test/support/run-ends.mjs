import { rmSync } from 'node:fs';

/** Removes what run-begins.mjs made. */
export default function runEnds() {
  rmSync(process.env.GATESVR_TEST_RUN, { recursive: true, force: true });
}
