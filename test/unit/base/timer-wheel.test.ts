import { beforeEach, describe, expect, it } from '@jest/globals';
import { FULL_READ } from '../../../src/base/catch-up.js';
import { STALL_MS } from '../../../src/base/clock.js';
import { TimerWheel } from '../../../src/base/timer-wheel.js';
import type { WheelTimer } from '../../../src/base/timer-wheel.js';
import { FakeClock } from '../../support/fake-clock.js';

const TICK = 10;
let clock: FakeClock;
let wheel: TimerWheel;
let fired: string[];

const timer = (name: string, then: () => void = () => undefined): WheelTimer =>
  wheel.timer(() => {
    fired.push(name);
    then();
  });

beforeEach(() => {
  clock = new FakeClock();
  wheel = new TimerWheel(clock, TICK);
  fired = [];
});

describe('TimerWheel', () => {
  it('fires once, never early and at most two ticks late', () => {
    timer('a').arm(35);
    clock.advance(34);
    expect(fired).toEqual([]);
    clock.advance(2 * TICK);
    clock.advance(1_000);
    expect(fired).toEqual(['a']);
  });

  it('a timer that is armed again fires at its new time only', () => {
    const a = timer('a');
    a.arm(50);
    clock.advance(40);
    a.arm(50);
    clock.advance(40);
    expect(fired).toEqual([]);
    a.arm(10);
    clock.advance(30);
    expect(fired).toEqual(['a']);
  });

  it('armWithin leaves an earlier time alone', () => {
    const a = timer('a');
    a.arm(20);
    a.armWithin(500);
    clock.advance(40);
    expect(fired).toEqual(['a']);
    a.armWithin(20);
    clock.advance(40);
    expect(fired).toEqual(['a', 'a']);
  });

  it('one that is disarmed does not fire, also where another one of its moment disarms it', () => {
    const all: WheelTimer[] = [];
    const disarmOthers = (): void => all.forEach((each) => each.disarm());
    all.push(timer('a', disarmOthers), timer('b', disarmOthers));
    for (const each of all) each.arm(20);
    timer('c').arm(20);
    clock.advance(100);
    expect(fired).toHaveLength(2);
    expect(fired).toContain('c');
    expect(wheel.size).toBe(0);
    for (const each of all) each.arm(20);
    all[0]?.disarm();
    clock.advance(100);
    expect(fired.slice(2)).toEqual(['b']);
  });

  it('may be armed by a callback, and by its own', () => {
    let left = 3;
    const again = timer('again', () => {
      if (--left > 0) again.arm(TICK);
    });
    timer('first', () => again.arm(0)).arm(TICK);
    clock.advance(20 * TICK);
    expect(fired).toEqual(['first', 'again', 'again', 'again']);
  });

  it('goes far beyond one turn of its slots, and over a pause of the process', () => {
    timer('far').arm(5_000 * TICK);
    timer('near').arm(TICK);
    clock.advance(4_000 * TICK);
    expect(fired).toEqual(['near']);
    clock.advance(1_100 * TICK);
    expect(fired).toEqual(['near', 'far']);
  });

  it('sleeps while nothing is armed', () => {
    timer('a').arm(TICK);
    expect(clock.pending).toBe(1);
    clock.advance(10 * TICK);
    expect(clock.pending).toBe(0);
  });

  it('wakes for what is armed, and now and then to notice a stall, but not for every tick', () => {
    let wakes = 0;
    const after = clock.after.bind(clock);
    clock.after = (delay, run) => after(delay, () => (wakes++, run()));
    timer('far').arm(100 * TICK);
    clock.advance(10 * TICK);
    expect(wakes).toBeLessThanOrEqual((10 * TICK) / STALL_MS);
    timer('near').arm(TICK);
    clock.advance(2 * TICK);
    expect(fired).toEqual(['near']);
    clock.advance(100 * TICK);
    expect(fired).toEqual(['near', 'far']);
    expect(wakes).toBeLessThanOrEqual((112 * TICK) / STALL_MS + 2);
  });

  it('goes on where one of its timers threw', () => {
    const broken = timer('broken', () => {
      throw new Error('a fault of its owner');
    });
    broken.arm(TICK);
    timer('other').arm(5 * TICK);
    expect(() => clock.advance(2 * TICK)).toThrow('a fault of its owner');
    clock.advance(10 * TICK);
    expect(fired).toEqual(['broken', 'other']);
  });
});

