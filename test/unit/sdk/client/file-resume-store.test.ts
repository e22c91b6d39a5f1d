import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileResumeStore } from '../../../../src/sdk/client/index.js';
import type { ResumeState } from '../../../../src/sdk/client/index.js';
import { ClientBench } from '../../../support/client-bench.js';
import { until } from '../../../support/until.js';

const state: ResumeState = {
  version: 1,
  openid: 'alice',
  sessionId: 's-1',
  lastSeq: 7,
  nextMsgId: 9,
  epoch: 3,
  epochProof: '0aff',
};

describe('a FileResumeStore', () => {
  let folder: string;
  let path: string;
  let store: FileResumeStore;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'resume-'));
    path = join(folder, 'session.json');
    store = new FileResumeStore(path);
  });

  afterEach(() => rm(folder, { recursive: true }));

  test('has nothing, then what was saved last, then nothing again', async () => {
    expect(await store.load()).toBeNull();
    await store.save(state);
    await store.save({ ...state, lastSeq: 8 });
    expect(await new FileResumeStore(path).load()).toEqual({ ...state, lastSeq: 8 });
    await store.save(null);
    expect([await store.load(), await readdir(folder)]).toEqual([null, []]);
    await store.save(null);
  });

  test('is for its owner alone, also where the file was for all before', async () => {
    await writeFile(path, '{}', { mode: 0o666 });
    await store.save(state);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('puts a new file in the place of the old one, which nobody sees half written', async () => {
    await store.save(state);
    const before = await stat(path);
    await store.save({ ...state, lastSeq: 8 });
    expect((await stat(path)).ino).not.toBe(before.ino);
    expect(await readdir(folder)).toEqual(['session.json']);
  });

  test('writes over what a process left that died while it saved', async () => {
    await writeFile(`${path}.tmp`, 'x'.repeat(1_000));
    await store.save(state);
    expect(await readdir(folder)).toEqual(['session.json']);
    expect(await store.load()).toEqual(state);
  });

  test('that cannot write says so and leaves nothing beside what was there', async () => {
    // No file can take the place of a folder.
    await mkdir(path);
    await expect(store.save(state)).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM/);
    expect(await readdir(folder)).toEqual(['session.json']);
    const nowhere = new FileResumeStore(join(folder, 'none', 'session.json'));
    await expect(nowhere.save(state)).rejects.toThrow(/ENOENT/);
  });

  test('that is damaged is told, and the next session written over it', async () => {
    await store.save(state);
    await writeFile(path, (await readFile(path)).subarray(0, 20));
    await expect(store.load()).rejects.toThrow(SyntaxError);
    const bench = new ClientBench({ store });
    const connecting = bench.client.connect();
    await until(() => bench.client.state === 'connected');
    await connecting;
    expect(bench.errors).toEqual([expect.objectContaining({ code: 'RESUME_STORE_FAILED' })]);
    expect(bench.gateway.last.starts[0]?.resumeSessionId).toBe('');
    expect(await store.load()).toMatchObject({ sessionId: 's-1', lastSeq: 0 });
    bench.client.close();
    await bench.client.stop();
  });
});
