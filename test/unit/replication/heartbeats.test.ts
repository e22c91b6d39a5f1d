import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CallObserver } from '../../../src/grpc/unary-caller.js';
import { decodeBeat, encodeBeat } from '../../../src/replication/beat-codec.js';
import { ClusterSeal } from '../../../src/replication/cluster-seal.js';
import { Heartbeats } from '../../../src/replication/heartbeats.js';
import { PeerGate } from '../../../src/replication/peer-gate.js';
import { RoleFailures } from '../../../src/replication/role-failures.js';
import type { Word } from '../../../src/replication/standing.js';
import type { Logger } from '../../../src/telemetry/log.js';
import { Metrics } from '../../../src/telemetry/metrics.js';
import { Sealed, decodeMessage, encodeMessage } from '../../../src/wire/messages.js';
import { Pair, TIMEOUT } from '../../support/replication-pair.js';

interface Call {
  readonly word: Word;
  readonly observer: CallObserver;
}

const seal = new ClusterSeal(null);
const REPORT = {
  sessions: 0,
  lagFrames: 0,
  healthy: true,
  advertiseAddr: '',
  prefersPrimary: false,
  syncMode: 'async' as const,
  switchesFailed: 0,
  switchFailure: '',
};
let pair: Pair;
let calls: Call[];
let lines: string[];
let heartbeats: Heartbeats;

beforeEach(() => {
  pair = new Pair();
  pair.run(5 * TIMEOUT);
  calls = [];
  lines = [];
  const note = (_: unknown, line: string) => void lines.push(line);
  const log = { warn: note, error: note } as unknown as Logger;
  const { replication } = new Metrics();
  heartbeats = new Heartbeats(
    { interval: TIMEOUT, timeout: TIMEOUT },
    {
      machine: pair.a.machine,
      caller: {
        call: (_, request, __, observer) => {
          const { word } = decodeBeat(decodeMessage(Sealed, request).body);
          calls.push({ word, observer });
          return { cancel: () => undefined };
        },
        close: () => undefined,
      },
      seal,
      gate: gateOf('a', replication.refused, log),
      report: () => REPORT,
      fenced: replication.fenced,
      failures: new RoleFailures(pair.clock, log),
      clock: pair.clock,
      log,
    },
  );
  heartbeats.start();
});
afterEach(() => heartbeats.stop());

function gateOf(
  serverId: string,
  refused: Metrics['replication']['refused'],
  log: Logger,
): PeerGate {
  const options = { serverId, clusterId: 'pair', peerHost: null, proven: true };
  return new PeerGate(options, () => Promise.resolve([]), pair.clock, refused, log);
}

/** The backup's answer to a call arrives, as it was when it was given. */
function answer({ observer }: Call, word: Word, advertiseAddr: string): void {
  const identity = gateOf('b', new Metrics().replication.refused, {} as Logger).identity();
  const body = encodeBeat(identity, word, { ...REPORT, advertiseAddr });
  observer.onResponse(encodeMessage(Sealed, seal.seal('answer', new Uint8Array(0), body)));
}

function answerOf({ word }: Call): Word {
  const given = pair.deliver(pair.b, word);
  if (given === null) throw new Error('the backup gave no answer');
  return given;
}

/** The last heartbeat that left. */
function lastCall(): Call {
  const call = calls.at(-1);
  if (call === undefined) throw new Error('no heartbeat has left');
  return call;
}

describe('an answer to a heartbeat', () => {
  it('of a former process changes nothing, not even where clients are sent', () => {
    const former = lastCall();
    const old = answerOf(former);
    pair.b.boot();
    heartbeats.send();
    answer(lastCall(), answerOf(lastCall()), 'present:1');
    answer(former, old, 'former:1');
    expect(heartbeats.news?.advertiseAddr).toBe('present:1');
  });

  it('that cannot be followed, for the disk is full, is no lost answer, and told of once', () => {
    pair.b.boot();
    pair.b.machine.leave();
    pair.a.store.broken = 'ROLE_UNWRITABLE';
    for (let times = 0; times < 3; times++) {
      heartbeats.send();
      answer(lastCall(), answerOf(lastCall()), 'present:1');
    }
    expect(lines).toEqual(['the role cannot change']);
  });
});
