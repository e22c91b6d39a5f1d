import Sequencer from '@jest/test-sequencer';
import path from 'node:path';

/**
 * Roughly how long a file takes beside others on two cores, s. A file that begins late and waits long is what all
 * others are waited with for, and jest itself knows times only where it ran before: elsewhere it goes by the size
 * of a file, and those that play whole processes are small. What is missing here, or wrong, costs seconds.
 */
const SECONDS = {
  'browser/console-pair': 17,
  'browser/console': 24,
  'browser/playground': 10,
  'browser/sdk': 28,
  'chaos/lone': 15,
  'chaos/pair': 45,
  'compliance/process-path': 30,
  'compliance/ws-link': 11,
  'fault/journal-kill': 10,
  'fault/pair-failover': 55,
  'fault/rolling-restart': 13,
  'fault/sessions-through-loss': 62,
  'fuzz/session-model': 14,
  'fuzz/upstream-messages': 17,
  'fuzz/wire-messages': 13,
  'integration/bench-endurance': 20,
  'integration/bench-fan-out': 11,
  'integration/bench-modes': 16,
  'integration/bench-pair': 44,
  'integration/bench-transports': 16,
  'integration/cli-bench': 25,
  'integration/cli-main': 14,
  'integration/cli-streams': 10,
  'integration/demo-failover': 29,
  'integration/demo-story': 34,
  'integration/gateway-overload': 10,
  'integration/gateway-pair': 75,
  'integration/gateway-trace': 12,
  'integration/pair-restarts': 13,
  'integration/pair-unknown-outcome': 26,
  'integration/quic-edge': 17,
  'integration/quic-watchdog': 11,
  'integration/replication-pair': 29,
  'integration/sdk-cli': 13,
  'integration/sdk-client-transports': 19,
};

/** A file that is not above is taken to need this for each of its bytes, ms. */
const MS_PER_BYTE = 0.2;

/** The longest files first, also where jest runs for the first time. */
export default class LongestFirst extends Sequencer {
  time(test) {
    const { config, hasteFS } = test.context;
    const name = path.relative(path.join(config.rootDir, 'test'), test.path);
    const known = SECONDS[name.replace(/\.test\.ts$/, '')];
    const guess = (hasteFS.getSize(test.path) ?? 0) * MS_PER_BYTE;
    return super.time(test) ?? (known === undefined ? guess : known * 1_000);
  }
}
