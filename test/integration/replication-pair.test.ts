import { afterEach, describe, expect, it } from '@jest/globals';
import { createConnection } from 'node:net';
import { backupStats } from '../../src/replication/backup-stats.js';
import type { GateVerdict } from '../../src/replication/confirmation-gate.js';
import { NodePair } from '../support/replication-nodes.js';
import type { NodeSettings, ReplicationNode } from '../support/replication-nodes.js';
import { eventually as waitFor } from '../support/quic-harness.js';

let pair: NodePair | null = null;

afterEach(async () => {
  await pair?.stop();
  pair = null;
});

async function start(settings: { a?: NodeSettings; b?: NodeSettings } = {}): Promise<NodePair> {
  pair = new NodePair(settings);
  await pair.start();
  return pair;
}

const eventually = (reached: () => boolean) => waitFor(reached, 'what this test expects');
const serves = (two: NodePair, name: 'a' | 'b') => two[name].replicator.accepting;
const standsBy = ({ replicator: { machine } }: ReplicationNode) =>
  machine.role === 'backup' && machine.paired;
const inSync = (two: NodePair) =>
  eventually(
    () => serves(two, 'a') && two.a.replicator.machine.paired && two.b.replicator.machine.paired,
  );
const same = (two: NodePair) =>
  eventually(() => two.b.journal.texts.join() === two.a.journal.texts.join());

/** Bytes: less than the snapshot of many and large sessions, and more than anything before it. */
const HALF_WAY = 2_000_000;

