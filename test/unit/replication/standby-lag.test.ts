import { describe, expect, it } from '@jest/globals';
import { ConfirmationGate } from '../../../src/replication/confirmation-gate.js';
import type { Shipper } from '../../../src/replication/shipper.js';
import { StandbyLag } from '../../../src/replication/standby-lag.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TextJournal } from '../../support/replication-nodes.js';

const BOOT = 7;
/** A stream with nothing on its way. */
const idle = { lag: { frames: 0, bytes: 0, ms: 0 } } as Shipper;

/** A standby that has everything there is, over a whole stream. */
function build() {
  const clock = new FakeClock();
  const journal = new TextJournal();
  journal.texts = ['s1', 's2'];
  const options = { mode: 'async', onTimeout: 'degrade', timeout: 200 } as const;
  const gate = new ConfirmationGate(options, () => journal.position, clock);
  const lag = new StandbyLag(journal, gate, clock);
  /** A stream begins: what its standby holds is told by its end. */
  const open = (boot: number) => {
    lag.opened(boot);
    gate.begin(journal.position);
  };
  const confirm = (position: number) => {
    if (gate.confirm(position)) lag.caughtUp();
  };
  const lose = () => {
    gate.disconnected();
    lag.lost();
  };
  open(BOOT);
  confirm(2);
  return { clock, journal, gate, lag, open, confirm, lose };
}

describe('the lag of a standby', () => {
  it('is that of the stream while there is a whole one', () => {
    const { lag, clock } = build();
    clock.advance(50);
    expect(lag.of(idle)).toEqual({ frames: 0, bytes: 0, ms: 0 });
    expect(lag.lostFor).toBeNull();
  });

  it('grows while there is none', () => {
    const { lag, clock, journal, lose } = build();
    lose();
    journal.append('t3', 't4');
    clock.advance(500);
    expect(lag.of(null)).toEqual({ frames: 2, bytes: 0, ms: 500 });
    expect(lag.lostFor).toBe(500);
  });

  it('counts on while streams begin and are lost again, until one is whole', () => {
    const { lag, clock, journal, open, confirm, lose } = build();
    lose();
    journal.append('t3');
    clock.advance(300);
    open(BOOT);
    confirm(0);
    expect(lag.of(idle)).toMatchObject({ frames: 1, ms: 300 });
    lose();
    clock.advance(300);
    open(BOOT);
    expect(lag.of(idle)).toMatchObject({ frames: 1, ms: 600 });
    confirm(3);
    expect(lag.of(idle)).toEqual({ frames: 0, bytes: 0, ms: 0 });
  });

  it('is all there is for another process of the standby, and from its coming', () => {
    const { lag, clock, lose, open } = build();
    lose();
    clock.advance(400);
    open(BOOT + 1);
    clock.advance(10);
    expect(lag.of(idle)).toMatchObject({ frames: 2, ms: 10 });
  });

  it('begins anew in another role', () => {
    const { lag, gate, clock, lose } = build();
    lose();
    clock.advance(400);
    gate.release();
    lag.forget();
    clock.advance(5);
    expect(lag.of(null)).toMatchObject({ frames: 2, ms: 5 });
  });
});
