import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { UpstreamEntry } from '../../../src/routing/registration-check.js';
import { REGISTRY_RETRY_MS, RegistryFile } from '../../../src/routing/registry-file.js';
import { createLogger } from '../../../src/telemetry/log.js';
import { FakeClock } from '../../support/fake-clock.js';
import { eventually } from '../../support/quic-harness.js';
import { RouterBench } from '../../support/upstream-router-bench.js';

const entry = (address: string): UpstreamEntry => ({
  address,
  zone: '001',
  serviceName: 'service',
  capabilities: ['dedupe'],
  hostFromCaller: false,
});

let folder: string;
let path: string;
let lines: string[];
let kept: UpstreamEntry[];
let clock: FakeClock;

function open(): RegistryFile {
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const logger = createLogger({ level: 'info', format: 'json' }, sink);
  return new RegistryFile(path, logger, clock, () => kept);
}

const changed = (file: RegistryFile): Promise<void> => new Promise((done) => file.changed(done));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'registry-'));
  path = join(folder, 'upstreams.json');
  lines = [];
  kept = [];
  clock = new FakeClock();
});

afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true });
});

describe('the registry file', () => {
  test('no file is no entries and no complaint', async () => {
    expect(await open().load()).toEqual([]);
    expect(lines).toEqual([]);
  });

  test('what is written comes back; only the owner may read it; nothing else is left', async () => {
    const file = open();
    kept = [entry('a:1'), entry('b:2')];
    await changed(file);
    expect(await open().load()).toEqual(kept);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['upstreams.json']);
  });

  test('tells each change when it is on disk; those during a write share the next one', async () => {
    const file = open();
    const told = [1, 2, 3].map(async (count) => {
      kept = [...kept, entry(`a:${count}`)];
      await changed(file);
      return (await open().load()).map(({ address }) => address);
    });
    const [first, ...later] = await Promise.all(told);
    expect(first).toContain('a:1');
    expect(later).toEqual(Array(2).fill(['a:1', 'a:2', 'a:3']));
  });

  test('a stop waits for what is being written', async () => {
    const file = open();
    kept = [entry('a:1')];
    let told = 0;
    file.changed(() => told++);
    file.changed(() => told++);
    expect(told).toBe(0);
    await file.stop();
    expect(told).toBe(2);
    expect(await open().load()).toEqual(kept);
  });

  test.each([
    ['no JSON', '{"format":1,'],
    ['another format', '{"format":2,"upstreams":[]}'],
    ['no list', '{"format":1,"upstreams":{}}'],
    ['null', 'null'],
    ['a bad entry', '{"format":1,"upstreams":[{"address":":1","zone":"001"}]}'],
    ['empty', ''],
  ])('%s is one warning and set aside', async (_, text) => {
    await writeFile(path, text);
    expect(await open().load()).toEqual([]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('corrupt');
    expect(await readdir(folder)).toEqual(['upstreams.json.corrupt']);
    expect(await readFile(`${path}.corrupt`, 'utf8')).toBe(text);
  });

  test('one that the system does not let us read is kept when another takes its place', async () => {
    await symlink(path, path);
    const file = open();
    expect(await file.load()).toEqual([]);
    expect(lines).toEqual([expect.stringContaining('ELOOP')]);
    kept = [entry('a:1')];
    await changed(file);
    expect(await open().load()).toEqual(kept);
    expect(await readlink(`${path}.corrupt`)).toBe(path);
  });

  test('a folder in its place, or no folder, is logged once and never thrown', async () => {
    path = folder;
    const file = open();
    expect(await file.load()).toEqual([]);
    expect(lines).toHaveLength(1);
    for (let round = 0; round < 3; round++) {
      await changed(file);
    }
    expect(lines).toHaveLength(2);
    path = join(folder, 'missing', 'file');
    const other = open();
    await changed(other);
    expect(lines).toHaveLength(3);
  });

  test('what the disk did not take is written once it can be', async () => {
    path = join(folder, 'later', 'upstreams.json');
    const file = open();
    kept = [entry('a:1')];
    await changed(file);
    expect(file.behind).toBe(true);
    clock.advance(REGISTRY_RETRY_MS);
    await eventually(() => clock.pending === 1, 'the next attempt');
    expect(file.behind).toBe(true);
    await mkdir(dirname(path));
    clock.advance(REGISTRY_RETRY_MS);
    await eventually(() => !file.behind, 'the file to be written');
    expect(await open().load()).toEqual(kept);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain('the registry file is written again');
    expect(clock.pending).toBe(0);
  });

  test('a stop asks the disk once more, and is the end', async () => {
    path = join(folder, 'later', 'upstreams.json');
    const file = open();
    kept = [entry('a:1')];
    await changed(file);
    await mkdir(dirname(path));
    await file.stop();
    expect(await open().load()).toEqual(kept);
    expect(clock.pending).toBe(0);
  });
});

describe('a router with a registry file', () => {
  test('takes two spellings of an address that an older version kept for one instance', async () => {
    kept = [entry('[0:0::1]:9001'), entry('[::1]:9001'), entry('[::0]:9002')];
    await changed(open());
    const bench = new RouterBench({ registryFile: path });
    await bench.router.start();
    expect(await bench.register('[0::0:1]:9001')).toMatchObject({ success: true });
    const addresses = (await open().load()).map(({ address }) => address);
    expect(addresses).toEqual(['[::1]:9001', '[::0]:9002']);
    await bench.router.stop();
  });

  test('answers a registration when it is in the file: a kill right after it loses nothing', async () => {
    const bench = new RouterBench({ registryFile: path });
    await bench.router.start();
    expect(await bench.register('10.0.0.1:9001')).toMatchObject({ success: true });
    expect((await open().load()).map(({ address }) => address)).toEqual(['10.0.0.1:9001']);
    await bench.router.stop();
  });

  test('answers all the same where the file cannot be written', async () => {
    const bench = new RouterBench({ registryFile: join(folder, 'missing', 'file') });
    await bench.router.start();
    expect(await bench.register('10.0.0.1:9001')).toMatchObject({ success: true });
    await bench.router.stop();
  });

  test('restores its registrations; a deregistered one is gone', async () => {
    const first = new RouterBench({ registryFile: path });
    await first.router.start();
    await first.register('10.0.0.1:9001');
    await first.register(':9002', '004', '127.0.0.1:5');
    await first.register('10.0.0.3:9003');
    await first.deregister('10.0.0.3:9003');
    await first.router.stop();

    const second = new RouterBench({ registryFile: path });
    await second.router.start();
    const zones = second.router.view().zones;
    const addresses = zones.map((zone) => zone.instances.map((instance) => instance.address));
    expect(addresses).toEqual([['10.0.0.1:9001'], [], [], ['127.0.0.1:9002'], [], []]);
    await second.router.stop();
  });

  test('a corrupt file does not stop the start', async () => {
    await writeFile(path, 'garbage');
    const bench = new RouterBench({ registryFile: path });
    await bench.router.start();
    await bench.register('10.0.0.1:9001');
    await bench.router.stop();
    expect((await readdir(folder)).sort()).toEqual(['upstreams.json', 'upstreams.json.corrupt']);
  });
});
