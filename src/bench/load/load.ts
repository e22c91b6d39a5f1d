import { SystemClock } from '../../base/clock.js';
import { StreamLink } from '../../link/stream-link.js';
import { createQuicClient } from '../../sdk/client/index.js';
import { LoadSession } from './load-session.js';
import type { LoadObserver } from './load-session.js';

/** Connections that are opened at once: enough to keep both sides busy, few enough not to time out. */
const CONNECTS_AT_ONCE = 32;

/** A flow of sessions from this process over a few UDP sockets. */
export class SessionPool {
  readonly sessions: LoadSession[] = [];
  private readonly clients;
  private readonly clock = new SystemClock();

  /** @param sockets clients behind different addresses: the kernel and the gateway see so many. */
  constructor(
    private readonly port: number,
    private readonly observer: LoadObserver,
    sockets = 4,
  ) {
    this.clients = Array.from({ length: sockets }, () =>
      createQuicClient({ insecure: true, idleTimeoutMs: 90_000 }),
    );
  }

  /** Opens `count` sessions with openids of this prefix. @throws {Error} where one is refused. */
  async open(count: number, prefix: string): Promise<void> {
    let next = 0;
    const worker = async () => {
      while (next < count) {
        const index = next++;
        this.sessions.push(await this.connect(index, `${prefix}-${index}`));
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONNECTS_AT_ONCE, count) }, worker));
  }

  private async connect(index: number, openid: string): Promise<LoadSession> {
    const client = this.clients[index % this.clients.length];
    if (client === undefined) throw new Error('a pool needs a socket');
    let link: StreamLink | null = null;
    const target = { host: '127.0.0.1', port: this.port, serverName: 'localhost' };
    const connection = await client.connect(target, {
      onStream: (stream) => stream.reset(0),
      onClosed: ({ code, reason, by }) => link?.connectionClosed({ code, reason, by }),
    });
    link = new StreamLink('quic', connection.openStream(), connection, this.clock);
    const session = new LoadSession(link, openid, this.observer);
    await session.start();
    return session;
  }

  /** Says STOP for every session and closes the sockets. */
  async close(): Promise<void> {
    for (const session of this.sessions) session.stop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await Promise.all(this.clients.map((client) => client.stop()));
  }
}
