import { afterEach, describe, expect, it } from '@jest/globals';
import { ConfirmedEffects } from '../../../src/gateway/confirmed-effects.js';
import { JournalWriter } from '../../../src/journal/journal-writer.js';
import { ConfirmationGate } from '../../../src/replication/confirmation-gate.js';
import { FakeClock } from '../../support/fake-clock.js';

let effects: ConfirmedEffects;

/** A gateway that took over at position 10, and numbered two answers more while it did. */
function tookOver(onTimeout: 'degrade' | 'refuse') {
  const clock = new FakeClock();
  const journal = new JournalWriter(clock, 10, (run) => run());
  journal.resumeAt(12);
  const gate = new ConfirmationGate(
    { mode: 'sync', onTimeout, timeout: 100 },
    () => journal.position,
    clock,
    () => effects.onDegraded(),
  );
  effects = new ConfirmedEffects(journal, gate, () => true, clock);
  effects.begin(10);
  return { journal, gate };
}

afterEach(() => effects.end());

describe('what a gateway that took over lets go of', () => {
  it('is everything under degrade', () => {
    expect(tookOver('degrade').journal.deliverable.position).toBe(12);
  });

  it('is what the former primary has under refuse, and the rest once a standby has it', async () => {
    const { journal, gate } = tookOver('refuse');
    expect(journal.deliverable.position).toBe(10);
    expect(journal.obstacle?.pushError).toBe('REPLICATION_LAG');
    gate.begin(12);
    gate.confirm(12);
    await Promise.resolve();
    expect([journal.deliverable.position, journal.obstacle]).toEqual([12, null]);
  });
});
