import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskLog } from '../../../src/journal/disk-log.js';
import type { DiskLogOptions } from '../../../src/journal/disk-log.js';
import { readLog } from '../../../src/journal/disk-log-reader.js';
import type { RecoveredLog } from '../../../src/journal/disk-log-reader.js';
import type { JournalWriter } from '../../../src/journal/journal-writer.js';
import { JournalImage } from '../../../src/journal/journal-image.js';
import { LogSegment } from '../../../src/journal/log-segment.js';
import { silentLogger } from '../../../src/telemetry/log.js';
import { UnicastPushRequest } from '../../../src/wire/messages.js';
import { SessionHarness } from '../../support/session-harness.js';
import { copies } from '../../support/session-world.js';
import { until } from '../../support/until.js';

const BOOT = '11111111-2222-3333-4444-555555555555';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'gatesvr-log-')), 'journal');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

/** Room on the disk, in bytes; writes beyond it fail as on a full one. */
class Disk {
  room = Infinity;
  /** Whether files cannot be removed: a folder stands in for each that was tried. */
  keeps = false;
  private readonly kept: string[] = [];
  readonly create = (...args: ConstructorParameters<typeof LogSegment>): LogSegment => {
    if (this.room <= 0) throw this.full();
    const segment = new LogSegment(...args);
    const write = segment.write.bind(segment);
    segment.write = (parts) => {
      this.room -= parts.reduce((sum, part) => sum + part.length, 0);
      if (this.room < 0) throw this.full();
      write(parts);
    };
    const { path } = segment;
    const close = segment.close.bind(segment);
    segment.close = () => {
      close();
      if (!this.keeps) return;
      this.kept.push(path);
      rmSync(path);
      mkdirSync(path);
    };
    return segment;
  };

  get keptFiles(): number {
    return this.kept.length;
  }

  mend(): void {
    this.room = Infinity;
    this.keeps = false;
    for (const path of this.kept) {
      rmdirSync(path);
      writeFileSync(path, '');
    }
  }

  private full(): Error {
    return Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  }
}

interface Bench {
  readonly harness: SessionHarness;
  readonly journal: JournalWriter;
  readonly log: DiskLog;
}

async function begun(
  options: Partial<DiskLogOptions> = {},
  position = 0,
  whole = true,
): Promise<Bench> {
  const harness = new SessionHarness({ offlineTtl: 600_000 }, undefined, undefined, {}, true);
  const { journal, clock, metrics } = harness;
  if (journal === null) throw new Error('no journal');
  journal.continueFrom(position);
  const settings = { folder, fsync: 'never' as const, bootId: BOOT, ...options };
  const log = new DiskLog(journal, settings, clock, silentLogger(), metrics.journal);
  await log.begin(whole);
  return { harness, journal, log };
}

async function found(bootId = BOOT): Promise<RecoveredLog> {
  const log = await readLog(folder, bootId);
  if (log === null) throw new Error('no log');
  return log;
}

/** What a restart would restore. */
function texts(log: RecoveredLog): string[] {
  const harness = new SessionHarness({ offlineTtl: 600_000 });
  harness.service.archive.restore(copies(log.image.records()));
  return harness.started('alice', { lastAckedSeqId: 0 }).texts;
}

const newest = () => join(folder, readdirSync(folder).sort().at(-1) as string);
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A push whose answer may wait for the disk. */
function submit(harness: SessionHarness, index: number): void {
  const target = { targetType: 'openid', targetId: 'alice', msgType: 't', content: `${index}` };
  harness.service.pushes.push(new UnicastPushRequest(target), () => undefined);
  harness.settle();
}

