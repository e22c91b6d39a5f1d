import type { WheelTimer } from '../base/timer-wheel.js';
import type { ConnectionHost } from './connection-host.js';
import type { QuicheConnection } from './quiche.js';

/** What is due when the timer of a connection fires, besides quiche's own timers. */
export type Due = 'handshake-timeout' | 'keepalive' | null;

/**
 * At least a third of the idle timeout is left for a PING that is lost. Not half: deployed clients with
 * 30 s, who heartbeat every 30 s, would get two PINGs in between.
 */
const IDLE_SHARE = 2 / 3;

/** The one timer of a connection: loss detection, idle timeout, handshake timeout, keepalive. */
export class ConnectionTimer {
  /** When something was last sent or received, ms of the Clock. */
  lastActivity: number;
  /** It fired: `expire` is to be called by the flush that it asked for, when more was read perhaps. */
  isDue = false;
  private readonly timer: WheelTimer;
  /** When the handshake must be done; Infinity afterwards. */
  private handshakeEnd: number;
  /** Silence before a PING, ms; Infinity where none is sent. */
  private silence = Infinity;

  constructor(
    private readonly host: ConnectionHost,
    private readonly quiche: QuicheConnection,
    requestFlush: () => void,
  ) {
    this.timer = host.wheel.timer(() => {
      this.isDue = true;
      requestFlush();
    });
    this.lastActivity = host.clock.now();
    this.handshakeEnd = this.lastActivity + host.limits.handshakeTimeout;
  }

  /**
   * @param theirs the idle timeout that the peer announced, ms; 0 is none.
   * @returns the one that counts, ms; Infinity where neither side has one.
   */
  established(theirs: number): number {
    this.handshakeEnd = Infinity;
    const { keepalive, limits } = this.host;
    const idleTimeout = Math.min(theirs || Infinity, limits.idleTimeout || Infinity);
    if (keepalive !== null && idleTimeout < keepalive.idleBelow) {
      this.silence = Math.min(keepalive.silence, idleTimeout * IDLE_SHARE);
    }
    return idleTimeout;
  }

  /** Looks again after at most this long, ms; what is due earlier stays. */
  within(delay: number): void {
    this.timer.armWithin(delay);
  }

  /** To be called after every flush. @param atMost looks again after this long in any case, ms. */
  rearm(atMost = Infinity): void {
    const timeout = this.quiche.timeout();
    // quiche counts in whole ms, rounded down.
    let delay = timeout === null ? atMost : Math.min(timeout + 1, atMost);
    const ours = Math.min(this.handshakeEnd, this.lastActivity + this.silence);
    if (ours !== Infinity) delay = Math.min(delay, ours - this.host.clock.now());
    if (delay !== Infinity) this.timer.arm(Math.max(1, delay));
  }

  /** Runs quiche's timers and says what else is due. */
  expire(): Due {
    this.isDue = false;
    this.quiche.onTimeout();
    const now = this.host.clock.now();
    if (now >= this.handshakeEnd) return 'handshake-timeout';
    return now - this.lastActivity >= this.silence ? 'keepalive' : null;
  }

  stop(): void {
    this.timer.disarm();
  }
}
