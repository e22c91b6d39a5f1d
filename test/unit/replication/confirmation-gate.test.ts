import { describe, expect, it } from '@jest/globals';
import { ConfirmationGate } from '../../../src/replication/confirmation-gate.js';
import type { GateOptions, GateVerdict } from '../../../src/replication/confirmation-gate.js';
import { FakeClock } from '../../support/fake-clock.js';

function build(options: Partial<GateOptions> = {}) {
  const clock = new FakeClock();
  const journal = { position: 0 };
  const told: boolean[] = [];
  const gate = new ConfirmationGate(
    { mode: 'sync', onTimeout: 'degrade', timeout: 200, ...options },
    () => journal.position,
    clock,
    (degraded) => told.push(degraded),
  );
  const verdicts: (GateVerdict | null)[] = [];
  const ask = (position: number) => {
    const index = verdicts.push(null) - 1;
    gate.whenConfirmed(position, (verdict) => (verdicts[index] = verdict));
  };
  /** A standby that has caught up. */
  const join = () => {
    gate.begin(journal.position);
    gate.confirm(journal.position);
  };
  return { clock, journal, told, gate, verdicts, ask, join };
}

describe('the confirmation gate', () => {
  it('async: nobody waits', () => {
    const { gate, ask, verdicts, journal } = build({ mode: 'async' });
    journal.position = 5;
    ask(5);
    expect([verdicts, gate.degraded]).toEqual([['released'], false]);
  });

  it('async: caught up means everything up to where the tail began', () => {
    const { gate, journal } = build({ mode: 'async' });
    journal.position = 5;
    gate.begin(5);
    journal.position = 9;
    expect([gate.confirm(4), gate.confirm(5)]).toEqual([false, true]);
  });

  it('sync: passes in order, each when its position is confirmed', () => {
    const { gate, ask, verdicts, journal, join } = build();
    join();
    journal.position = 3;
    [1, 2, 3].forEach(ask);
    gate.confirm(2);
    expect(verdicts).toEqual(['confirmed', 'confirmed', null]);
    gate.confirm(3);
    [2, 3].forEach(ask);
    expect(verdicts.slice(2)).toEqual(['confirmed', 'confirmed', 'confirmed']);
  });

  it('sync: a standby that has caught up stays so while the next entries are on their way', () => {
    const { gate, journal, join, told } = build();
    join();
    journal.position = 5;
    expect([gate.confirm(3), gate.degraded]).toEqual([true, false]);
    // Told once, not with every confirmation.
    expect(told).toEqual([false]);
  });

  it('each waits for its own time, also where those before it were confirmed', () => {
    const { gate, ask, verdicts, journal, join, clock } = build();
    join();
    journal.position = 2;
    ask(1);
    clock.advance(150);
    ask(2);
    gate.confirm(1);
    clock.advance(199);
    expect(verdicts).toEqual(['confirmed', null]);
    clock.advance(1);
    expect(verdicts).toEqual(['confirmed', 'released']);
  });

  it('async: has no degradation to tell', () => {
    const { gate, journal, join, told } = build({ mode: 'async' });
    journal.position = 1;
    join();
    gate.release();
    expect(told).toEqual([]);
  });

  it('after a timeout nobody waits before the standby has what it was late for', () => {
    const { gate, ask, verdicts, journal, join, clock } = build();
    join();
    journal.position = 2;
    ask(2);
    clock.advance(200);
    gate.confirm(1);
    ask(2);
    expect(verdicts).toEqual(['released', 'released']);
  });

  it.each([
    ['degrade', 'released', false],
    ['refuse', 'refused', true],
  ] as const)(
    'sync, on_timeout %s: after the timeout %s, and nobody waits',
    (onTimeout, verdict, refusing) => {
      const { gate, ask, verdicts, journal, join, clock, told } = build({ onTimeout });
      join();
      journal.position = 2;
      ask(1);
      clock.advance(199);
      expect(verdicts).toEqual([null]);
      clock.advance(1);
      ask(2);
      expect(verdicts).toEqual([verdict, verdict]);
      expect([gate.degraded, gate.refusing, told]).toEqual([true, refusing, [false, true]]);
    },
  );

  it('without a standby it is degraded from the beginning', () => {
    const { gate, ask, verdicts } = build();
    ask(1);
    expect([verdicts, gate.degraded]).toEqual([['released'], true]);
  });

  it('is whole again only when nothing that was released is unconfirmed', () => {
    const { gate, ask, verdicts, journal, join, clock } = build();
    join();
    journal.position = 2;
    ask(2);
    clock.advance(200);
    journal.position = 5;
    expect(gate.confirm(2)).toBe(false);
    ask(5);
    expect([verdicts[1], gate.degraded]).toEqual([null, true]);
    expect(gate.confirm(5)).toBe(true);
    expect([verdicts[1], gate.degraded]).toEqual(['confirmed', false]);
  });

  it('waits over a lost stream as long as the timeout, and for the new standby from the start', () => {
    const { gate, ask, verdicts, journal, join } = build();
    journal.position = 4;
    join();
    gate.disconnected();
    journal.position = 5;
    ask(5);
    gate.begin(5);
    // An empty standby has confirmed nothing, whatever the last one had.
    expect(gate.confirm(0)).toBe(false);
    expect(verdicts).toEqual([null]);
    expect(gate.confirm(5)).toBe(true);
    expect(verdicts).toEqual(['confirmed']);
  });

  it('releases everybody when this gateway serves alone', () => {
    const { gate, ask, verdicts, journal, join } = build();
    join();
    journal.position = 1;
    ask(1);
    gate.release();
    expect(verdicts).toEqual(['released']);
  });
});
