import { describe, expect, it } from '@jest/globals';
import { INTERVAL, Pair, TICK, TIMEOUT } from '../../support/replication-pair.js';
import type { PairNode, PairSettings } from '../../support/replication-pair.js';
import type { Word } from '../../../src/replication/standing.js';

/** A pair in which `a` serves and `b` is in sync. */
function settled(settings: PairSettings = {}): Pair {
  const pair = new Pair(settings);
  pair.run(5 * TIMEOUT);
  expect([pair.a.machine.role, pair.b.machine.role]).toEqual(['primary', 'backup']);
  expect([pair.a.serves, pair.b.machine.paired]).toEqual([true, true]);
  return pair;
}

const crash = (pair: Pair, name: 'a' | 'b') => (pair[name].up = false);

describe('starting', () => {
  it('settles: the one configured as primary serves, the other gets in sync', () => {
    const pair = settled();
    expect(pair.a.machine.epoch).toBe(1);
    expect(pair.b.machine.epoch).toBe(1);
    expect(pair.a.machine.solo).toBe(false);
    expect(pair.a.changes).toMatchObject([{ role: 'primary', epoch: 1, jump: false }]);
  });

  it('a primary says that its standby may take over only once that one has answered so', () => {
    const pair = new Pair();
    pair.exchange(pair.a);
    pair.exchange(pair.a);
    expect([pair.a.serves, pair.ship(pair.a)]).toEqual([true, true]);
    // This answer lets it clear solo; only the next heartbeat tells the standby.
    pair.exchange(pair.a);
    expect([pair.a.machine.solo, pair.b.machine.paired]).toEqual([false, false]);
    expect(pair.a.machine.paired).toBe(false);
    pair.exchange(pair.a);
    expect([pair.a.machine.paired, pair.b.machine.paired]).toEqual([true, true]);
  });

  it('is not paired while it is solo, though a backup that was in sync has caught up again', () => {
    const pair = settled();
    pair.cut = true;
    pair.run(2 * TIMEOUT);
    expect(pair.a.machine.solo).toBe(true);
    // Its answer to that is not here yet.
    pair.a.machine.onCaughtUp(pair.b.machine.boot);
    expect(pair.a.machine.paired).toBe(false);
    expect(() => pair.a.machine.fallSilent()).toThrow('no backup is in sync');
  });

  it('does not serve before the peer answered or the timeout is over', () => {
    const pair = new Pair();
    pair.cut = true;
    pair.run(TIMEOUT - TICK);
    expect(pair.a.serves).toBe(false);
    pair.run(2 * TICK);
    expect([pair.a.serves, pair.a.machine.solo]).toEqual([true, true]);
  });

  it('waits under step_down, until an operator says solo', () => {
    const pair = new Pair({ onPeerLoss: 'step_down' });
    pair.cut = true;
    pair.run(3 * TIMEOUT);
    expect(pair.a.machine.role).toBe('starting');
    pair.a.machine.goSolo();
    expect(pair.a.serves).toBe(true);
  });

  it('a former standby alone waits, or promotes under promote_stale', () => {
    for (const promoteStale of [false, true]) {
      const pair = new Pair({ promoteStale });
      crash(pair, 'a');
      pair.run(3 * TIMEOUT);
      expect(pair.b.serves).toBe(promoteStale);
    }
  });

  it('both configured as primary and apart: the lower epoch steps down when they meet', () => {
    const pair = new Pair({ modes: ['primary', 'primary'] });
    pair.cut = true;
    pair.run(2 * TIMEOUT);
    expect([pair.a.serves, pair.b.serves]).toEqual([true, true]);
    pair.cut = false;
    pair.run(3 * TIMEOUT);
    expect([pair.a.serves, pair.b.serves].filter(Boolean)).toHaveLength(1);
    const [loser] = [pair.a, pair.b].filter((node) => !node.serves);
    expect(loser?.changes.at(-1)?.reason).toMatch(/the peer has epoch/);
  });

  it('both configured as primary and together: the smaller server_id serves', () => {
    const pair = settled({ modes: ['primary', 'primary'] });
    expect(pair.b.machine.role).toBe('backup');
  });
});

