import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { StateKeeper } from '../../../src/gateway/state-keeper.js';
import type { Logger } from '../../../src/telemetry/log.js';
import { silentLogger } from '../../../src/telemetry/log.js';
import { FakeClock } from '../../support/fake-clock.js';
import { SessionHarness } from '../../support/session-harness.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatesvr-state-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Loggers that keep what errors tell. */
function build() {
  const path = join(folder, 'state');
  const errors: [unknown, string][] = [];
  const log = Object.assign(Object.create(silentLogger()) as Logger, {
    error: (fields: unknown, message: string) => void errors.push([fields, message]),
  });
  return { path, errors, keeper: new StateKeeper(path, log, new FakeClock()) };
}

test('a damaged file is set aside, which /health tells of', async () => {
  const { path, errors, keeper } = build();
  const { service } = new SessionHarness();
  writeFileSync(path, 'no state at all');
  await keeper.load(service);
  expect([existsSync(path), existsSync(`${path}.damaged`)]).toEqual([false, true]);
  expect(errors).toHaveLength(1);
  expect(keeper.warnings()).toEqual([
    'the state file was damaged, sessions of the last process are lost: the log says more',
  ]);
});

test('a file that may not be read stops the start, and says what to do', async () => {
  const { path, keeper } = build();
  // Read as root, too, nothing else is as unreadable as a folder.
  mkdirSync(path);
  await expect(keeper.load(new SessionHarness().service)).rejects.toMatchObject({
    code: 'STATE_UNREADABLE',
    message: expect.stringMatching(
      /^cannot read state file .*: EISDIR.*; let the user of the gateway read it, name another/,
    ),
  });
});

test('a file that cannot be written is an error that says what is lost, in the log too', async () => {
  const { path, errors, keeper } = build();
  mkdirSync(`${path}.new`);
  await expect(keeper.save(new SessionHarness().service)).rejects.toMatchObject({
    code: 'STATE_UNWRITABLE',
    message: expect.stringContaining(
      `cannot write state file ${path}, the next start lacks what it would have kept: `,
    ),
  });
  expect(errors.map(([, message]) => message)).toEqual([
    'the state file cannot be written, the next start lacks its sessions',
  ]);
});

describe('a gateway of a pair', () => {
  test('sets the state of a gateway without a peer aside, and says what to do with it', async () => {
    const { path, errors, keeper } = build();
    const harness = new SessionHarness({ offlineTtl: 600_000 });
    harness.started('alice');
    await keeper.save(harness.service);
    expect(keeper.warnings()).toEqual([]);
    expect(await keeper.loadImage()).toBeNull();
    expect(keeper.warnings()).toEqual([expect.stringContaining('of a gateway without a peer')]);
    expect([existsSync(path), existsSync(`${path}.lone`)]).toEqual([false, true]);
    expect(errors).toEqual([
      [
        { sessions: 1, aside: `${path}.lone` },
        expect.stringMatching(/rename it back and start without backup.enabled/),
      ],
    ]);
  });

  test('goes on with what one of a pair left, until it has something newer', async () => {
    const { path, errors, keeper } = build();
    const harness = new SessionHarness({ offlineTtl: 600_000 });
    harness.started('alice');
    await keeper.saveImage(7, harness.service.archive.snapshot());
    // Killed while it waits for its peer, it starts with the same again.
    for (let start = 0; start < 2; start++) {
      const image = await keeper.loadImage();
      expect([image?.position, image?.sessionCount]).toEqual([7, 1]);
    }
    keeper.forgetImage();
    expect([existsSync(path), existsSync(`${path}.lone`), errors]).toEqual([false, false, []]);
    keeper.forgetImage();
    expect([await keeper.loadImage(), errors]).toEqual([null, []]);
  });

  test('says so where the file cannot be removed', async () => {
    const { path, errors, keeper } = build();
    await keeper.saveImage(7, new SessionHarness().service.archive.snapshot());
    await keeper.loadImage();
    rmSync(path);
    mkdirSync(path);
    keeper.forgetImage();
    expect(errors).toEqual([[expect.objectContaining({ file: path }), expect.any(String)]]);
  });
});
