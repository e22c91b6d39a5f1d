import { describe, expect, it } from '@jest/globals';
import type { ConnectionHost } from '../../../src/quic/connection-host.js';
import { MAX_SEND_DATAGRAM_BYTES, SAFE_DATAGRAM_BYTES } from '../../../src/quic/limits.js';
import { PacketSender } from '../../../src/quic/packet-sender.js';
import { PeerAddress } from '../../../src/quic/peer-address.js';
import type { QuicheConnection } from '../../../src/quic/quiche.js';
import { WasteBudget } from '../../../src/quic/waste-budget.js';

/** A sender over a quiche that fills one datagram per flush. */
function fullSender(): { sender: PacketSender; lose: () => void; largest: () => number } {
  let lost = 0;
  let waiting = false;
  const quiche = {
    send: (room: Buffer) => {
      if (!waiting) return null;
      waiting = false;
      return [room.length];
    },
    stats: () => ({ lost }),
  } as unknown as QuicheConnection;
  const host = {
    sendBuffer: Buffer.alloc(MAX_SEND_DATAGRAM_BYTES),
    transmit: (length: number) => (transmitted = length),
  } as unknown as ConnectionHost;
  let transmitted = 0;
  const sender = new PacketSender(
    host,
    quiche,
    new PeerAddress('192.0.2.1', 4_433),
    new WasteBudget(1_000, 1_000, 0),
  );
  const largest = (): number => {
    waiting = true;
    sender.sendReady();
    return transmitted;
  };
  return { sender, lose: () => lost++, largest };
}

describe('PacketSender', () => {
  it('sends what every path takes after two timeouts', () => {
    const { sender, largest } = fullSender();
    sender.timedOut();
    expect(largest()).toBe(MAX_SEND_DATAGRAM_BYTES);
    sender.timedOut();
    expect(largest()).toBe(SAFE_DATAGRAM_BYTES);
  });

  it('forgets a timeout when all was answered and nothing lost', () => {
    const { sender, largest } = fullSender();
    sender.timedOut();
    expect(sender.doubtsPath).toBe(true);
    sender.allAnswered();
    expect(sender.doubtsPath).toBe(false);
    sender.timedOut();
    expect(largest()).toBe(MAX_SEND_DATAGRAM_BYTES);
  });

  it('does not take packets that were lost for answered ones', () => {
    const { sender, lose, largest } = fullSender();
    sender.timedOut();
    lose();
    sender.allAnswered();
    expect(sender.doubtsPath).toBe(true);
    sender.timedOut();
    expect(largest()).toBe(SAFE_DATAGRAM_BYTES);
  });
});