describe('failover', () => {
  it('promotes after the timeout, with a jump, and the old primary returns as backup', () => {
    const pair = settled();
    pair.a.entries.push('x');
    pair.run(TIMEOUT);
    crash(pair, 'a');
    pair.run(TIMEOUT - 3_000);
    expect(pair.b.machine.role).toBe('backup');
    pair.run(4_000);
    expect(pair.b.serves).toBe(true);
    expect(pair.b.changes.at(-1)).toMatchObject({ role: 'primary', epoch: 2, jump: true });
    expect(pair.b.entries).toEqual(['x']);
    pair.a.boot();
    pair.run(3 * TIMEOUT);
    expect([pair.a.machine.role, pair.a.entries, pair.a.machine.paired]).toEqual([
      'backup',
      ['x'],
      true,
    ]);
  });

  it('does not jump where the primary refused whatever the standby had not confirmed', () => {
    const pair = settled({ refuses: true });
    crash(pair, 'a');
    pair.run(2 * TIMEOUT);
    expect(pair.b.changes.at(-1)).toMatchObject({ role: 'primary', jump: false, planned: false });
  });

  it('jumps under refuse too, where a restart is not known to be complete', () => {
    const pair = settled({ refuses: true });
    crash(pair, 'a');
    crash(pair, 'b');
    pair.b.boot();
    pair.run(2 * TIMEOUT);
    pair.b.machine.goSolo();
    expect(pair.b.changes.at(-1)).toMatchObject({ promoted: true, jump: true });
  });

  it('does not begin an epoch again whose journal a power cut took', () => {
    const pair = settled({ diskJournal: true });
    const { store } = pair.b;
    crash(pair, 'a');
    pair.run(2 * TIMEOUT);
    expect(pair.b.machine.epoch).toBe(2);
    crash(pair, 'b');
    // What the log still knows, as a gateway reads it (pair-role-store.ts).
    if (store.state !== null) store.state = { ...store.state, epoch: 1 };
    pair.b.boot();
    pair.run(2 * TIMEOUT);
    expect([pair.b.serves, pair.b.machine.epoch]).toEqual([true, 4]);
  });

  it.each(['continue', 'step_down'] as const)(
    'joins the primary that still runs where a crash took no more than the promotion, under %s',
    (onPeerLoss) => {
      const pair = settled({ diskJournal: true, onPeerLoss });
      crash(pair, 'a');
      pair.run(2 * TIMEOUT);
      pair.a.boot();
      pair.run(2 * TIMEOUT);
      pair.b.paused = true;
      pair.run(2 * TIMEOUT);
      expect([pair.a.serves, pair.a.machine.epoch]).toEqual([true, 3]);
      crash(pair, 'a');
      // The role file knows of it, the log does not, as a gateway reads both (pair-role-store.ts).
      const { store } = pair.a;
      if (store.state !== null) store.state = { ...store.state, epoch: 2 };
      pair.b.paused = false;
      pair.a.boot();
      pair.run(3 * TIMEOUT);
      expect([pair.a.machine.role, pair.a.machine.paired]).toEqual(['backup', true]);
      expect([pair.b.serves, pair.b.machine.epoch]).toEqual([true, 2]);
    },
  );

  it('a standby that was not told to be in sync does not promote', () => {
    const pair = new Pair();
    pair.exchange(pair.b);
    pair.exchange(pair.a);
    expect([pair.a.serves, pair.b.machine.role]).toEqual([true, 'backup']);
    crash(pair, 'a');
    pair.run(5 * TIMEOUT);
    expect(pair.b.machine.role).toBe('backup');
  });

  it('promotes at once when the primary comes back empty', () => {
    const pair = settled();
    pair.a.entries.push('x');
    pair.ship(pair.a);
    crash(pair, 'a');
    pair.a.boot();
    pair.exchange(pair.a);
    expect(pair.b.serves).toBe(true);
    expect(pair.b.entries).toEqual(['x']);
    expect(pair.a.machine.role).toBe('backup');
  });

  it('lets a primary go on that comes back with more than the standby has', () => {
    const pair = settled({ diskJournal: true });
    pair.a.entries.push('degraded');
    crash(pair, 'a');
    pair.a.boot();
    pair.exchange(pair.a);
    pair.exchange(pair.a);
    expect(pair.a.serves).toBe(true);
    expect([pair.a.machine.epoch, pair.b.machine.role]).toEqual([1, 'backup']);
  });

  it('the empty stream of a restarted primary does not erase the standby', () => {
    const pair = settled();
    pair.a.entries.push('x');
    pair.ship(pair.a);
    crash(pair, 'a');
    pair.b.paused = true;
    pair.a.boot();
    pair.run(2 * TIMEOUT);
    expect(pair.a.serves).toBe(true);
    pair.b.paused = false;
    expect(pair.ship(pair.a)).toBe(false);
    expect([pair.b.entries, pair.b.serves]).toEqual([['x'], true]);
    pair.exchange(pair.b);
    expect(pair.a.machine.role).toBe('backup');
  });
});

describe('a primary that comes back as another process', () => {
  it('serves on where the standby is not in sync, though that one has as much', () => {
    const pair = settled({ diskJournal: true });
    crash(pair, 'b');
    pair.b.boot();
    pair.exchange(pair.a);
    crash(pair, 'a');
    pair.a.boot();
    pair.b.paused = true;
    pair.run(2 * TIMEOUT);
    expect([pair.a.serves, pair.b.machine.paired]).toEqual([true, false]);
    pair.b.paused = false;
    pair.exchange(pair.a);
    expect([pair.a.serves, pair.b.machine.role]).toEqual([true, 'backup']);
  });

  it('makes way for the standby where it came back with nothing, however much it accepted since', () => {
    const pair = settled();
    pair.a.append('one');
    pair.ship(pair.a);
    crash(pair, 'a');
    pair.b.paused = true;
    pair.a.boot();
    pair.run(2 * TIMEOUT);
    for (const content of ['two', 'three']) pair.a.append(content);
    pair.b.paused = false;
    pair.exchange(pair.a);
    expect([pair.a.machine.role, pair.b.serves]).toEqual(['backup', true]);
    expect(pair.b.entries).toEqual(['1: one']);
  });
});

/** Steps that fail are told and tried again, as in a gateway. @param ships whether a stream begins each time. */
function struggle(pair: Pair, ms: number, ships = true): void {
  const attempt = (step: () => unknown) => {
    try {
      step();
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching(/^ROLE_UN(WRITABLE|SYNCED)$/) });
    }
  };
  for (let passed = 0; passed < ms; passed += TICK) {
    pair.clock.advance(TICK);
    for (const node of [pair.a, pair.b]) {
      attempt(() => node.runs && node.machine.tick());
      if (pair.clock.now() % INTERVAL === 0) attempt(() => pair.exchange(node));
      if (pair.clock.now() % INTERVAL === 0) attempt(() => ships && pair.ship(node));
    }
  }
}

/** A graceful stop, of which the other one hears where it can. */
function stopped(pair: Pair, node: PairNode): void {
  node.machine.leave();
  pair.deliver(pair.other(node), node.machine.nextWord());
  node.up = false;
}

