import type { Socket } from 'node:net';
import { formatAddress } from '../base/address.js';
import type { TimerWheel, WheelTimer } from '../base/timer-wheel.js';

/** Why a connection was given up before it was a WebSocket. */
export type HandshakeFailure = 'ws_handshake_timeout' | 'ws_handshakes';

interface Handshake {
  readonly socket: Socket;
  readonly timer: WheelTimer;
}

/**
 * The connections that are no WebSocket yet: in TCP, TLS or HTTP. Each has the same time for all of it,
 * however it dribbles. When there are too many the oldest goes: an honest client is through after
 * a few round trips, while a flood only pushes itself out.
 */
export class WsHandshakes {
  private readonly waiting = new Map<string, Handshake>();

  constructor(
    private readonly wheel: TimerWheel,
    private readonly timeout: number,
    private readonly limit: number,
    private readonly onFailure: (failure: HandshakeFailure) => void,
  ) {}

  get count(): number {
    return this.waiting.size;
  }

  /** A TCP connection was accepted. */
  add(socket: Socket): void {
    // TLS wraps the socket and knows its TCP socket no more; the peer's address is the same in both.
    const key = keyOf(socket);
    const timer = this.wheel.timer(() => this.fail(key, 'ws_handshake_timeout'));
    timer.arm(this.timeout);
    this.waiting.set(key, { socket, timer });
    socket.once('close', () => {
      if (this.waiting.get(key)?.socket === socket) this.forget(key);
    });
    if (this.waiting.size > this.limit) {
      for (const oldest of this.waiting.keys()) {
        this.fail(oldest, 'ws_handshakes');
        break;
      }
    }
  }

  /** The connection asked to be a WebSocket: whoever answers it is in charge from here. */
  settle(socket: Socket): void {
    this.forget(keyOf(socket));
  }

  /** Gives all of them up. */
  dropAll(): void {
    for (const { socket } of this.waiting.values()) socket.destroy();
  }

  private fail(key: string, failure: HandshakeFailure): void {
    const handshake = this.waiting.get(key);
    if (handshake === undefined) return;
    this.forget(key);
    this.onFailure(failure);
    handshake.socket.destroy();
  }

  private forget(key: string): void {
    this.waiting.get(key)?.timer.disarm();
    this.waiting.delete(key);
  }
}

function keyOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return formatAddress(remoteAddress, remotePort);
}
