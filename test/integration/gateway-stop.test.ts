import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { readStateFile } from '../../src/journal/state-file.js';
import type { SessionArchive } from '../../src/session/session-archive.js';
import { FakeClock } from '../support/fake-clock.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { SessionHarness } from '../support/session-harness.js';
import { copies } from '../support/session-world.js';

let harness: GatewayHarness;

afterEach(async () => {
  await harness.close().catch(() => undefined);
  rmSync(harness.folder, { recursive: true, force: true });
});

/** What a process left: a detached session with one push. */
function left() {
  const former = new SessionHarness();
  former.started('alice').link.lose();
  former.settle();
  former.pushTexts('alice', 'waits');
  return copies(former.service.archive.snapshot());
}

/** Something happens behind each session that is written. */
function between(archive: SessionArchive, happens: () => void): void {
  const snapshot = archive.snapshot.bind(archive);
  archive.snapshot = function* () {
    for (const record of snapshot()) {
      yield record;
      if (record.session) happens();
    }
  };
}

describe('a stop', () => {
  test('keeps a session once, though its time runs out while the file is written', async () => {
    harness = new GatewayHarness();
    const clock = new FakeClock();
    const settings = { 'session.resume_window': '10s', 'session.offline_ttl': '1h' };
    const gateway = await harness.gateway(settings, clock);
    gateway.sessions.archive.restore(left());
    between(gateway.sessions.archive, () => {
      for (let step = 0; step < 200; step++) clock.advance(100);
    });
    await gateway.stop();
    const records = (await readStateFile(join(harness.folder, 'gateway.state'))) ?? [];
    expect(records.filter(({ session }) => session)).toHaveLength(1);
    expect(records.filter(({ offlinePush }) => offlinePush)).toHaveLength(0);
  });

  test('that cannot keep its state says so, and stops everything all the same', async () => {
    harness = new GatewayHarness();
    const gateway = await harness.gateway({ 'server.http_addr': '127.0.0.1:0' });
    const live = `http://127.0.0.1:${gateway.httpPort}/live`;
    expect((await fetch(live)).status).toBe(200);
    mkdirSync(join(harness.folder, 'gateway.state.new'));
    await expect(gateway.stop()).rejects.toThrow(/EISDIR/);
    await expect(fetch(live)).rejects.toThrow();
  });
});