describe('a role file that was written though the write failed', () => {
  it('of a primary: a start does not serve beside the backup that was in sync since', () => {
    const pair = settled({ onPeerLoss: 'step_down', diskJournal: true });
    crash(pair, 'b');
    pair.b.replace();
    pair.a.store.broken = 'ROLE_UNSYNCED';
    struggle(pair, 2 * TIMEOUT);
    pair.a.store.broken = null;
    pair.run(2 * TIMEOUT);
    expect([pair.a.serves, pair.b.machine.paired]).toEqual([true, true]);
    pair.cut = true;
    crash(pair, 'a');
    pair.run(2 * TIMEOUT);
    pair.a.boot();
    pair.run(2 * TIMEOUT);
    expect([pair.a.serves, pair.b.serves]).toEqual([false, true]);
  });

  it('of a primary: its backup is told nothing before the disk is whole again', () => {
    const pair = settled({ onPeerLoss: 'step_down', diskJournal: true });
    crash(pair, 'b');
    pair.b.replace();
    pair.a.store.broken = 'ROLE_UNSYNCED';
    struggle(pair, 2 * TIMEOUT);
    expect([pair.b.entries, pair.b.machine.paired]).toEqual([pair.a.entries, false]);
    pair.a.store.broken = null;
    pair.run(2 * TIMEOUT);
    expect(pair.b.machine.paired).toBe(true);
  });

  it.each([true, false])(
    'of a backup: a start does not serve beside its primary, the disk whole again before: %s',
    (whole) => {
      const pair = settled({ onPeerLoss: 'step_down', diskJournal: true });
      pair.b.store.broken = 'ROLE_UNSYNCED';
      pair.cut = true;
      struggle(pair, 2 * TIMEOUT);
      pair.cut = false;
      struggle(pair, INTERVAL, false);
      if (whole) pair.b.store.broken = null;
      struggle(pair, TIMEOUT, false);
      stopped(pair, pair.b);
      pair.cut = true;
      pair.b.store.broken = null;
      pair.b.boot();
      pair.run(2 * TIMEOUT);
      expect(pair.a.serves && pair.b.serves).toBe(false);
    },
  );
});

describe('the place of the peer', () => {
  it.each([
    ['step_down', 'b'],
    ['continue', ''],
  ] as const)(
    'is nobody else’s after a restart either where it may have taken over, under %s',
    (onPeerLoss, held) => {
      const pair = settled({ onPeerLoss, diskJournal: true });
      pair.cut = true;
      crash(pair, 'a');
      pair.run(2 * TIMEOUT);
      expect(pair.b.serves).toBe(true);
      pair.a.boot();
      expect(pair.a.machine.heldPeer).toBe('b');
      pair.run(2 * TIMEOUT);
      expect([pair.a.machine.heldPeer, pair.b.machine.heldPeer]).toEqual([held, '']);
      if (!pair.a.serves) pair.a.machine.goSolo();
      expect(pair.a.machine.heldPeer).toBe(held);
      pair.run(2 * TIMEOUT);
      expect(pair.a.machine.heldPeer).toBe('');
    },
  );
});

describe('another gateway in the place of the peer', () => {
  /** What `b` says, as a process of another gateway whose boot ids are lower. */
  const ofAnother = (word: Word): Word => ({ ...word, serverId: 'c', boot: word.boot - 1 });

  it.each(['a heartbeat', 'an answer', 'a stream'])(
    'is known by %s: its boot ids count anew',
    (by) => {
      const pair = settled();
      crash(pair, 'b');
      pair.run(2 * TIMEOUT);
      const { a, b } = pair;
      const former = a.machine.peerBoot;
      const word = ofAnother(b.machine.nextWord());
      const asked = a.machine.nextWord();
      if (by === 'a heartbeat') expect(a.machine.onHeartbeat(word)).not.toBeNull();
      else if (by === 'an answer') a.machine.onAnswer(asked.sequence, word);
      else a.machine.onStreamOpened({ ...word, role: 'primary' });
      expect([a.machine.peerBoot, a.store.state?.peer]).toEqual([former - 1, 'c']);
    },
  );
});

describe('a backup that cannot write its role', () => {
  it.each(['continue', 'step_down'] as const)(
    'lets the primary serve that comes back, under %s',
    (onPeerLoss) => {
      const pair = settled({ diskJournal: true, onPeerLoss });
      pair.a.append('one');
      pair.ship(pair.a);
      crash(pair, 'a');
      pair.b.store.broken = 'ROLE_UNWRITABLE';
      struggle(pair, 2 * TIMEOUT);
      pair.a.boot();
      struggle(pair, 2 * TIMEOUT);
      expect([pair.a.serves, pair.b.machine.role]).toEqual([true, 'backup']);
      expect(pair.a.changes.at(-1)).toMatchObject({ role: 'primary', epoch: 1, jump: false });
      pair.b.store.broken = null;
      pair.run(2 * TIMEOUT);
      expect([pair.a.serves, pair.b.machine.paired]).toEqual([true, true]);
    },
  );

  it('leads later where the primary comes back with less', () => {
    const pair = settled();
    pair.a.append('one');
    pair.ship(pair.a);
    crash(pair, 'a');
    pair.b.store.broken = 'ROLE_UNWRITABLE';
    pair.a.boot();
    struggle(pair, 2 * TIMEOUT);
    expect([pair.a.serves, pair.b.serves]).toEqual([false, false]);
    pair.b.store.broken = null;
    pair.run(2 * TIMEOUT);
    expect([pair.a.machine.role, pair.b.serves]).toEqual(['backup', true]);
  });
});

