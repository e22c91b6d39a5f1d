import { describe, expect, it } from '@jest/globals';
import { PeerAddress } from '../../../src/quic/peer-address.js';
import { WasteBudget } from '../../../src/quic/waste-budget.js';

const WINDOW = 256 * 1024;
const START = 64 * 1024;

describe('WasteBudget', () => {
  it('ends a connection that only wastes, after its burst', () => {
    const budget = new WasteBudget(0, 0, 0);
    let datagrams = 0;
    while (budget.charge(1_200, 1, 0, 0)) datagrams++;
    expect(datagrams).toBe(Math.floor((START - 1) / 1_200));
    expect(budget.forgive(datagrams + 1)).toBe(false);
  });

  it('gives back what a stranger sent: datagrams that were not accepted', () => {
    const budget = new WasteBudget(0, 0, 0);
    for (let round = 0; round < 20; round++) {
      while (budget.charge(1_200, 1, 0, 0));
      expect(budget.forgive(0)).toBe(true);
    }
  });

  it('is never drained by heartbeats, by a receiver that acknowledges, or by a sender of frames', () => {
    const heartbeats = new WasteBudget(WINDOW, WINDOW, 0);
    const receiver = new WasteBudget(WINDOW, WINDOW, 0);
    const sender = new WasteBudget(WINDOW, WINDOW, 0);
    let refused = 0;
    for (let turn = 1; turn <= 20_000; turn++) {
      receiver.sent(150);
      const stayed =
        heartbeats.charge(70, 1, 30, turn * 30_000) &&
        heartbeats.charge(40, 1, 0, turn * 30_000) &&
        receiver.charge(40, 1, 0, turn) &&
        sender.charge(32 * 140, 32, 32 * 100, turn);
      if (!stayed) refused++;
    }
    expect(refused).toBe(0);
    expect(heartbeats.bytesLeft).toBeGreaterThan(START);
    expect(receiver.bytesLeft).toBeGreaterThan(START);
    expect(sender.bytesLeft).toBeGreaterThan(START);
  });

  it('bears a window that waits behind a lost packet, again and again', () => {
    const budget = new WasteBudget(WINDOW, WINDOW, 0);
    let refused = 0;
    for (let round = 0; round < 50; round++) {
      for (let sent = 0; sent < WINDOW; sent += 1_300) {
        if (!budget.charge(1_350, 1, 0, round)) refused++;
      }
      if (!budget.charge(1_350, 1, WINDOW, round)) refused++;
    }
    expect(refused).toBe(0);
  });

  it('is not filled by one useful byte among many datagrams of noise', () => {
    const budget = new WasteBudget(0, 0, 0);
    let turns = 0;
    while (budget.charge(31 * 1_200, 31, 1, 0) && turns < 100) turns++;
    expect(turns).toBeLessThan(3);
  });
});

describe('PeerAddress', () => {
  const settled = (host: string, port: number): PeerAddress => {
    const peer = new PeerAddress(host, port);
    peer.settle();
    return peer;
  };

  it('limits a new address to three times what came from it, until it is proved', () => {
    const peer = settled('10.0.0.1', 1);
    expect(peer.allowance).toBe(Infinity);
    peer.moveTo('10.0.0.2', 2, 100);
    expect([peer.limited, peer.allowance]).toEqual([true, 300]);
    peer.sent(250);
    expect(peer.allowance).toBe(50);
    peer.received(40);
    expect(peer.allowance).toBe(170);
    peer.flightSent();
    expect(peer.allowance).toBe(0);
    peer.letGo();
    expect(peer.allowance).toBe(170);
    peer.proved();
    expect([peer.limited, peer.allowance]).toEqual([false, Infinity]);
  });

  it('goes back to the proved address without a limit', () => {
    const peer = settled('10.0.0.1', 1);
    peer.moveTo('10.0.0.2', 2, 100);
    peer.moveTo('10.0.0.3', 3, 10);
    expect(peer.allowance).toBe(30);
    peer.moveTo('10.0.0.1', 1, 10);
    expect([peer.limited, `${peer}`]).toEqual([false, '10.0.0.1:1']);
  });

  it('has no proved address after it moved in mid-handshake: the first may have been made up', () => {
    const peer = new PeerAddress('10.0.0.1', 1);
    peer.moveTo('10.0.0.2', 2, 100);
    peer.flightSent();
    // A handshake is more than one flight.
    expect([peer.limited, peer.allowance]).toEqual([true, 300]);
    peer.settle();
    peer.flightSent();
    expect(peer.allowance).toBe(0);
    peer.moveTo('10.0.0.1', 1, 10);
    expect([peer.limited, peer.allowance]).toEqual([true, 30]);
    peer.proved();
    expect(peer.limited).toBe(false);
  });

  it('limits where a client begins that was not asked to prove it, until its handshake is done', () => {
    const peer = new PeerAddress('10.0.0.1', 1, false);
    peer.received(100);
    expect([peer.limited, peer.allowance]).toEqual([true, 300]);
    peer.settle();
    expect([peer.limited, peer.allowance]).toEqual([false, Infinity]);
    peer.moveTo('10.0.0.2', 2, 100);
    // It may be told twice.
    peer.settle();
    expect([peer.limited, peer.allowance]).toEqual([true, 300]);
  });

  it('reads well', () => {
    expect(`${new PeerAddress('::ffff:10.0.0.1', 9)}`).toBe('10.0.0.1:9');
    expect(`${new PeerAddress('fe80::1', 9)}`).toBe('[fe80::1]:9');
  });
});
