import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskLog } from '../../../src/journal/disk-log.js';
import { HEADER_BYTES, RECORD_HEAD_BYTES } from '../../../src/journal/disk-log-format.js';
import { readLog } from '../../../src/journal/disk-log-reader.js';
import type { RecoveredLog } from '../../../src/journal/disk-log-reader.js';
import { silentLogger } from '../../../src/telemetry/log.js';
import { SessionHarness } from '../../support/session-harness.js';
import { copies } from '../../support/session-world.js';

const BOOT = '11111111-2222-3333-4444-555555555555';
const STANDALONE_AT = 9;

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'gatesvr-damaged-'));
  folder = join(parent, 'journal');
});
afterEach(() => rmSync(parent, { recursive: true }));

/** A session with three pushes, each in a batch of its own. */
async function served(compactAtBytes?: number): Promise<SessionHarness> {
  const harness = new SessionHarness({ offlineTtl: 600_000 }, undefined, undefined, {}, true);
  const { journal, clock, metrics } = harness;
  if (journal === null) throw new Error('no journal');
  const settings = { folder, fsync: 'never' as const, bootId: BOOT };
  const options = compactAtBytes === undefined ? settings : { ...settings, compactAtBytes };
  await new DiskLog(journal, options, clock, silentLogger(), metrics.journal).begin();
  harness.started('alice');
  harness.pushTexts('alice', 'one');
  harness.pushTexts('alice', 'two');
  harness.pushTexts('alice', 'three');
  return harness;
}

/** As a kill leaves it between the beginning of a compaction and its end. */
async function servedInTwo(): Promise<void> {
  const harness = await served(2_000);
  for (let index = 0; readdirSync(folder).length === 1; index++) {
    harness.pushTexts('alice', `push ${index}`);
  }
  harness.pushTexts('alice', 'last');
  // The compaction goes on in the next turn.
  const left = join(parent, 'left');
  cpSync(folder, left, { recursive: true });
  folder = left;
}

/** A restart of what was read: the log on disk then begins with a snapshot of it. */
async function restarted(): Promise<void> {
  const { image } = (await readLog(folder, BOOT)) as RecoveredLog;
  const harness = new SessionHarness({ offlineTtl: 600_000 }, undefined, undefined, {}, true);
  const { journal, clock, metrics, service } = harness;
  if (journal === null) throw new Error('no journal');
  service.archive.restore(copies(image.records()));
  journal.continueFrom(image.position);
  const settings = { folder, fsync: 'never' as const, bootId: BOOT };
  await new DiskLog(journal, settings, clock, silentLogger(), metrics.journal).begin();
  harness.started('bob');
}

const paths = () =>
  readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));

function change(path: string, at: number, bits: number): void {
  const content = readFileSync(path);
  content[at] = (content[at] as number) ^ bits;
  writeFileSync(path, content);
}

/** Where the records of a segment begin, and of which kind they are. */
function records(path: string): { readonly at: number; readonly kind: number }[] {
  const content = readFileSync(path);
  const found = [];
  for (let at = HEADER_BYTES; at < content.length;) {
    found.push({ at, kind: content[at + RECORD_HEAD_BYTES - 1] as number });
    at += RECORD_HEAD_BYTES + content.readUInt32BE(at);
  }
  return found;
}

const BATCH = 1;
const STATE = 2;
const SNAPSHOT_END = 3;

const first = (path: string, kind: number) =>
  records(path).find((record) => record.kind === kind)?.at as number;

describe('a log of which a bit is wrong', () => {
  test('in the length of a batch is not taken for one that a kill cut short', async () => {
    await served();
    const [path = ''] = paths();
    const batches = records(path).filter(({ kind }) => kind === BATCH);
    const last = batches.pop()?.at as number;
    for (const { at } of batches) {
      change(path, at, 0x80);
      expect((await readLog(folder, BOOT))?.complete).toBe(false);
      change(path, at, 0x80);
    }
    // Behind the last one nothing is lost but itself: that is what a kill leaves, too.
    change(path, last, 0x80);
    expect((await readLog(folder, BOOT))?.complete).toBe(true);
  });

  test('in the length of a snapshot record is damaged, and not a log that never served', async () => {
    await served();
    const [path = ''] = paths();
    change(path, first(path, STATE), 0x80);
    expect(await readLog(folder, BOOT)).toMatchObject({ complete: false });
  });

  test('cut within the snapshot of what there was is damaged, and gives back what is left', async () => {
    await served();
    await restarted();
    const [path = ''] = paths();
    writeFileSync(path, readFileSync(path).subarray(0, first(path, SNAPSHOT_END)));
    const log = await readLog(folder, BOOT);
    expect([log?.complete, log?.image.sessionCount]).toEqual([false, 1]);
  });

  test('in the kind of a record is no end of a snapshot: the segment before it still counts', async () => {
    await servedInTwo();
    const newest = paths().at(-1) as string;
    change(newest, first(newest, BATCH) + RECORD_HEAD_BYTES - 1, BATCH ^ SNAPSHOT_END);
    const log = await readLog(folder, BOOT);
    expect([log?.complete, log?.image.sessionCount]).toEqual([false, 1]);
  });

  test('in its header does not hide what was written since', async () => {
    await servedInTwo();
    expect((await readLog(folder, BOOT))?.complete).toBe(true);
    change(paths().at(-1) as string, STANDALONE_AT, 1);
    expect((await readLog(folder, BOOT))?.complete).toBe(false);
  });
});