describe('push numbers', () => {
  const jumps = (node: Pair['a']) => node.changes.map(({ epoch, jump }) => [epoch, jump]);

  it.each(['continue', 'step_down'] as const)(
    'jump where an offer to take over had no answer, for it may have been taken: %s',
    (onPeerLoss) => {
      const pair = settled({ onPeerLoss });
      pair.a.machine.fallSilent();
      pair.a.machine.handOver.offer();
      pair.deliver(pair.b, pair.a.machine.nextWord());
      expect(pair.b.changes.at(-1)).toMatchObject({ epoch: 2, planned: true, jump: false });
      pair.cut = true;
      pair.run(2 * TIMEOUT);
      if (onPeerLoss === 'step_down') pair.a.machine.goSolo();
      expect([pair.a.serves, pair.a.changes.at(-1)]).toEqual([
        true,
        expect.objectContaining({ role: 'primary', epoch: 1, promoted: false, jump: true }),
      ]);
    },
  );

  it('jump where the backup that was offered to is another process since', () => {
    const pair = settled({ diskJournal: true });
    pair.a.machine.fallSilent();
    pair.a.machine.handOver.offer();
    crash(pair, 'b');
    pair.b.boot();
    pair.exchange(pair.a);
    expect([pair.a.serves, pair.a.changes.at(-1)?.jump]).toEqual([true, true]);
  });

  it('are given to what was late once the backup declines; where they jump it is forgotten', () => {
    const late = (pair: Pair) => {
      pair.a.machine.fallSilent();
      pair.a.machine.handOver.offer();
      pair.a.appendLate('late');
      expect(pair.a.entries).not.toContain('1: late');
    };
    const declined = settled();
    late(declined);
    declined.exchange(declined.a);
    expect([declined.a.serves, declined.a.entries.at(-1)]).toEqual([true, '1: late']);
    const silent = settled();
    late(silent);
    silent.cut = true;
    silent.run(2 * TIMEOUT);
    expect([silent.a.serves, silent.a.nextNumber]).toEqual([true, 2 ** 32]);
  });

  it('do not jump where the backup that was offered to declines, or says goodbye', () => {
    for (const ends of [
      (pair: Pair) => void pair.a.entries.push('late'),
      (pair: Pair) => stop(pair, 'b'),
    ]) {
      const pair = settled();
      pair.a.machine.fallSilent();
      pair.a.machine.handOver.offer();
      ends(pair);
      pair.exchange(pair.a);
      expect([pair.a.serves, jumps(pair.a)]).toEqual([true, [[1, false]]]);
    }
  });

  it.each([
    ['jump where its history is lost', false],
    ['do not where it is on disk', true],
  ])('after a restart of one that served alone, and that nobody answers, %s', (_, diskJournal) => {
    const pair = new Pair({ diskJournal });
    crash(pair, 'b');
    pair.run(2 * TIMEOUT);
    pair.a.append('one');
    crash(pair, 'a');
    pair.a.boot();
    pair.run(2 * TIMEOUT);
    expect([pair.a.serves, pair.a.machine.epoch]).toEqual([true, 1]);
    expect(pair.a.changes.at(-1)).toMatchObject({ role: 'primary', jump: !diskJournal });
  });

  it('jump after a restart that nobody answers, where a backup was in sync', () => {
    const pair = settled({ diskJournal: true, refuses: true });
    crash(pair, 'a');
    pair.run(2 * TIMEOUT);
    expect(pair.b.changes.at(-1)).toMatchObject({ epoch: 2, jump: false });
    crash(pair, 'b');
    pair.a.boot();
    pair.run(2 * TIMEOUT);
    expect([pair.a.serves, pair.a.changes.at(-1)]).toEqual([
      true,
      expect.objectContaining({ epoch: 1, jump: true }),
    ]);
  });

  it('do not jump after a restart of both, whose histories are complete', () => {
    const pair = settled({ diskJournal: true });
    crash(pair, 'a');
    crash(pair, 'b');
    pair.b.boot();
    pair.a.boot();
    pair.run(2 * TIMEOUT);
    expect([pair.a.serves, pair.a.machine.epoch, pair.a.changes.at(-1)?.jump]).toEqual([
      true,
      1,
      false,
    ]);
  });

  it.each(['a', 'b'] as const)('jump where only %s refuses what is not confirmed', (name) => {
    const pair = new Pair({ refusing: name });
    pair.run(5 * TIMEOUT);
    expect(pair.b.machine.paired).toBe(true);
    crash(pair, 'a');
    pair.run(2 * TIMEOUT);
    expect(pair.b.changes.at(-1)).toMatchObject({ epoch: 2, jump: true });
  });

  it('jump under refuse too where an operator, or promote_stale, promotes one that is not in sync', () => {
    for (const promoteStale of [false, true]) {
      const pair = settled({ diskJournal: true, refuses: true, promoteStale });
      crash(pair, 'a');
      crash(pair, 'b');
      pair.b.boot();
      pair.run(2 * TIMEOUT);
      if (!promoteStale) pair.b.machine.goSolo();
      expect(pair.b.changes.at(-1)).toMatchObject({ promoted: true, epoch: 2, jump: true });
    }
  });

  it('jump under refuse too where the backup was in sync once, and is no more', () => {
    const pair = settled({ diskJournal: true, refuses: true });
    pair.deliver(pair.b, { ...pair.a.machine.nextWord(), inSyncBoot: 0 });
    crash(pair, 'a');
    pair.run(2 * TIMEOUT);
    pair.b.machine.goSolo();
    expect(pair.b.changes.at(-1)).toMatchObject({ promoted: true, epoch: 2, jump: true });
  });
});

