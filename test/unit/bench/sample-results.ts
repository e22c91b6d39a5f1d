import { resultOf } from '../../../src/bench/report/bench-result.js';
import { OURS, OURS_STREAMING, PEER } from '../../../src/bench/report/contestant-names.js';
import type { Results } from '../../../src/bench/report/results.js';
import type { Row } from '../../../src/bench/report/row.js';

const machine = {
  cores: 2,
  memoryGiB: 24,
  node: 'v20.20.2',
  platform: 'linux x64',
  loadBefore: 0.3,
};

function result(mode: string, rounds: readonly Row[]) {
  return { ...resultOf(mode, '', machine, rounds), measuredAt: '2026-11-21T10:00:00.000Z' };
}

/** Rows of everyone in one case: unary, streaming, peer. */
function three(name: string, figure: string, values: readonly [number, number, number]): Row[] {
  return [OURS, OURS_STREAMING, PEER].map((contestant, index) => ({
    contestant,
    case: name,
    perSecond: 12_010,
    p50: 30,
    p99: 68,
    [figure]: values[index] ?? 0,
  }));
}

/** Results of every mode, with figures that can be found again in tables. */
export function sampleResults(): Required<Results> {
  const growth = [100, 10_000].map((sessions) => ({
    contestant: OURS,
    case: `${sessions} sessions`,
    cpuPerRequest: sessions === 100 ? 40 : 50,
    bytesPerSession: 40_960,
  }));
  const fanout = { contestant: OURS, case: '20,000 sessions, broadcast', perSecond: 60_000 };
  const hostile = {
    contestant: OURS,
    case: '10,000 mixed',
    p99Alone: 4,
    p99Arriving: 30,
    p99Beside: 10,
  };
  const soak = { contestant: OURS, case: '10 min at 5000 requests/s', requests: 3_000_000 };
  const restart = { contestant: OURS, case: '3 restarts', requests: 9, pushes: 7, waitP50: 800 };
  const engine = { case: '100 bytes', echoRate: 26_858, handshakeRate: 946, handshakeCpu: 643 };
  return {
    echo: result('echo', three('50 sessions x 8', 'cpuPerRequest', [36, 18, 60])),
    rate: result('rate', three('1,000 requests/s', 'cpuPerRequest', [200, 150, 400])),
    connects: result('connects', three('32 at once', 'cpuPerConnect', [490, 0, 1_400])),
    idle: result('idle', [{ contestant: OURS, case: '20,000 sessions', bytesPerSession: 39_936 }]),
    growth: result('growth', growth),
    fanout: result('fanout', [{ ...fanout, cpuPerDelivery: 12.5, p99: 300, heartbeatP99: 80 }]),
    hostile: result('hostile', [{ ...hostile, p99Ratio: 2.5, hostileEnded: 4_000 }]),
    soak: result('soak', [{ ...soak, pushes: 300_000, memorySlope: 0.01, rss: [150, 160, 160] }]),
    restart: result('restart', [{ ...restart, waitP99: 1_200, waitMax: 1_300 }]),
    engine: result('engine', [
      { ...engine, contestant: OURS, echoCpu: 32, idleKilobytes: 44 },
      { ...engine, contestant: 'bare quiche loop', echoCpu: 25.6, idleKilobytes: 40 },
    ]),
    callers: result('callers', [
      { contestant: 'framed', case: '100 bytes', inFlight1: 78, inFlight16: 13, inFlight64: 11 },
    ]),
  };
}
