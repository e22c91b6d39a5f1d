import { tallyTable } from './tally-table.js';

/** Counted, not logged: a log line each would let whoever guesses tokens fill the disk. */
const TALLIES = {
  adminRefused: [
    'gatesvr_admin_refused_total',
    'Calls that only admins may make, by someone who is not an admin',
  ],
  readsRefused: [
    'gatesvr_reads_refused_total',
    'Calls of endpoints that ops.read_token protects, by someone without it',
  ],
} as const;

/** What the operators' API counts. */
export class OpsMetrics extends tallyTable(TALLIES) {}