describe('a backup that comes back with another disk', () => {
  /** Heartbeats only: the sync port is blocked. */
  function beat(pair: Pair, ms: number): void {
    for (let passed = 0; passed < ms; passed += TICK) {
      pair.clock.advance(TICK);
      for (const node of [pair.a, pair.b]) if (node.runs) node.machine.tick();
      if (Math.round(pair.clock.now()) % INTERVAL !== 0) continue;
      for (const node of [pair.a, pair.b]) pair.exchange(node);
    }
  }

  it.each(['continue', 'step_down'] as const)(
    'does not silence its primary where no snapshot gets through, under %s too',
    (onPeerLoss) => {
      const pair = settled({ onPeerLoss, diskJournal: true });
      crash(pair, 'b');
      pair.clock.advance(1_000);
      pair.b.replace();
      beat(pair, INTERVAL);
      expect([pair.b.machine.role, pair.b.machine.epoch]).toEqual(['backup', 0]);
      expect([pair.a.serves, pair.a.machine.solo, pair.a.machine.epoch]).toEqual([true, true, 1]);
      beat(pair, 10 * TIMEOUT);
      expect(pair.a.serves).toBe(true);
      // It was never told, so that it must not take over.
      crash(pair, 'a');
      beat(pair, 3 * TIMEOUT);
      expect(pair.b.machine.role).toBe('backup');
    },
  );

  it('is in sync again once it has a snapshot', () => {
    const pair = settled({ onPeerLoss: 'step_down', diskJournal: true });
    pair.a.entries.push('x');
    crash(pair, 'b');
    pair.b.replace();
    pair.run(2 * TIMEOUT);
    expect([pair.a.machine.solo, pair.b.machine.paired, pair.b.entries]).toEqual([
      false,
      true,
      ['x'],
    ]);
  });

  it('that was told again before its old answer arrives leaves the primary under its lease', () => {
    const pair = settled({ onPeerLoss: 'step_down', diskJournal: true });
    crash(pair, 'b');
    pair.b.replace();
    pair.exchange(pair.b);
    const asked = pair.a.machine.nextWord();
    const old = pair.deliver(pair.b, asked);
    expect(old).toMatchObject({ role: 'backup', epoch: 0, inSync: false });
    pair.ship(pair.a);
    pair.deliver(pair.b, pair.a.machine.nextWord());
    expect(pair.b.machine.paired).toBe(true);
    if (old !== null) pair.a.machine.onAnswer(asked.sequence, old);
    expect(pair.a.machine.solo).toBe(false);
  });
});

/** The node's process ends gracefully; its goodbye arrives. */
function stop(pair: Pair, name: 'a' | 'b'): void {
  const node = pair[name];
  node.machine.leave();
  const word = node.machine.nextWord();
  pair.deliver(pair.other(node), word);
  node.up = false;
}

it('no other gateway may be the peer of a primary whose silent backup may have taken over', () => {
  const pair = settled({ onPeerLoss: 'step_down' });
  crash(pair, 'b');
  pair.run(3 * TIMEOUT);
  expect([pair.a.serves, pair.a.machine.heldPeer]).toEqual([false, 'b']);
  pair.a.machine.goSolo();
  pair.run(2 * TIMEOUT);
  expect([pair.a.serves, pair.a.machine.heldPeer]).toEqual([true, '']);
});

describe('a graceful stop', () => {
  it.each(['continue', 'step_down'] as const)(
    'of the backup: the primary goes on alone at once, under %s too',
    (onPeerLoss) => {
      const pair = settled({ onPeerLoss });
      stop(pair, 'b');
      expect([pair.a.serves, pair.a.machine.solo, pair.a.machine.paired]).toEqual([
        true,
        true,
        false,
      ]);
      expect(pair.a.alone).toEqual(['the backup has stopped']);
      pair.run(5 * TIMEOUT);
      expect(pair.a.serves).toBe(true);
      pair.b.boot();
      pair.run(2 * TIMEOUT);
      expect([pair.a.machine.epoch, pair.a.machine.solo, pair.b.machine.paired]).toEqual([
        1,
        false,
        true,
      ]);
    },
  );

  it('of the backup: what its stream confirms meanwhile does not make it in sync again', () => {
    const pair = settled();
    pair.b.machine.leave();
    pair.exchange(pair.a);
    pair.ship(pair.a);
    pair.exchange(pair.a);
    expect([pair.a.machine.solo, pair.b.machine.paired]).toEqual([true, false]);
    pair.a.paused = true;
    pair.run(3 * TIMEOUT);
    expect(pair.b.machine.role).toBe('backup');
  });

  it('of the primary: it serves no more, and is not taken for stranded', () => {
    const pair = settled();
    pair.a.machine.leave();
    expect(pair.a.machine.accepting).toBe(false);
    pair.cut = true;
    pair.run(2 * TIMEOUT);
    expect([pair.a.machine.accepting, pair.a.machine.isStranded]).toEqual([false, false]);
  });

  it('of the backup: it does not promote though its primary comes back with nothing', () => {
    const pair = settled();
    pair.a.append('one');
    pair.ship(pair.a);
    pair.b.machine.leave();
    crash(pair, 'a');
    pair.a.boot();
    pair.exchange(pair.a);
    expect(pair.b.machine.role).toBe('backup');
  });

  it('of the primary: a backup that has everything takes over at once, and no number jumps', () => {
    const pair = settled();
    stop(pair, 'a');
    expect([pair.b.serves, pair.b.machine.epoch]).toEqual([true, 2]);
    expect(pair.b.changes.at(-1)).toMatchObject({ planned: true, jump: false });
  });

  it('of the primary: a backup that lacks something waits for the timeout, for it may yet come', () => {
    const pair = settled();
    pair.a.entries.push('unshipped');
    stop(pair, 'a');
    expect(pair.b.machine.role).toBe('backup');
    pair.run(2 * TIMEOUT);
    expect(pair.b.serves).toBe(true);
  });

  it('of the backup that was offered to take over: the primary serves on', () => {
    const pair = settled();
    pair.a.machine.fallSilent();
    pair.a.machine.handOver.offer();
    stop(pair, 'b');
    expect(pair.a.serves).toBe(true);
  });

  it('a goodbye that is older than what was heard changes nothing', () => {
    const pair = settled();
    const former = pair.b.machine;
    pair.b.boot();
    pair.exchange(pair.b);
    former.leave();
    expect(pair.deliver(pair.a, former.nextWord())).toBeNull();
    pair.run(2 * TIMEOUT);
    expect([pair.a.machine.solo, pair.b.machine.paired]).toEqual([false, true]);
  });
});

