import type { Clock } from '../../base/clock.js';
import type { Link } from '../../link/link.js';
import { StreamLink } from '../../link/stream-link.js';
import type { ConnectTarget, QuicClient } from '../../quic/quic-client.js';
import { createQuicClient } from '../../sdk/client/quic-client.js';
import type { QuicClientSettings } from '../../sdk/client/index.js';

/** How a certificate is checked. */
export type LoadTrust = Pick<QuicClientSettings, 'ca' | 'insecure'>;

/** And how long a path may be silent, and a handshake take, ms. */
export type LoadSocketOptions = LoadTrust &
  Pick<QuicClientSettings, 'idleTimeoutMs' | 'handshakeTimeoutMs'>;

/** One of the ways in which a load reaches the gateway's UDP port. */
export interface LoadTransport {
  /** As `Link.transport`. */
  readonly name: string;
  /** A UDP socket for many connections. */
  socket(options: LoadSocketOptions): QuicClient;
  /**
   * A Link over a connection of its own, which frames may be sent on.
   * @throws {CodedError} where it is not to be had.
   */
  open(socket: QuicClient, target: ConnectTarget, clock: Clock): Promise<Link>;
}

/** ALPN `gatesvr`, the gateway's own: what every benchmark uses that says nothing else. */
export const GATESVR_TRANSPORT: LoadTransport = {
  name: 'quic',
  socket: (options) => createQuicClient(options),
  open: async (socket, target, clock) => {
    let link: StreamLink | null = null;
    const connection = await socket.connect(target, {
      onStream: (stream) => stream.reset(0),
      onClosed: ({ code, reason, by }) => link?.connectionClosed({ code, reason, by }),
    });
    link = new StreamLink('quic', connection.openStream(), connection, clock);
    return link;
  },
};
