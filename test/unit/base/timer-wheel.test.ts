import { beforeEach, describe, expect, it } from '@jest/globals';
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

  it('ticks only while something is armed', () => {
    timer('a').arm(TICK);
    expect(clock.pending).toBe(1);
    clock.advance(10 * TICK);
    expect(clock.pending).toBe(0);
  });
});