describe('a gateway is stranded', () => {
  it('where it does not serve and hears nobody that might', () => {
    const pair = settled({ onPeerLoss: 'step_down' });
    expect([pair.a.machine.isStranded, pair.b.machine.isStranded]).toEqual([false, false]);
    crash(pair, 'b');
    pair.run(2 * TIMEOUT);
    expect(pair.a.machine.isStranded).toBe(true);
    pair.a.machine.goSolo();
    expect(pair.a.machine.isStranded).toBe(false);
  });
});

describe('solo, said by an operator', () => {
  it('is not for one that serves, nor while the peer is heard', () => {
    const pair = settled({ onPeerLoss: 'step_down' });
    expect(() => pair.a.machine.goSolo()).toThrow('serves already');
    expect(() => pair.b.machine.goSolo()).toThrow('the peer was heard just now');
  });

  it('lets a primary that stepped down serve again, in its epoch', () => {
    const pair = settled({ onPeerLoss: 'step_down' });
    crash(pair, 'b');
    pair.run(2 * TIMEOUT);
    expect(pair.a.serves).toBe(false);
    pair.a.machine.goSolo();
    expect([pair.a.serves, pair.a.machine.epoch]).toEqual([true, 1]);
    expect(pair.a.alone).toEqual(['an operator said solo']);
  });

  it('promotes a former standby that was never told to be in sync, with a jump', () => {
    const pair = settled();
    crash(pair, 'a');
    crash(pair, 'b');
    pair.b.boot();
    pair.run(2 * TIMEOUT);
    expect(pair.b.serves).toBe(false);
    pair.b.machine.goSolo();
    expect([pair.b.serves, pair.b.machine.epoch]).toEqual([true, 2]);
    expect(pair.b.changes.at(-1)).toMatchObject({ jump: true, reason: 'an operator said solo' });
  });

  it('does not outrank a higher epoch', () => {
    const pair = settled({ onPeerLoss: 'step_down' });
    pair.cut = true;
    pair.run(3 * TIMEOUT);
    pair.a.machine.goSolo();
    expect([pair.a.serves, pair.b.machine.epoch]).toEqual([true, 2]);
    pair.cut = false;
    pair.run(2 * TIMEOUT);
    expect([pair.a.machine.role, pair.b.serves]).toEqual(['backup', true]);
  });
});

describe('an epoch that a client saw', () => {
  it('deposes a primary of a lower one, and of no other', () => {
    const pair = settled();
    pair.a.machine.onSeenEpoch(1);
    expect(pair.a.serves).toBe(true);
    pair.a.machine.onSeenEpoch(2);
    expect([pair.a.serves, pair.a.machine.role, pair.a.store.state?.role]).toEqual([
      false,
      'backup',
      'backup',
    ]);
    expect(pair.a.changes.at(-1)?.reason).toBe('a client was served in epoch 2, this one is 1');
  });

  it('leaves a backup what it is, in sync', () => {
    const pair = settled();
    const { length } = pair.b.changes;
    pair.b.machine.onSeenEpoch(2);
    expect([pair.b.changes.length, pair.b.machine.paired]).toEqual([length, true]);
  });

  it('a deposed one waits where nobody else is there, until an operator says solo', () => {
    const pair = new Pair();
    pair.cut = true;
    pair.run(2 * TIMEOUT);
    expect(pair.a.serves).toBe(true);
    pair.a.machine.onSeenEpoch(4);
    pair.run(5 * TIMEOUT);
    expect(pair.a.machine.role).toBe('backup');
    pair.a.machine.goSolo();
    // Above what clients saw: they would depose it again.
    expect([pair.a.serves, pair.a.machine.epoch]).toEqual([true, 5]);
  });

  it('is not forgotten with the process', () => {
    const pair = settled({ diskJournal: true });
    pair.a.machine.onSeenEpoch(4);
    crash(pair, 'a');
    crash(pair, 'b');
    pair.a.boot();
    pair.run(2 * TIMEOUT);
    pair.a.machine.goSolo();
    expect([pair.a.serves, pair.a.machine.epoch]).toEqual([true, 5]);
  });

  it('a pair whose disks were both lost goes on above what its clients saw', () => {
    const pair = settled();
    pair.a.machine.onSeenEpoch(7);
    pair.run(4 * TIMEOUT);
    const serving = [pair.a, pair.b].filter((node) => node.serves);
    expect(serving).toHaveLength(1);
    serving[0]?.machine.onSeenEpoch(7);
    pair.run(4 * TIMEOUT);
    const [served] = [pair.a, pair.b].filter((node) => node.serves);
    expect(served?.machine.epoch).toBeGreaterThan(7);
  });
});