describe('a pair of gateways over gRPC', () => {
  it('ships a snapshot, then the tail', async () => {
    const two = await start();
    await eventually(() => serves(two, 'a'));
    for (let entry = 0; entry < 3000; entry++)
      two.a.journal.append(`entry ${entry}`, 'x'.repeat(200));
    await inSync(two);
    await same(two);
    two.a.journal.append('tail');
    await same(two);
    expect(two.b.journal.texts.at(-1)).toBe('tail');
    expect(two.b.replicator.peer?.advertiseAddr).toBe('a.example:8453');
    expect(two.b.replicator.machine.epoch).toBe(1);
  });

  it('ships many and large sessions in steps, while the primary goes on', async () => {
    const two = await start();
    await inSync(two);
    await eventually(() => two.b.journal.resets > 0);
    const { journal, replicator } = two.a;
    two.toA.sync.cut = true;
    two.toA.sync.kill();
    for (let entry = 0; entry < 10_000; entry++) journal.texts.push(`session ${entry} of many`);
    // Larger than a gRPC message may be.
    journal.append('x'.repeat(4_500_000));
    const { resets } = two.b.journal;
    // Held in the middle of it: how many turns of the event loop it takes otherwise is the machine's affair.
    let shipped = 0;
    two.toA.sync.tamper = (bytes) => {
      const before = shipped;
      shipped += bytes.length;
      if (before < HALF_WAY && shipped >= HALF_WAY) two.toA.sync.stall(true);
      return bytes;
    };
    two.toA.sync.cut = false;
    await eventually(() => shipped >= HALF_WAY);
    for (let turn = 0; turn < 1_000; turn++) {
      journal.append(`tail ${turn}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(two.b.journal.resets).toBe(resets);
    expect(replicator.lag.bytes).toBeGreaterThan(0);
    two.toA.sync.stall(false);
    await inSync(two);
    await eventually(() => two.b.journal.position === journal.position);
    expect(two.b.journal.texts).toEqual(journal.texts);
    expect(two.b.journal.resets).toBe(resets + 1);
  });

  it('begins again after the stream was killed', async () => {
    const two = await start();
    await inSync(two);
    const { resets } = two.b.journal;
    two.toA.sync.kill();
    two.a.journal.append('while it was away');
    await eventually(() => two.b.journal.resets > resets);
    await same(two);
    expect(two.b.replicator.machine.role).toBe('backup');
  });

  it('drops a standby that does not read, and its memory with it', async () => {
    const two = await start({
      a: { sync: { bufferSize: 100 }, timeout: 30_000 },
      b: { timeout: 30_000 },
    });
    // A standby that still joins may be behind by much more.
    await inSync(two);
    two.toA.sync.stall(true);
    const text = 'x'.repeat(10_000);
    await eventually(() => {
      for (let entry = 0; entry < 50; entry++) two.a.journal.append(text);
      return two.a.metrics.replication.resyncs.of('slow').value > 0;
    });
    expect(two.a.journal.sinkCount).toBe(0);
    two.toA.sync.kill();
    await same(two);
  });

  it('a part that was changed on the way changes nothing, and a new snapshot follows', async () => {
    const two = await start();
    await inSync(two);
    let changed = 0;
    two.toA.sync.tamper = (bytes) => {
      const at = bytes.indexOf('secret word');
      if (at < 0 || changed++ > 0) return bytes;
      const copy = Buffer.from(bytes);
      copy[at] = 'S'.charCodeAt(0);
      return copy;
    };
    two.a.journal.append('a secret word');
    await eventually(() => two.b.metrics.replication.resyncs.of('broken').value > 0);
    await same(two);
    expect(two.b.journal.texts).not.toContain('a Secret word');
  });

  it('the standby takes over when the primary is gone, and the old one returns as backup', async () => {
    const two = await start({ a: { timeout: 3_000 }, b: { timeout: 3_000 } });
    await inSync(two);
    two.a.journal.append('kept');
    await same(two);
    two.cut = true; // Else its goodbye would get through.
    await two.a.stop();
    await eventually(() => serves(two, 'b'));
    expect(two.b.changes.at(-1)).toMatchObject({ role: 'primary', epoch: 2, jump: true });
    expect(two.b.journal.texts).toContain('kept');
    two.cut = false;
    await two.boot('a');
    await eventually(() => two.a.replicator.machine.paired);
    await same(two);
    expect(two.a.replicator.machine.role).toBe('backup');
  });

  it('a planned switch loses nothing and jumps no number; so does the way back, asked of the backup', async () => {
    const two = await start();
    await inSync(two);
    two.a.journal.append('before');
    await two.a.replicator.switchRoles();
    await eventually(() => serves(two, 'b') && standsBy(two.a));
    expect(two.b.changes.at(-1)).toMatchObject({ epoch: 2, jump: false, planned: true });
    expect([two.b.journal.texts.includes('before'), two.a.drained]).toEqual([true, 1]);
    await two.a.replicator.switchRoles();
    await eventually(() => serves(two, 'a'));
    expect(two.a.changes.at(-1)).toMatchObject({ epoch: 3, planned: true });
  });

  it('is not drained for a backup that asks and has no stream, and tells it so', async () => {
    const two = await start();
    await inSync(two);
    two.toA.sync.cut = true;
    two.toA.sync.kill();
    await eventually(() => two.a.journal.sinkCount === 0);
    await two.b.replicator.switchRoles();
    const asked = two.b.replicator.peer?.word.sequence ?? 0;
    await eventually(() => (two.b.replicator.peer?.word.sequence ?? 0) > asked + 5);
    expect([two.a.drained, serves(two, 'a'), two.b.replicator.machine.paired]).toEqual([
      0,
      true,
      true,
    ]);
    const { plannedSwitch } = two.b.replicator;
    await eventually(() => !plannedSwitch.underWay);
    expect(plannedSwitch.failure).toBe('the backup has not caught up; wait');
    // What the primary refused then says nothing of the next one.
    two.toA.sync.cut = false;
    const { replicator, journal } = two.a;
    journal.append('before the next one');
    await eventually(() => replicator.confirmations.confirmed === journal.position);
    two.a.draining = () => Promise.reject(new Error('no drain'));
    await two.b.replicator.switchRoles();
    await eventually(() => !plannedSwitch.underWay);
    expect(plannedSwitch.failure).toBe('no drain');
  });

  it('serves on where draining for a planned switch fails', async () => {
    const two = await start();
    await inSync(two);
    two.a.draining = () => Promise.reject(new Error('no drain'));
    await expect(two.a.replicator.switchRoles()).rejects.toThrow('no drain');
    expect([two.a.undrained, serves(two, 'a')]).toEqual([1, true]);
    expect(backupStats(two.a.replicator, 0)).toMatchObject({
      switching: false,
      switch_failure: 'no drain',
    });
  });

  it('a switch that was asked of the backup is known to be lost once that is not in sync', async () => {
    const two = await start({ a: { onPeerLoss: 'continue' }, b: { timeout: 60_000 } });
    await inSync(two);
    two.a.draining = () => new Promise(() => undefined);
    for (const relay of [two.toA.sync, two.toB.heartbeat]) {
      relay.cut = true;
      relay.kill();
    }
    await two.b.replicator.switchRoles();
    const { plannedSwitch } = two.b.replicator;
    expect([plannedSwitch.underWay, plannedSwitch.failure]).toEqual([true, '']);
    await eventually(() => two.a.replicator.machine.solo);
    two.toB.heartbeat.cut = false;
    await eventually(() => !plannedSwitch.underWay);
    expect(plannedSwitch.failure).toBe('this backup is not in sync any more');
  });

  it('serves on where the backup stops before everything is shipped', async () => {
    const two = await start({ a: { timeout: 60_000 }, b: { timeout: 60_000 } });
    await inSync(two);
    two.toA.sync.stall(true);
    two.a.journal.append('unshipped');
    const switched = two.a.replicator.switchRoles();
    const refused = expect(switched).rejects.toThrow('the backup has gone');
    await eventually(() => two.a.replicator.machine.handOver.begun);
    await two.b.stop();
    await refused;
    expect([two.a.undrained, serves(two, 'a')]).toEqual([1, true]);
  });

  it('a primary that stops says so: a standby that has everything takes over without a timeout', async () => {
    const two = await start({ a: { timeout: 600_000 }, b: { timeout: 600_000 } });
    await inSync(two);
    two.a.journal.append('kept');
    await same(two);
    await two.a.stop();
    await eventually(() => serves(two, 'b'));
    expect(two.b.changes.at(-1)).toMatchObject({ epoch: 2, jump: false, planned: true });
    expect(two.b.journal.texts).toContain('kept');
  });

  it('a primary that went solo while nothing happens has its standby in sync again', async () => {
    const two = await start({ a: { timeout: 3_000 }, b: { timeout: 3_000 } });
    await inSync(two);
    // Heartbeats arrive, so that the standby stays; their answers do not.
    two.toB.heartbeat.tamper = () => Buffer.alloc(0);
    await eventually(() => serves(two, 'a') && two.a.replicator.machine.solo);
    expect(two.b.replicator.machine.role).toBe('backup');
    two.toB.heartbeat.tamper = null;
    two.toB.heartbeat.kill();
    await eventually(() => two.a.replicator.machine.paired && serves(two, 'a'));
    await inSync(two);
  });

  it('both configured as primary: one becomes backup and says why', async () => {
    const two = await start({ b: { mode: 'primary' } });
    await inSync(two);
    expect(two.b.changes.at(-1)?.reason).toMatch(/the peer has epoch/);
  });

  it('sync mode: what waits passes when the standby has it, or is released', async () => {
    const sync = { mode: 'sync', timeout: 100 } as const;
    const two = await start({ a: { sync, timeout: 5_000 }, b: { timeout: 5_000 } });
    await inSync(two);
    const ask = () =>
      new Promise<GateVerdict>((resolve) => {
        two.a.journal.append('asked');
        two.a.replicator.confirmations.whenConfirmed(two.a.journal.position, resolve);
      });
    await eventually(() => !two.a.replicator.confirmations.degraded);
    two.toA.sync.stall(true);
    expect(await ask()).toBe('released');
    expect(two.a.replicator.confirmations.degraded).toBe(true);
    two.toA.sync.kill();
    await eventually(() => !two.a.replicator.confirmations.degraded);
    await same(two);
  });
});

describe('who may not', () => {
  const refusals = (two: NodePair, kind: string) =>
    two.a.metrics.replication.refused.of(kind).value;

  it.each([
    ['another secret', 'proof', { secret: 'other' }],
    ['another pair', 'cluster', { clusterId: 'other' }],
    ['another address, without a secret', 'address', { secret: null }],
  ] as const)('%s', async (_, kind, settings) => {
    const own = kind === 'address' ? { secret: null, peerHost: '192.0.2.1' } : {};
    const two = await start({ a: { ...own, timeout: 1_000 }, b: settings });
    await eventually(() => refusals(two, kind) > 0 && serves(two, 'a'));
    expect(two.b.journal.resets).toBe(0);
    // Whom this gateway dialled itself it believes, where nothing proves anything.
    if (kind !== 'address') expect(two.a.replicator.peer).toBeNull();
  });

  it('garbage on both ports is harmless', async () => {
    const two = await start();
    await inSync(two);
    for (const port of [two.a.ports.heartbeat, two.a.ports.sync]) {
      const socket = createConnection(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(Buffer.alloc(5000, 'garbage'));
      await new Promise<void>((resolve) => socket.once('close', () => resolve()).resume());
    }
    two.a.journal.append('still');
    await same(two);
    expect(serves(two, 'a')).toBe(true);
  });
});
