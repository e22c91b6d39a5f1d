import { describe, expect, test } from '@jest/globals';
import { memoryLinkPair } from '../../../../support/memory-link.js';
import type { Link } from '../../../../../src/link/link.js';
import { FallbackTransport } from '../../../../../src/sdk/client/core/fallback-transport.js';
import type { Transport } from '../../../../../src/sdk/client/core/transport.js';
import { FakeClock } from '../../../../support/fake-clock.js';
import { turns } from '../../../../support/fake-gateway.js';

/** A transport whose attempts the test settles. */
class Scripted implements Transport {
  readonly attempts: {
    readonly signal: AbortSignal;
    readonly succeed: () => Link;
    readonly fail: (message: string) => void;
  }[] = [];

  constructor(readonly name: string) {}

  open(_address: string, signal: AbortSignal): Promise<Link> {
    return new Promise<Link>((resolve, reject) => {
      this.attempts.push({
        signal,
        succeed: () => {
          const [link] = memoryLinkPair();
          resolve(link);
          return link;
        },
        fail: (message) => reject(new Error(message)),
      });
    });
  }
}

function bench() {
  const clock = new FakeClock();
  const quic = new Scripted('quic');
  const ws = new Scripted('ws');
  const transport = new FallbackTransport(quic, ws, { clock });
  const open = (address = 'gw:1', signal = new AbortController().signal) => {
    const opened = transport.open(address, signal);
    opened.catch(() => undefined);
    return opened;
  };
  return { clock, quic, ws, open };
}

describe('two transports', () => {
  test('the preferred one alone while it answers in time', async () => {
    const { clock, quic, ws, open } = bench();
    const opened = open();
    clock.advance(2_999);
    const link = quic.attempts[0]?.succeed();
    expect(await opened).toBe(link);
    clock.advance(10_000);
    expect(ws.attempts).toHaveLength(0);
    expect(clock.pending).toBe(0);
  });

  test('the other beside it after 3 s, remembered as long as it is told', async () => {
    const { clock, quic, ws, open } = bench();
    const opened = open();
    clock.advance(3_000);
    expect(quic.attempts[0]?.signal.aborted).toBe(false);
    const link = ws.attempts[0]?.succeed();
    expect(await opened).toBe(link);
    expect(quic.attempts[0]?.signal.aborted).toBe(true);
    const again = open();
    expect([quic.attempts.length, ws.attempts.length]).toEqual([1, 2]);
    ws.attempts[1]?.succeed();
    await again;
    clock.advance(10 * 60_000);
    void open();
    expect([quic.attempts.length, ws.attempts.length]).toEqual([2, 2]);
    // Another gateway may well be reachable.
    void open('gw:2');
    expect(quic.attempts).toHaveLength(3);
  });

  test('the other at once where the preferred one fails; both failing names both', async () => {
    const { quic, ws, open } = bench();
    const opened = open();
    quic.attempts[0]?.fail('UDP is blocked');
    await turns(1);
    expect(ws.attempts).toHaveLength(1);
    ws.attempts[0]?.fail('no such port');
    await expect(opened).rejects.toThrow('quic: UDP is blocked; ws: no such port');
  });

  test('a remembered one that fails gives way, and is forgotten', async () => {
    const { quic, ws, open } = bench();
    const first = open();
    quic.attempts[0]?.fail('x');
    await turns(1);
    ws.attempts[0]?.succeed();
    await first;
    const second = open();
    ws.attempts[1]?.fail('gone');
    await turns(1);
    quic.attempts[1]?.succeed();
    await second;
    void open();
    expect([quic.attempts.length, ws.attempts.length]).toEqual([3, 2]);
  });

  test('the loser that comes late is closed', async () => {
    const { clock, quic, ws, open } = bench();
    const opened = open();
    clock.advance(3_000);
    ws.attempts[0]?.succeed();
    await opened;
    const late = quic.attempts[0]?.succeed();
    await turns();
    expect(late?.send(Buffer.alloc(5))).toBe('closed');
  });

  test('the caller gives both up', async () => {
    const { clock, quic, ws, open } = bench();
    const caller = new AbortController();
    const opened = open('gw:1', caller.signal);
    clock.advance(3_000);
    caller.abort(new Error('enough'));
    await expect(opened).rejects.toThrow('enough');
    expect([quic.attempts[0]?.signal.aborted, ws.attempts[0]?.signal.aborted]).toEqual([
      true,
      true,
    ]);
    expect(clock.pending).toBe(0);
    const gone = AbortSignal.abort(new Error('before'));
    await expect(open('gw:1', gone)).rejects.toThrow('before');
    expect(quic.attempts).toHaveLength(1);
  });
});