describe('the lease', () => {
  it('is over before a backup promotes that is configured to wait less long', () => {
    const pair = settled({ onPeerLoss: 'step_down', timeoutOfB: 0.5 * TIMEOUT });
    pair.run(INTERVAL - TICK);
    expect(pair.a.serves).toBe(true);
    pair.cut = true;
    for (let waited = 0; waited < 2 * TIMEOUT; waited += TICK) {
      pair.run(TICK);
      expect([waited, pair.a.serves && pair.b.serves]).toEqual([waited, false]);
    }
    expect(pair.b.serves).toBe(true);
  });

  it('shrinks as soon as such a backup is heard, before it can be told anything', () => {
    const pair = settled({ timeoutOfB: TIMEOUT });
    pair.exchange(pair.a);
    pair.clock.advance(TICK);
    expect(pair.a.serves).toBe(true);
    const word = { ...pair.b.machine.nextWord(), timeout: INTERVAL };
    pair.a.machine.onHeartbeat(word);
    pair.clock.advance(0.7 * INTERVAL - TICK);
    expect(pair.a.serves).toBe(true);
    pair.clock.advance(TICK);
    expect(pair.a.serves).toBe(false);
  });

  it.each([{ role: 'starting' }, { epoch: 0 }, { leaving: true }] as const)(
    'is not renewed by an answer that says %j',
    (told) => {
      const { a, b, clock } = settled({ onPeerLoss: 'step_down' });
      clock.advance(0.5 * TIMEOUT);
      const asked = a.machine.nextWord();
      const answer = b.machine.onHeartbeat(asked);
      const solo = 'leaving' in told;
      if (answer !== null) a.machine.onAnswer(asked.sequence, { ...answer, ...told });
      clock.advance(0.5 * TIMEOUT);
      // A backup that leaves will not promote: then no lease is needed.
      expect([a.machine.solo, a.serves]).toEqual([solo, solo]);
    },
  );

  it('lapses 0.7 timeouts after the last answered heartbeat was sent', () => {
    const pair = settled({ onPeerLoss: 'step_down' });
    pair.exchange(pair.a);
    pair.cut = true;
    pair.clock.advance(0.7 * TIMEOUT - 1);
    expect(pair.a.serves).toBe(true);
    pair.clock.advance(1);
    expect(pair.a.serves).toBe(false);
  });

  it('runs from the sending, not from the answer', () => {
    const pair = settled({ onPeerLoss: 'step_down' });
    const word = pair.a.machine.nextWord();
    const answer = pair.deliver(pair.b, word);
    pair.clock.advance(0.7 * TIMEOUT);
    if (answer !== null) pair.a.machine.onAnswer(word.sequence, answer);
    expect(pair.a.serves).toBe(false);
  });

  it('step_down: a cut wire leaves one serving, and the old one joins when it heals', () => {
    const pair = settled({ onPeerLoss: 'step_down' });
    pair.cut = true;
    pair.run(5 * TIMEOUT);
    expect([pair.a.serves, pair.b.serves]).toEqual([false, true]);
    pair.cut = false;
    pair.run(2 * TIMEOUT);
    expect([pair.a.machine.role, pair.b.serves]).toEqual(['backup', true]);
  });

  it('step_down: a dead standby stops the service until it is back', () => {
    const pair = settled({ onPeerLoss: 'step_down' });
    crash(pair, 'b');
    pair.run(5 * TIMEOUT);
    expect(pair.a.serves).toBe(false);
    pair.b.boot();
    pair.run(2 * TIMEOUT);
    expect(pair.a.serves).toBe(true);
  });

  it('continue: both serve during a cut, the higher epoch wins when it heals', () => {
    const pair = settled();
    pair.cut = true;
    pair.run(3 * TIMEOUT);
    expect([pair.a.serves, pair.b.serves]).toEqual([true, true]);
    pair.cut = false;
    pair.run(2 * TIMEOUT);
    expect([pair.a.machine.role, pair.b.serves]).toEqual(['backup', true]);
  });

  it('a standby that was paused does not take its own pause for a dead primary', () => {
    const pair = settled();
    pair.b.paused = true;
    pair.clock.advance(2 * TIMEOUT);
    pair.b.paused = false;
    pair.b.machine.tick();
    expect(pair.b.machine.role).toBe('backup');
  });

  it('a primary that was paused is silent at once, and joins whoever was promoted', () => {
    const pair = settled();
    pair.a.paused = true;
    pair.run(2 * TIMEOUT);
    expect(pair.b.serves).toBe(true);
    pair.a.paused = false;
    expect(pair.a.serves).toBe(false);
    pair.run(TIMEOUT);
    expect([pair.a.machine.role, pair.b.serves]).toEqual(['backup', true]);
  });
});

