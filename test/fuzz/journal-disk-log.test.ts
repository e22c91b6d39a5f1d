import { afterAll, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HEADER_BYTES, parseHeader } from '../../src/journal/disk-log-format.js';
import { replay } from '../../src/journal/disk-log-reader.js';
import type { RecoveredLog } from '../../src/journal/disk-log-reader.js';
import { DiskLog } from '../../src/journal/disk-log.js';
import { StateRecord, encodeMessage } from '../../src/wire/messages.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { SessionHarness } from '../support/session-harness.js';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 1_000);
const BOOT = 'boot';
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-log-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A log with something of everything, and its state after each of its steps. */
const { whole, states } = await sample();

async function sample(): Promise<{ whole: Buffer; states: Set<string> }> {
  const harness = new SessionHarness({ offlineTtl: 600_000 }, undefined, undefined, {}, true);
  const { journal, clock, metrics } = harness;
  if (journal === null) throw new Error('no journal');
  const options = { folder, fsync: 'never' as const, bootId: BOOT };
  await new DiskLog(journal, options, clock, silentLogger(), metrics.journal).begin();
  const path = join(folder, '00000001.log');
  const states = new Set<string>();
  const note = () => {
    harness.settle();
    states.add(stateOf(read(readFileSync(path)) as RecoveredLog));
  };
  note();
  const client = harness.started('alice');
  note();
  for (let index = 1; index < 12; index++) {
    harness.push('alice', { content: `p${index}`, idempotencyKey: `k${index}` });
    note();
    client.business(index);
    note();
    harness.push('bob', { content: `offline ${index}` });
    note();
    harness.answer(index - 1);
    note();
    client.ack(index);
    note();
  }
  harness.started('bob');
  note();
  client.stop();
  note();
  return { whole: readFileSync(path), states };
}

function read(content: Buffer): RecoveredLog | null {
  const header = parseHeader(content);
  return header === null ? null : replay([{ header, content: [content] }], BOOT);
}

function stateOf({ image }: RecoveredLog): string {
  const records = [...image.records()];
  return records.map((one) => Buffer.from(encodeMessage(StateRecord, one)).toString('hex')).join();
}

describe('a log on disk', () => {
  test('cut anywhere gives the state of some moment, and counts as complete: it was killed', () => {
    fc.assert(
      fc.property(fc.integer({ min: HEADER_BYTES + 60, max: whole.length }), (length) => {
        const log = read(whole.subarray(0, length)) as RecoveredLog;
        expect(log.complete).toBe(true);
        expect(states.has(stateOf(log))).toBe(true);
      }),
      { numRuns },
    );
  });

  test('with any byte changed gives the state of some moment, and is not called complete', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: whole.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, mask) => {
          const damaged = Buffer.from(whole);
          damaged[at] = (damaged[at] as number) ^ mask;
          const log = read(damaged);
          if (log === null) return;
          // A length that now runs past the end looks like a write that was cut short.
          const looksCut = log.cutBytes > 0;
          if (at >= HEADER_BYTES) expect(log.complete && !looksCut).toBe(false);
          if (at >= HEADER_BYTES + 60) expect(states.has(stateOf(log))).toBe(true);
        },
      ),
      { numRuns },
    );
  });

  test('of any bytes is read without an accident', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        read(Buffer.from(bytes));
        read(Buffer.concat([whole.subarray(0, HEADER_BYTES), bytes]));
        read(Buffer.concat([whole, bytes]));
      }),
      { numRuns },
    );
  });
});