describe('TimerWheel after a stall', () => {
  let turns: (() => void)[];
  let datagrams: number;
  let behind: boolean;
  const turn = (read = 0): void => {
    datagrams += read;
    for (const run of turns.splice(0)) run();
  };

  beforeEach(() => {
    turns = [];
    datagrams = 0;
    behind = false;
    const soon = (run: () => void): void => void turns.push(run);
    const isBehind = (): boolean => behind;
    wheel = new TimerWheel(clock, TICK, { soon, datagramsRead: () => datagrams, isBehind });
  });

  it('fires once the sockets were read and what was read is handed out', () => {
    timer('a').arm(35);
    clock.stall(500);
    expect(fired).toEqual([]);
    turn(3);
    expect(fired).toEqual([]);
    turn();
    expect(fired).toEqual(['a']);
  });

  it('gives way to what was read: a timer that this pushes back does not fire', () => {
    const silence = timer('silence');
    silence.arm(35);
    clock.stall(500);
    turn(1);
    silence.arm(35);
    turn();
    clock.advance(30);
    expect(fired).toEqual([]);
    clock.advance(30);
    expect(fired).toEqual(['silence']);
  });

  it('waits while reads come in full batches, but not longer than the stall', () => {
    timer('a').arm(35);
    clock.stall(500);
    for (let count = 0; count < 10; count++) turn(FULL_READ);
    expect(fired).toEqual([]);
    turn(FULL_READ - 1);
    expect(fired).toEqual(['a']);
    timer('b').arm(35);
    clock.stall(500);
    for (let count = 0; count < 40; count++) {
      clock.advance(10);
      turn(FULL_READ);
    }
    expect(fired).toEqual(['a']);
    clock.advance(100);
    turn(FULL_READ);
    expect(fired).toEqual(['a', 'b']);
  });

  it('waits a second at most', () => {
    timer('a').arm(35);
    clock.stall(60_000);
    for (let count = 0; count < 99; count++) {
      clock.advance(10);
      turn(FULL_READ);
    }
    expect(fired).toEqual([]);
    clock.advance(10);
    turn(FULL_READ);
    expect(fired).toEqual(['a']);
  });

  it('waits without a stall where reading is behind already, 200 ms at most', () => {
    timer('a').arm(35);
    behind = true;
    for (let passed = 0; passed < 200; passed += 10) {
      clock.advance(10);
      turn(FULL_READ);
    }
    expect(fired).toEqual([]);
    clock.advance(40);
    turn(FULL_READ);
    expect(fired).toEqual(['a']);
    behind = false;
    timer('b').arm(35);
    clock.advance(60);
    turn();
    turn();
    clock.advance(60);
    expect(fired).toEqual(['a', 'b']);
  });

  it('does not wait for what is a little late only', () => {
    timer('a').arm(35);
    clock.stall(STALL_MS);
    expect(fired).toEqual(['a']);
  });

  it('stays silent where it is stopped meanwhile, and fires late where it is started again', () => {
    timer('a').arm(35);
    clock.stall(500);
    wheel.stop();
    turn();
    turn();
    expect(fired).toEqual([]);
    timer('b').arm(35);
    clock.advance(60);
    expect(fired).toContain('b');
  });
});

describe('a wheel on which very many timers are due together', () => {
  const WORK_MS = 4;
  let later: (() => void)[];

  /** The next turn of the event loop. */
  const turn = (): void => later.splice(0).forEach((run) => run());

  const due = (count: number): WheelTimer[] => {
    const timers = Array.from({ length: count }, (_, index) =>
      // Time passes while it fires, and nothing else happens.
      timer(String(index), () => clock.stall(WORK_MS)),
    );
    for (const each of [...timers].reverse()) each.arm(TICK);
    return timers;
  };

  beforeEach(() => {
    later = [];
    wheel = new TimerWheel(clock, TICK, { soon: (run) => void later.push(run) });
  });

  it('fires some of them in each turn of the event loop', () => {
    due(7);
    clock.advance(2 * TICK);
    expect(fired).toEqual(['0', '1', '2']);
    expect(wheel.size).toBe(4);
    turn();
    expect(fired).toEqual(['0', '1', '2', '3', '4', '5']);
    turn();
    expect(fired).toHaveLength(7);
    expect([wheel.size, later.length]).toEqual([0, 0]);
  });

  it('forgets what is disarmed, armed anew or given up meanwhile, and goes on for the others', () => {
    const timers = due(8);
    clock.advance(2 * TICK);
    timers[3]?.disarm();
    timers[4]?.arm(500);
    timers[5]?.armWithin(500);
    expect(timers.map(({ armed }) => armed)).toEqual([0, 0, 0, 0, 1, 1, 1, 1].map(Boolean));
    turn();
    expect(fired).toEqual(['0', '1', '2', '5', '6', '7']);
    expect(wheel.size).toBe(1);
    clock.advance(600);
    expect(fired.at(-1)).toBe('4');
  });

  it('takes a timer that is armed between two turns, and goes on where one throws', () => {
    due(5);
    timer('bad', () => {
      throw new Error('bad');
    }).arm(TICK);
    expect(() => clock.advance(2 * TICK)).toThrow('bad');
    timer('new').arm(TICK);
    turn();
    turn();
    expect(fired).toEqual(['bad', '0', '1', '2', '3', '4']);
    clock.advance(3 * TICK);
    expect(fired.at(-1)).toBe('new');
  });

  it('that is stopped meanwhile fires no more of them', () => {
    due(5);
    clock.advance(2 * TICK);
    wheel.stop();
    turn();
    clock.advance(1_000);
    expect([fired.length, wheel.size, later.length]).toEqual([3, 2, 0]);
  });
});