describe('the log on disk', () => {
  test('a killed process left everything; also what its last write broke off', async () => {
    const { harness } = await begun();
    harness.started('alice');
    harness.pushTexts('alice', 'one', 'two');
    harness.pushTexts('bob', 'waits');
    const log = await found();
    expect([log.complete, log.cutBytes, texts(log)]).toEqual([true, 0, ['one', 'two']]);
    const content = readFileSync(newest());
    expect(statSync(newest()).mode & 0o777).toBe(0o600);
    writeFileSync(newest(), content.subarray(0, content.length - 3));
    const cut = await found();
    expect(cut.complete).toBe(true);
    expect(cut.cutBytes).toBeGreaterThan(0);
    expect(texts(cut)).toEqual(['one', 'two']);
  });

  test('is read in pieces, for it may be larger than what Node reads of a file', async () => {
    const { harness } = await begun();
    harness.started('alice');
    harness.pushTexts('alice', 'one', 'two', 'x'.repeat(1_000));
    const content = readFileSync(newest());
    for (const pieceBytes of [64, 200, content.length - 1]) {
      const log = (await readLog(folder, BOOT, pieceBytes)) as RecoveredLog;
      expect([log.complete, log.cutBytes]).toEqual([true, 0]);
      expect(texts(log)).toEqual(['one', 'two', 'x'.repeat(1_000)]);
    }
    writeFileSync(newest(), content.subarray(0, content.length - 3));
    const cut = (await readLog(folder, BOOT, 200)) as RecoveredLog;
    expect([cut.complete, cut.cutBytes]).toEqual([true, (await found()).cutBytes]);
  });

  test('after a power cut it may lack its end, but not after a graceful one', async () => {
    const { harness, log } = await begun();
    harness.started('alice');
    harness.pushTexts('alice', 'one');
    expect((await found('another boot')).complete).toBe(false);
    expect((await found('')).complete).toBe(false);
    log.stop();
    expect((await found('another boot')).complete).toBe(true);
  });

  test('a record that was damaged ends it, and it is not complete', async () => {
    const { harness } = await begun();
    harness.started('alice');
    harness.pushTexts('alice', 'one');
    const good = statSync(newest()).size;
    harness.pushTexts('alice', 'two');
    const content = readFileSync(newest());
    content[good + 20] = (content[good + 20] as number) ^ 1;
    writeFileSync(newest(), content);
    const log = await found();
    expect([log.complete, texts(log)]).toEqual([false, ['one']]);
  });

  test('one start after another goes on where the last one ended, in one segment', async () => {
    const first = await begun();
    first.harness.started('alice');
    first.harness.pushTexts('alice', 'one');
    first.log.stop();
    const left = await found();
    const second = await begun({}, left.image.position);
    second.harness.service.archive.restore(copies(left.image.records()));
    second.harness.pushTexts('alice', 'two');
    expect(readdirSync(folder)).toEqual(['00000002.log']);
    expect((await found()).image.position).toBe(second.journal.newest);
  });

  test('one that began with a history that may lack its end says so until another takes its place', async () => {
    const disk = new Disk();
    const options = { create: disk.create, compactAtBytes: 2_000 };
    const { harness, log } = await begun(options, 7, false);
    expect((await found()).complete).toBe(false);
    harness.started('alice');
    // Neither a compaction nor a disk that was full for a while brings back what is missing.
    const { compactions } = harness.metrics.journal;
    const begins = () => readdirSync(folder).length > 1 || compactions.value > 0;
    for (let index = 0; !begins() && index < 3_000; index++) {
      submit(harness, index);
      await turn();
    }
    // With nothing more to write: a disk that is slow to sync would see the next one begin before this ended.
    await until(() => compactions.value > 0, 'a compaction');
    expect((await found()).complete).toBe(false);
    disk.room = 0;
    submit(harness, 0);
    disk.room = Infinity;
    harness.advance(1_000);
    await until(() => !log.failing);
    expect((await found()).complete).toBe(false);
    log.rewrite();
    expect((await found()).complete).toBe(true);
  });

  test.each([
    ['never', 0],
    ['interval', 0],
    ['always', 1],
  ] as const)(
    'fsync %s: another history waits for the disk within its turn %d times',
    async (fsync, times) => {
      let waits = 0;
      const create = (...args: ConstructorParameters<typeof LogSegment>): LogSegment => {
        const segment = new LogSegment(...args);
        const syncNow = segment.syncNow.bind(segment);
        segment.syncNow = () => {
          waits++;
          syncNow();
        };
        return segment;
      };
      const { harness, log } = await begun({ fsync, create });
      harness.started('alice');
      harness.settle();
      waits = 0;
      log.rewrite();
      expect(waits).toBe(times);
      const { complete, image } = await found();
      expect([complete, image.sessionCount]).toEqual([true, 1]);
      await until(() => readdirSync(folder).length === 1, 'the former history to go');
      expect((await found()).complete).toBe(true);
    },
  );

  test('no folder, or one in which nothing was ever served, is no log', async () => {
    expect(await readLog(folder, BOOT)).toBeNull();
    await begun();
    writeFileSync(newest(), readFileSync(newest()).subarray(0, 64));
    expect(await readLog(folder, BOOT)).toBeNull();
  });

  test.each(['never', 'always', 'interval'] as const)(
    'fsync %s: success is said once the push is where it should be',
    async (fsync) => {
      const { harness } = await begun({ fsync });
      harness.started('alice');
      const results: boolean[] = [];
      const request = { targetType: 'openid', targetId: 'alice', content: 'kept' };
      harness.service.pushes.push(new UnicastPushRequest(request), ({ success }) =>
        results.push(success),
      );
      expect(results).toEqual([]);
      harness.settle();
      if (fsync === 'always') await until(() => results.length > 0);
      expect(results).toEqual([true]);
      expect(texts(await found())).toEqual(['kept']);
    },
  );

  test('a segment that the system does not let us read is named, with what to do', async () => {
    const { log } = await begun();
    log.stop();
    const path = newest();
    // Read as root, too, nothing else is as unreadable as a folder.
    rmSync(path);
    mkdirSync(path);
    await expect(found()).rejects.toMatchObject({
      code: 'JOURNAL_UNREADABLE',
      message: expect.stringMatching(
        /^cannot read the journal .*\/0+1\.log: .*EISDIR.*; let the user .* move it away/,
      ),
    });
  });
});

