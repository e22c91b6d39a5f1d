import { describe, expect, test } from '@jest/globals';
import type { Cancel, Clock } from '../../../../src/base/clock.js';
import { PROBE_PERIOD_MS } from '../../../../src/session/overload/event-loop-probe.js';
import { NO_LIMITS } from '../../../../src/session/overload/options.js';
import type { OverloadOptions } from '../../../../src/session/overload/options.js';
import { Overload } from '../../../../src/session/overload/overload.js';
import { createLogger } from '../../../../src/telemetry/log.js';
import { FakeClock } from '../../../support/fake-clock.js';

/** A clock whose timers come late, as those of a busy process do. */
class LateClock implements Clock {
  private at = 1_000;
  private readonly timers: { period: number; run: () => void }[] = [];

  now(): number {
    return this.at;
  }
  wallTime(): number {
    return this.at;
  }
  after(): Cancel {
    throw new Error('nobody asks for it');
  }
  every(period: number, run: () => void): Cancel {
    const timer = { period, run };
    this.timers.push(timer);
    return () => void this.timers.splice(this.timers.indexOf(timer), 1);
  }

  /** Runs the timers of the probe once for each of these delays, ms. */
  late(...delays: number[]): void {
    for (const delay of delays) {
      this.at += PROBE_PERIOD_MS + delay;
      for (const { period, run } of this.timers) if (period === PROBE_PERIOD_MS) run();
    }
  }

  get pending(): number {
    return this.timers.length;
  }
}

function overloadOf(options: Partial<OverloadOptions>, clock: Clock) {
  const lines: string[] = [];
  const write = (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg);
  const log = createLogger({ level: 'info', format: 'json' }, { write });
  return { overload: new Overload({ ...NO_LIMITS, ...options }, clock, log), lines };
}

describe('a late event loop', () => {
  test('sheds new connections after two samples in a row, until two in a row are well', () => {
    const clock = new LateClock();
    const { overload, lines } = overloadOf({ maxEventLoopDelay: 500 }, clock);
    const turns: boolean[] = [];
    overload.start((shedding) => turns.push(shedding));
    clock.late(0, 600, 100, 700, 500);
    expect(overload.admitConnection('')).toBeNull();
    clock.late(501, 501);
    expect(overload.admitConnection('')).toMatchObject({ code: 503, label: 'event_loop_delay' });
    expect(overload.view()).toMatchObject({ shedding: true, eventLoopDelay: 501 });
    expect(overload.warnings()).toEqual(['event loop overloaded: new connections are refused']);
    expect(overload.admitRequest(clock.now())).toBe(true);
    clock.late(10, 900, 10);
    expect(overload.admitConnection('')).not.toBeNull();
    clock.late(10);
    expect(overload.admitConnection('')).toBeNull();
    expect(turns).toEqual([true, false]);
    expect(lines).toEqual([
      'event loop overloaded: new connections are refused',
      'event loop recovered: new connections are accepted',
    ]);
  });

  test('is only measured where there is no limit, and not at all once stopped', () => {
    const clock = new LateClock();
    const { overload } = overloadOf({ maxEventLoopDelay: 0 }, clock);
    overload.start();
    overload.start();
    expect(clock.pending).toBe(2);
    clock.late(9_000, 9_000, 9_000);
    expect(overload.view()).toMatchObject({ shedding: false, eventLoopDelay: 9_000 });
    overload.stop();
    overload.stop();
    expect(clock.pending).toBe(0);
  });
});

describe('warnings', () => {
  test('of requests per second come from the clock, of connections at once', () => {
    const clock = new FakeClock();
    const options = { qpsWarning: 50, qpsWindow: 1_000, connectionWarning: 2 };
    const { overload, lines } = overloadOf(options, clock);
    overload.start();
    for (let index = 0; index < 100; index++) overload.admitRequest(clock.now());
    clock.advance(999);
    expect(overload.warnings()).toEqual([]);
    for (let index = 0; index < 100; index++) overload.admitRequest(clock.now());
    clock.advance(1);
    overload.noteConnections(2);
    expect(overload.warnings()).toEqual([
      'connections: at or above the warning threshold 2',
      'requests per second: at or above the warning threshold 50',
    ]);
    clock.advance(5_000);
    overload.noteConnections(1);
    expect(overload.warnings()).toEqual([]);
    expect(lines).toHaveLength(4);
    overload.stop();
    expect(clock.pending).toBe(0);
  });
});
