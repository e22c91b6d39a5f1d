import { beforeEach, describe, expect, it } from '@jest/globals';
import { FULL_READ } from '../../../src/base/catch-up.js';
import { MAX_READING_MS, MAX_SENDING_MS, TurnScheduler } from '../../../src/quic/turn-scheduler.js';
import type { TurnMember, TurnOptions } from '../../../src/quic/turn-scheduler.js';

let log: string[];
let now: number;
let read: number;

beforeEach(() => {
  log = [];
  now = 0;
  read = 0;
});

class Member implements TurnMember {
  deliverQueued = false;
  flushQueued = false;
  onDeliver: () => void = () => undefined;
  onFlush: () => void = () => undefined;
  constructor(private readonly name: string) {}
  deliver(): void {
    log.push(`deliver ${this.name}`);
    this.onDeliver();
  }
  flush(): void {
    log.push(`flush ${this.name}`);
    this.onFlush();
  }
  fail(): void {
    log.push(`fail ${this.name}`);
  }
}

const make = (options: Partial<TurnOptions> = {}): TurnScheduler =>
  new TurnScheduler({ now: () => now, datagramsRead: () => read, ...options });
/** One turn goes by; what it did. */
async function turn(): Promise<string[]> {
  await new Promise((done) => setImmediate(done));
  return log.splice(0);
}

describe('a turn', () => {
  it('delivers to all, then flushes all, once each', async () => {
    const scheduler = make();
    const [a, b] = [new Member('a'), new Member('b')];
    // What a delivers makes b send: in the same turn.
    a.onDeliver = (): void => scheduler.addReceiver(b);
    scheduler.addReceiver(a);
    scheduler.addReceiver(a);
    expect(await turn()).toEqual(['deliver a', 'deliver b', 'flush a', 'flush b']);
    expect(await turn()).toEqual([]);
    scheduler.addReceiver(b);
    expect(await turn()).toEqual(['deliver b', 'flush b']);
  });

  it('has nothing to deliver to who only sends', async () => {
    const scheduler = make();
    const [a, b] = [new Member('a'), new Member('b')];
    scheduler.addSender(a);
    scheduler.addSender(a);
    b.onDeliver = (): void => scheduler.addSender(a);
    scheduler.addReceiver(b);
    expect(await turn()).toEqual(['deliver b', 'flush a', 'flush b']);
    expect(await turn()).toEqual([]);
  });

  it('ends, though a member asks for another delivery or flush in its own', async () => {
    const scheduler = make();
    const a = new Member('a');
    a.onDeliver = (): void => scheduler.addReceiver(a);
    a.onFlush = (): void => {
      a.onFlush = (): void => undefined;
      scheduler.addSender(a);
    };
    scheduler.addReceiver(a);
    expect(await turn()).toEqual(['deliver a', 'flush a']);
    expect(await turn()).toEqual(['flush a']);
    expect(await turn()).toEqual([]);
  });

  it('lets one member fail alone', async () => {
    const scheduler = make();
    const [a, b] = [new Member('a'), new Member('b')];
    a.onDeliver = (): never => {
      throw new Error('broken');
    };
    b.onFlush = a.onDeliver;
    scheduler.addReceiver(a);
    scheduler.addReceiver(b);
    const whole = ['deliver a', 'fail a', 'deliver b', 'flush a', 'flush b', 'fail b'];
    expect(await turn()).toEqual(whole);
  });
});

describe('while reads are full', () => {
  it('turns deliver only, and the first that is not flushes once for all of them', async () => {
    const scheduler = make({
      beforeFlush: () => log.push('before'),
      afterFlush: () => log.push('after'),
    });
    const [a, b] = [new Member('a'), new Member('b')];
    scheduler.addReceiver(a);
    read += FULL_READ;
    expect(await turn()).toEqual(['deliver a']);
    scheduler.addReceiver(a);
    scheduler.addReceiver(b);
    read += FULL_READ;
    expect(await turn()).toEqual(['deliver a', 'deliver b']);
    scheduler.addReceiver(b);
    read += FULL_READ - 1;
    expect(await turn()).toEqual(['deliver b', 'before', 'flush a', 'flush b', 'after']);
    expect(await turn()).toEqual([]);
  });

  it('somebody who waits to send is not kept waiting for longer than the bound', async () => {
    const scheduler = make();
    const a = new Member('a');
    scheduler.addSender(a);
    read += FULL_READ;
    expect(await turn()).toEqual([]);
    now = MAX_READING_MS - 1;
    read += FULL_READ;
    expect(await turn()).toEqual([]);
    now = MAX_READING_MS;
    read += FULL_READ;
    expect(await turn()).toEqual(['flush a']);
    // The next wait begins anew.
    scheduler.addSender(a);
    read += FULL_READ;
    expect(await turn()).toEqual([]);
    expect(await turn()).toEqual(['flush a']);
  });
});

describe('while many send', () => {
  it('reading has its turn again and again', async () => {
    const scheduler = make();
    const members = Array.from({ length: 100 }, (_, index) => new Member(`${index}`));
    for (const member of members) {
      member.onFlush = (): void => void (now += MAX_SENDING_MS / 40);
      scheduler.addSender(member);
    }
    const first = await turn();
    expect(first.length).toBeGreaterThanOrEqual(40);
    expect(first.length).toBeLessThan(80);
    // What is read meanwhile goes first.
    scheduler.addReceiver(members[99] as Member);
    const second = await turn();
    expect(second[0]).toBe('deliver 99');
    const third = await turn();
    const flushed = [...first, ...second.slice(1), ...third];
    expect(flushed).toEqual(members.map((_, index) => `flush ${index}`));
    expect(await turn()).toEqual([]);
  });
});

describe('while turns may not run', () => {
  it('what was delivered stays so, and everything is flushed once they may', async () => {
    let [mayRun, waiting] = [true, null as (() => void) | null];
    const pace = { mayRun: () => mayRun, wait: (run: () => void) => void (waiting = run) };
    const scheduler = make({ pace });
    const [a, b] = [new Member('a'), new Member('b')];
    a.onDeliver = (): void => void (mayRun = false);
    scheduler.addReceiver(a);
    expect(await turn()).toEqual(['deliver a']);
    scheduler.addReceiver(b);
    expect(await turn()).toEqual([]);
    mayRun = true;
    (waiting as unknown as () => void)();
    expect(await turn()).toEqual(['deliver b', 'flush a', 'flush b']);
  });
});