describe('compaction', () => {
  test('a log that grew too large is written anew while it is used, and nothing is missing', async () => {
    const { harness } = await begun({ compactAtBytes: 20_000 });
    const client = harness.started('alice');
    const { compactions } = harness.metrics.journal;
    harness.pushTexts('bob', 'waits');
    for (let index = 1; compactions.value < 3; index++) {
      harness.pushTexts('alice', `${'x'.repeat(500)} ${index}`);
      client.ack(index - 1);
      await turn();
      // The disk may be slow: not more than a compaction's worth comes before it is done.
      if (index % 30 === 0) await until(() => readdirSync(folder).length === 1);
      if (index > 3_000) throw new Error('it was never compacted');
    }
    await until(() => readdirSync(folder).length === 1);
    harness.pushTexts('alice', 'last');
    const log = await found();
    expect([log.complete, log.image.position]).toEqual([true, harness.journal?.newest]);
    expect(texts(log)).toEqual(client.texts.slice(-2));
    expect(statSync(newest()).size).toBeLessThan(40_000);
  });

  test.each([
    ['never', 0],
    ['always', 1],
  ] as const)(
    'under fsync %s the folder is synced for each new segment: %d times',
    async (fsync, times) => {
      const synced: string[] = [];
      const syncFolder = (path: string) => void synced.push(path);
      const { harness } = await begun({ fsync, syncFolder, compactAtBytes: 2_000 });
      expect(synced).toEqual(times === 0 ? [] : [join(folder, '..'), folder]);
      synced.length = 0;
      harness.started('alice');
      for (let index = 0; readdirSync(folder).length === 1; index++) submit(harness, index);
      expect(synced).toHaveLength(times);
    },
  );

  test.each(['opened', 'synced into its folder'])(
    'where no segment can be %s the one there is goes on, until one can',
    async (step) => {
      let fails = false;
      let tries = 0;
      const disk = new Disk();
      const attempt = () => {
        if (!fails) return;
        tries++;
        throw new Error('EMFILE: too many open files');
      };
      const options: Partial<DiskLogOptions> =
        step === 'opened'
          ? { create: (...args) => (attempt(), disk.create(...args)) }
          : { syncFolder: attempt };
      const { harness, log } = await begun({ fsync: 'always', compactAtBytes: 2_000, ...options });
      const { compactions } = harness.metrics.journal;
      const client = harness.started('alice');
      const [first] = readdirSync(folder);
      fails = true;
      for (let index = 0; index < 60; index++) submit(harness, index);
      expect([log.failing, tries, readdirSync(folder)]).toEqual([false, 1, [first]]);
      expect(statSync(newest()).size).toBeGreaterThan(2_000);
      await until(() => client.texts.length === 60, 'what was submitted');
      expect(texts(await found())).toEqual(client.texts);
      // It is tried again, but not with each batch.
      harness.advance(1_000);
      for (let index = 60; index < 70; index++) submit(harness, index);
      expect([log.failing, tries]).toEqual([false, 2]);

      fails = false;
      harness.advance(1_000);
      submit(harness, 70);
      await until(() => compactions.value === 1, 'a compaction');
      await until(() => readdirSync(folder).length === 1, 'the end of the old segment');
      expect(readdirSync(folder)).not.toEqual([first]);
      expect((await found()).complete).toBe(true);
    },
  );

  test('an old segment that cannot be removed goes with the next one', async () => {
    const disk = new Disk();
    const { harness } = await begun({ create: disk.create, compactAtBytes: 2_000 });
    const { compactions } = harness.metrics.journal;
    const client = harness.started('alice');
    const compacted = async (times: number) => {
      const segments = readdirSync(folder).length;
      while (readdirSync(folder).length === segments) harness.pushTexts('alice', 'x'.repeat(500));
      await until(() => compactions.value === times, 'a compaction');
      client.ack(client.texts.length);
    };
    disk.keeps = true;
    await compacted(1);
    await turn();
    expect([disk.keptFiles, readdirSync(folder).length]).toEqual([1, 2]);
    disk.mend();
    await compacted(2);
    await until(() => readdirSync(folder).length === 1, 'the end of the old segments');
  });

  test('a kill in the midst of it loses nothing', async () => {
    const { harness } = await begun({ compactAtBytes: 2_000 });
    harness.started('alice');
    for (let index = 0; readdirSync(folder).length === 1; index++) {
      harness.pushTexts('alice', `push ${index}`);
    }
    harness.pushTexts('alice', 'after');
    const log = await found();
    expect([log.complete, log.image.position]).toEqual([true, harness.journal?.newest]);
    expect(texts(log).at(-1)).toBe('after');
    expect(texts(log)[0]).toBe('push 0');
  });
});

