import { setTimeout as pause } from 'node:timers/promises';
import { formatAddress } from '../../base/address.js';
import { SystemClock } from '../../base/clock.js';
import type { Cancel } from '../../base/clock.js';
import type { ConnectTarget, QuicClient } from '../../quic/quic-client.js';
import type { LatencyRecorder } from './latency-recorder.js';
import { LoadSession } from './load-session.js';
import type { LoadObserver } from './load-session.js';
import { GATESVR_TRANSPORT } from './load-transport.js';
import type { LoadTransport, LoadTrust } from './load-transport.js';

/** Connections that are opened at once: enough to keep both sides busy, few enough not to time out. */
const CONNECTS_AT_ONCE = 32;

/** Of a pace that was not kept so much is made up for, ms: what timers are late by. */
const MAX_CATCH_UP_MS = 100;

/** How long STOPs have to leave before the sockets close, ms. */
const FAREWELL_MS = 300;

/** Longer than any heartbeat interval, so that nothing ends that the gateway would keep, ms. */
const IDLE_TIMEOUT_MS = 90_000;

/** A gateway, and how its certificate is checked. */
export interface LoadTarget extends ConnectTarget {
  readonly trust: LoadTrust;
}

export interface PoolOptions {
  /** Clients behind different addresses: the kernel and the gateway see so many. */
  readonly sockets?: number;
  /** The token of an openid's START. */
  readonly token?: (openid: string) => string;
  /** How sessions reach the gateway; by default over ALPN `gatesvr`. */
  readonly transport?: LoadTransport;
  /**
   * How long a session may take to open, handshake and the answer to START together, ms. Default: the handshake as
   * long as the transport has it, START as long as it takes.
   */
  readonly openTimeoutMs?: number;
}

/** Whom a development gateway on this machine is. */
export function localTarget(port: number): LoadTarget {
  return { host: '127.0.0.1', port, serverName: 'localhost', trust: { insecure: true } };
}

/** A flow of sessions from this process over a few UDP sockets. */
export class SessionPool {
  readonly sessions: LoadSession[] = [];
  private readonly clients: readonly QuicClient[];
  private readonly clock = new SystemClock();
  private readonly token: (openid: string) => string;
  private readonly transport: LoadTransport;
  private readonly openTimeoutMs: number | undefined;
  private next = 0;
  private heard = false;

  constructor(
    private readonly target: LoadTarget,
    options: PoolOptions = {},
  ) {
    const { sockets = 4, token = () => 'bench', transport = GATESVR_TRANSPORT } = options;
    const { openTimeoutMs } = options;
    this.token = token;
    this.transport = transport;
    this.openTimeoutMs = openTimeoutMs;
    const patience = openTimeoutMs === undefined ? {} : { handshakeTimeoutMs: openTimeoutMs };
    this.clients = Array.from({ length: sockets }, () =>
      transport.socket({ ...target.trust, idleTimeoutMs: IDLE_TIMEOUT_MS, ...patience }),
    );
  }

  /** Whether any session has come about. */
  get reached(): boolean {
    return this.heard;
  }

  /**
   * Opens sessions and keeps them in `sessions`.
   * @param latencies gets the time that each took, START included.
   * @param rampMs they are begun evenly over this time, or longer where that is not kept up with: what is missed
   * is not made up for by a storm; 0: as fast as it goes.
   * @throws {Error} where one is refused.
   */
  async open(
    openids: readonly string[],
    observer: LoadObserver,
    latencies: LatencyRecorder | null = null,
    rampMs = 0,
  ): Promise<void> {
    const interval = rampMs / openids.length;
    let due = performance.now();
    let next = 0;
    let failed = false;
    const worker = async () => {
      while (next < openids.length && !failed) {
        const openid = openids[next++] as string;
        const early = due - performance.now();
        due = Math.max(due, performance.now() - MAX_CATCH_UP_MS) + interval;
        if (early > 0) await pause(early);
        const begun = performance.now();
        this.sessions.push(await this.connect(openid, observer));
        latencies?.record(performance.now() - begun);
      }
    };
    const workers = Array.from({ length: Math.min(CONNECTS_AT_ONCE, openids.length) }, () =>
      worker().catch((error: unknown) => {
        failed = true;
        throw error;
      }),
    );
    const ends = await Promise.allSettled(workers);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** Opens one session that the caller stops. @throws {Error} where it is refused, or takes too long. */
  async connect(openid: string, observer: LoadObserver): Promise<LoadSession> {
    const client = this.clients[this.next++ % this.clients.length];
    if (client === undefined) throw new Error('a pool needs a socket');
    const begun = this.clock.now();
    const link = await this.transport.open(client, this.target, this.clock);
    const session = new LoadSession(link, openid, observer);
    const answered = this.giveUpLater(session, begun);
    await session.start(this.token(openid)).finally(answered);
    this.heard = true;
    return session;
  }

  /** A gateway may take connections and answer nothing. @param begun when the handshake began (monotonic ms). */
  private giveUpLater(session: LoadSession, begun: number): Cancel {
    const { openTimeoutMs, target, clock } = this;
    if (openTimeoutMs === undefined) return () => undefined;
    const at = `UDP ${formatAddress(target.host, target.port)}`;
    const reason = `no answer to START from ${at} within ${openTimeoutMs / 1000} s`;
    return clock.after(begun + openTimeoutMs - clock.now(), () => session.giveUp(reason));
  }

  /** Says STOP for every session and closes the sockets. */
  async close(): Promise<void> {
    for (const session of this.sessions) session.stop();
    await pause(FAREWELL_MS);
    await Promise.all(this.clients.map((client) => client.stop()));
  }
}
