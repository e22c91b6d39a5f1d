import { beforeEach, describe, expect, test } from '@jest/globals';
import { Acknowledger } from '../../../../../src/sdk/client/core/acknowledger.js';
import { FakeClock } from '../../../../support/fake-clock.js';
import { turns } from '../../../../support/fake-gateway.js';

describe('an Acknowledger that keeps numbers first', () => {
  let clock: FakeClock;
  let sent: number[];
  let connected: boolean;
  let saved: () => void;
  let acks: Acknowledger;

  beforeEach(() => {
    clock = new FakeClock();
    sent = [];
    connected = true;
    const send = (seq: number): boolean => {
      if (connected) sent.push(seq);
      return connected;
    };
    acks = new Acknowledger(clock, 5, send, () => new Promise((resolve) => (saved = resolve)));
    acks.begin(0);
  });

  /** A push has come, and is being saved. */
  function settle(seq: number): void {
    acks.settle(acks.receive(seq));
    clock.advance(5);
  }

  async function save(): Promise<void> {
    saved();
    await turns(2);
    clock.advance(5);
  }

  test('acknowledges what is saved', async () => {
    settle(1);
    expect([sent, acks.claim]).toEqual([[], 0]);
    await save();
    expect([sent, acks.claim]).toEqual([[1], 1]);
  });

  test('acknowledges what was saved while START was under way', async () => {
    settle(1);
    connected = false;
    acks.stop();
    const { claim } = acks;
    await save();
    expect([sent, claim, acks.claim]).toEqual([[], 0, 1]);
    connected = true;
    acks.begin(claim);
    clock.advance(5);
    expect(sent).toEqual([1]);
    // Nothing is due any more.
    acks.flush();
    expect([sent, clock.pending]).toEqual([[1], 0]);
  });

  test('acknowledges nothing that START has claimed', async () => {
    settle(1);
    await save();
    acks.stop();
    acks.begin(acks.claim);
    clock.advance(5);
    expect([sent, clock.pending]).toEqual([[1], 0]);
  });

  test('saves what was settled meanwhile next, once for all of it', async () => {
    settle(1);
    settle(2);
    settle(3);
    await save();
    expect([sent, acks.claim]).toEqual([[1], 1]);
    await save();
    expect([sent, acks.claim]).toEqual([[1, 3], 3]);
    expect(clock.pending).toBe(0);
  });

  test('does not count for a new session what was saved for the former one', async () => {
    settle(1);
    acks.restart(100);
    await save();
    expect([sent, acks.claim]).toEqual([[], 100]);
    settle(101);
    await save();
    expect([sent, acks.claim]).toEqual([[101], 101]);
  });

  test('does nothing more after its end', async () => {
    settle(1);
    acks.end();
    await save();
    settle(2);
    expect([sent, clock.pending]).toEqual([[], 0]);
  });
});