describe('a snapshot that is written in steps', () => {
  test('holds what is written down between two of them once', async () => {
    const { harness, log } = await begun({ compactAtBytes: 700_000 });
    const openids = Array.from({ length: 9 }, (_, index) => `openid${index}`);
    for (const openid of openids) {
      harness.started(openid);
      harness.pushTexts(openid, 'x'.repeat(99_000));
    }
    expect(readdirSync(folder)).toHaveLength(2);
    await turn();
    for (const targetId of openids) {
      const target = { targetType: 'openid', targetId, msgType: 't', content: 'late' };
      harness.service.pushes.push(new UnicastPushRequest(target), () => undefined);
    }
    await until(() => readdirSync(folder).length === 1);
    harness.settle();
    const kept = await found();
    expect([kept.complete, kept.image.position]).toEqual([true, harness.journal?.newest]);
    const restored = new SessionHarness({ offlineTtl: 600_000 });
    restored.service.archive.restore(copies(kept.image.records()));
    for (const openid of openids) {
      const { texts } = restored.started(openid, { lastAckedSeqId: 0 });
      expect(texts.map((text) => text.slice(0, 4))).toEqual(['xxxx', 'late']);
    }
    expect(log.failing).toBe(false);
  });

  test('is nothing to go by once another history has taken its place', async () => {
    const syncs: ((error: Error | null) => void)[] = [];
    const create = (...args: ConstructorParameters<typeof LogSegment>) => {
      const segment = new LogSegment(...args);
      segment.sync = (done) => void syncs.push(done);
      return segment;
    };
    const { harness, log } = await begun({ create, compactAtBytes: 2_000 });
    harness.started('alice');
    while (readdirSync(folder).length === 1) harness.pushTexts('alice', 'x'.repeat(500));
    await until(() => syncs.length === 1, 'the end of the snapshot');
    log.rewrite();
    syncs[0]?.(null);
    await turn();
    expect([log.failing, readdirSync(folder).length]).toEqual([false, 3]);
    syncs[1]?.(null);
    await until(() => readdirSync(folder).length === 1, 'the end of the former history');
  });
});

describe('a snapshot of which the source changes hands', () => {
  test('is whole all the same', async () => {
    const { harness, journal, log } = await begun({ compactAtBytes: 700_000 });
    const openids = Array.from({ length: 9 }, (_, index) => `openid${index}`);
    for (const openid of openids) {
      harness.started(openid);
      harness.pushTexts(openid, 'x'.repeat(99_000));
    }
    expect(readdirSync(folder)).toHaveLength(2);
    await turn();
    const image = new JournalImage();
    image.reset(journal.position, copies(journal.snapshot()));
    journal.describe(() => image.records());
    harness.service.standDown();
    journal.resumeAt(image.position);
    log.restartSnapshot();
    await until(() => readdirSync(folder).length === 1);
    const kept = await found();
    expect([kept.image.sessionCount, kept.image.position]).toEqual([9, image.position]);
  });
});