describe('a planned switch', () => {
  it('hands over without a jump, and never are both serving', () => {
    const pair = settled();
    pair.a.machine.fallSilent();
    expect(pair.a.serves).toBe(false);
    pair.a.machine.handOver.offer();
    pair.exchange(pair.a);
    expect([pair.a.machine.role, pair.b.serves]).toEqual(['backup', true]);
    expect(pair.b.changes.at(-1)).toMatchObject({ epoch: 2, jump: false, planned: true });
  });

  it('serves on where the backup cannot take over', () => {
    const pair = settled();
    pair.a.machine.fallSilent();
    crash(pair, 'b');
    pair.b.boot();
    pair.a.machine.handOver.offer();
    pair.exchange(pair.a);
    expect([pair.a.machine.role, pair.a.serves, pair.b.machine.role]).toEqual([
      'primary',
      true,
      'backup',
    ]);
  });

  it('without an answer stays silent until the backup is taken for dead', () => {
    const pair = settled();
    pair.a.machine.fallSilent();
    pair.exchange(pair.a);
    pair.a.machine.handOver.offer();
    pair.cut = true;
    pair.run(TIMEOUT - TICK);
    expect(pair.a.serves).toBe(false);
    pair.run(2 * TICK);
    expect(pair.a.serves).toBe(true);
  });

  it('is asked of the backup, which asks the primary', () => {
    const pair = settled();
    pair.b.machine.askToTakeOver();
    pair.exchange(pair.a);
    expect(pair.a.takeOverAsked).toBe(1);
  });

  it('is asked in a few answers, not for ever', () => {
    const pair = settled();
    pair.b.machine.askToTakeOver();
    for (let times = 0; times < 10; times++) pair.exchange(pair.a);
    expect(pair.a.takeOverAsked).toBe(3);
    pair.b.machine.askToTakeOver();
    pair.exchange(pair.a);
    expect(pair.a.takeOverAsked).toBe(4);
  });

  it('is not asked any more once the backup was not in sync', () => {
    const pair = settled();
    pair.b.machine.askToTakeOver();
    const word = { ...pair.a.machine.nextWord(), inSyncBoot: 0 };
    expect(pair.deliver(pair.b, word)?.takeOver).toBe(false);
    pair.exchange(pair.a);
    expect([pair.b.machine.paired, pair.a.takeOverAsked]).toEqual([true, 0]);
  });

  it('is not asked any more once the primary refused', () => {
    const pair = settled();
    pair.b.machine.askToTakeOver();
    pair.b.machine.askNoMore();
    pair.exchange(pair.a);
    expect(pair.a.takeOverAsked).toBe(0);
  });

  it('is not ended by the answer to an offer that a later one has overtaken', () => {
    const pair = settled({ onPeerLoss: 'step_down' });
    pair.a.machine.fallSilent();
    pair.a.machine.handOver.offer();
    const first = pair.a.machine.nextWord();
    // Of an upstream that answered late: at the backup before the offer is.
    for (const node of [pair.a, pair.b]) node.entries.push('late');
    const declined = pair.deliver(pair.b, first);
    const second = pair.a.machine.nextWord();
    if (declined !== null) pair.a.machine.onAnswer(first.sequence, declined);
    expect([pair.a.serves, pair.b.machine.role]).toEqual([false, 'backup']);
    const taken = pair.deliver(pair.b, second);
    expect([pair.a.serves, pair.b.serves]).toEqual([false, true]);
    if (taken !== null) pair.a.machine.onAnswer(second.sequence, taken);
    expect(pair.a.machine.role).toBe('backup');
  });

  it('that the backup declines is ended by its answer to the last offer', () => {
    const pair = settled();
    pair.a.machine.fallSilent();
    pair.a.machine.handOver.offer();
    pair.a.entries.push('late');
    const words = [pair.a.machine.nextWord(), pair.a.machine.nextWord()];
    const answers = words.map((word) => pair.deliver(pair.b, word));
    const served = words.map(({ sequence }, at) => {
      const answer = answers[at] ?? null;
      if (answer !== null) pair.a.machine.onAnswer(sequence, answer);
      return pair.a.serves;
    });
    expect(served).toEqual([false, true]);
  });

  it('needs a backup in sync, and a primary that serves', () => {
    const pair = new Pair();
    expect(() => pair.a.machine.fallSilent()).toThrow('does not serve');
    pair.cut = true;
    pair.run(2 * TIMEOUT);
    expect(() => pair.a.machine.fallSilent()).toThrow('no backup is in sync');
    expect(() => pair.a.machine.askToTakeOver()).toThrow('no backup');
  });
});

describe('what is old', () => {
  it('a word of a former process, or one that was overtaken, changes nothing', () => {
    const pair = settled();
    const old = pair.a.machine.nextWord();
    const young = pair.a.machine.nextWord();
    expect(pair.b.machine.onHeartbeat(young)).not.toBeNull();
    expect(pair.b.machine.onHeartbeat(old)).toBeNull();
    expect(
      pair.b.machine.onHeartbeat({ ...young, boot: young.boot - 1, sequence: 1e6 }),
    ).toBeNull();
    expect(pair.b.machine.role).toBe('backup');
  });

  it('a backup is in sync by a word of the epoch of its history, and of no other', () => {
    const { a, b } = settled();
    const word = a.machine.nextWord();
    b.machine.onHeartbeat({ ...word, epoch: word.epoch + 2 });
    expect([b.machine.role, b.machine.paired]).toEqual(['backup', false]);
    b.machine.onHeartbeat(a.machine.nextWord());
    expect(b.machine.paired).toBe(true);
  });

  it('a stream of a former process of the primary is not followed', () => {
    const pair = settled();
    const now = pair.a.machine.standing;
    expect(pair.b.machine.peerBoot).toBe(now.boot);
    expect(pair.b.machine.onStreamOpened({ ...now, boot: now.boot - 1 })).toBe(false);
    expect(pair.b.machine.onStreamOpened(now)).toBe(true);
    expect(pair.b.machine.mayTake(now.boot - 1, now.epoch, now.position)).toBe(false);
  });

  it('a stream of a former process, or of one that is no primary, changes no role', () => {
    const pair = settled();
    const ahead = { ...pair.b.machine.standing, epoch: 9 };
    expect(pair.a.machine.onStreamOpened({ ...ahead, role: 'primary', boot: ahead.boot - 1 })).toBe(
      false,
    );
    expect(pair.a.machine.onStreamOpened(ahead)).toBe(false);
    expect(pair.a.machine.role).toBe('primary');
    const { standing } = pair.a.machine;
    expect(pair.b.machine.onStreamOpened({ ...standing, role: 'backup' })).toBe(false);
  });

  it('a role that cannot be stored is not taken, but stepping aside is', () => {
    const pair = settled();
    crash(pair, 'a');
    pair.b.store.broken = 'ROLE_UNWRITABLE';
    expect(() => pair.run(2 * TIMEOUT)).toThrow('disk full');
    expect(pair.b.serves).toBe(false);
    pair.b.store.broken = null;
    pair.run(TIMEOUT);
    expect(pair.b.serves).toBe(true);
    pair.a.boot();
    pair.a.store.broken = 'ROLE_UNWRITABLE';
    pair.exchange(pair.a);
    expect(pair.a.machine.role).toBe('backup');
  });

  it('an operator cannot make a backup solo while its primary is alive', () => {
    const pair = settled();
    expect(() => pair.b.machine.goSolo()).toThrow('the peer was heard just now');
  });
});