describe('a full disk', () => {
  test('refuses pushes and requests until there is room, then holds everything again', async () => {
    const disk = new Disk();
    const { harness, log } = await begun({ create: disk.create });
    const client = harness.started('alice').business(1);
    harness.pushTexts('alice', 'before');
    disk.room = 0;
    expect(harness.push('alice', { content: 'at the edge' }).errorCode).toBe('JOURNAL_FAILED');
    expect([log.failing, harness.metrics.journal.failures.value]).toEqual([true, 1]);
    expect(harness.push('alice', { content: 'refused' }).errorCode).toBe('JOURNAL_FAILED');
    expect(harness.broadcast('refused')).toBe(0);
    client.business(2);
    expect([client.last.code, harness.router.seen.length]).toEqual([503, 1]);
    harness.answer(0);
    expect((await found()).complete).toBe(false);

    harness.advance(3_000);
    expect(log.failing).toBe(true);
    disk.room = Infinity;
    harness.advance(1_000);
    await until(() => !log.failing);
    await until(() => readdirSync(folder).length === 1);
    harness.pushTexts('alice', 'after');
    const kept = await found();
    expect(kept.complete).toBe(true);
    // What was promised in between was not lost either: the snapshot has it.
    expect(kept.image.position).toBe(harness.journal?.newest);
    const restored = texts(kept);
    expect([restored[0], restored.at(-1)]).toEqual(['before', 'after']);
  });

  test('that refuses to remove a half-written segment too ends nothing', async () => {
    const disk = new Disk();
    const { harness, log } = await begun({ create: disk.create });
    harness.started('alice');
    harness.pushTexts('alice', 'before');
    disk.room = 0;
    expect(harness.push('alice', { content: 'at the edge' }).errorCode).toBe('JOURNAL_FAILED');
    // Room for the file and not for its snapshot.
    disk.room = 1;
    disk.keeps = true;
    harness.advance(1_000);
    await until(() => disk.keptFiles === 1);
    expect([log.failing, readdirSync(folder).length]).toEqual([true, 2]);

    disk.mend();
    harness.advance(1_000);
    await until(() => !log.failing);
    await until(() => readdirSync(folder).length === 1);
    expect((await found()).complete).toBe(true);
  });

  test('while another history is written leaves none that would be taken for complete', async () => {
    const disk = new Disk();
    const { harness, journal, log } = await begun({ create: disk.create }, 5_000);
    harness.started('alice');
    harness.settle();
    expect((await found()).complete).toBe(true);
    journal.resumeAt(2);
    disk.room = 1;
    log.rewrite();
    const left = await found();
    expect([log.failing, left.complete, left.image.position > 5_000]).toEqual([true, false, true]);
    // Nothing of the new history is safe yet, whatever numbers the former one had reached.
    expect(journal.settled.position).toBeLessThanOrEqual(2);
    disk.room = Infinity;
    harness.advance(1_000);
    await until(() => !log.failing);
    const kept = await found();
    expect([kept.complete, kept.image.position]).toEqual([true, journal.newest]);
    expect(journal.settled.position).toBe(journal.newest);
  });

  test('lets nothing count as kept before the log is whole again', async () => {
    const disk = new Disk();
    const { harness, journal, log } = await begun({ create: disk.create });
    const client = harness.started('alice');
    harness.pushTexts('alice', 'before');
    disk.room = 0;
    harness.push('alice', { content: 'at the edge' });
    disk.room = Infinity;
    harness.advance(1_000);
    // The new segment takes what is written down, but its snapshot is not there yet.
    client.ack(1);
    harness.settle();
    expect([log.failing, journal.settled.position < journal.newest]).toEqual([true, true]);
    await until(() => !log.failing);
    expect(journal.settled.position).toBe(journal.newest);
  });

  test('that fills up again before the new segment is on it keeps the old ones', async () => {
    const disk = new Disk();
    const syncs: ((error: Error | null) => void)[] = [];
    const create = (...args: ConstructorParameters<typeof LogSegment>) => {
      const segment = disk.create(...args);
      segment.sync = (done) => void syncs.push(done);
      return segment;
    };
    const { harness, log } = await begun({ create });
    const client = harness.started('alice');
    harness.pushTexts('alice', 'before');
    disk.room = 0;
    harness.push('alice', { content: 'at the edge' });
    disk.room = Infinity;
    harness.advance(1_000);
    await until(() => syncs.length === 1, 'the end of the snapshot');
    disk.room = 0;
    client.ack(1);
    harness.settle();
    syncs[0]?.(null);
    await turn();
    expect([log.failing, readdirSync(folder).length]).toEqual([true, 1]);
    expect(texts(await found())[0]).toBe('before');

    disk.room = Infinity;
    harness.advance(1_000);
    await until(() => syncs.length === 2, 'the end of the next snapshot');
    syncs[1]?.(null);
    expect(log.failing).toBe(false);
  });

  test('at the start is said at once', async () => {
    const disk = new Disk();
    disk.room = 20;
    await expect(begun({ create: disk.create })).rejects.toMatchObject({
      code: 'JOURNAL_UNWRITABLE',
    });
  });
});
