import type { Config } from '../config/config.js';
import type { ServerIdentity } from '../config/server-identity.js';
import { HTTP3_ALPN } from '../edge/h3-edge.js';
import type { Http3Edge } from '../edge/h3-edge.js';
import { GATESVR_ALPN, quicEdge } from '../edge/quic-edge.js';
import type { QuicEdgeOptions } from '../edge/quic-edge.js';
import { EarlyCollection, minorCollector } from '../quic/early-collection.js';
import { QuicServer } from '../quic/quic-server.js';
import type { QuicServerOptions } from '../quic/quic-server.js';
import { handshakeLimit, unprovenLimit } from './options.js';
import { quicKeys } from './quic-keys.js';

/**
 * Handshakes under way while the event loop is late: each costs about a millisecond, and takes two of
 * its turns, which are long then.
 */
const SHED_HANDSHAKES = 64;

type Parts = Pick<QuicServerOptions, 'beforeFlush' | 'pace' | 'metrics' | 'log'> &
  Pick<QuicEdgeOptions, 'accept' | 'wait' | 'clock'>;

/**
 * The UDP port of clients out of the configuration.
 * @param http3 spoken beside ALPN `gatesvr`, or null.
 * @throws {StartupError} where certificate, key or key file cannot be used.
 */
export function quicServer(
  config: Config,
  identity: ServerIdentity,
  http3: Http3Edge | null,
  parts: Parts,
): QuicServer {
  const { server, quic, backup } = config;
  const { accept, wait, ...shared } = parts;
  const { clock, metrics } = parts;
  const gatesvr = quicEdge({ accept, ...(wait && { wait }), clock, metrics });
  const keys = quicKeys(backup.clusterSecret, quic.retryKeyFile);
  return new QuicServer({
    ...shared,
    host: server.quicAddr.host,
    port: server.quicAddr.port,
    identity,
    protocols: { [GATESVR_ALPN]: gatesvr, ...(http3 && { [HTTP3_ALPN]: http3.accept }) },
    limits: { idleTimeout: quic.idleTimeout, ...http3?.limits },
    ...(keys === undefined ? {} : { keys }),
    migration: quic.migration,
    maxConnections: handshakeLimit(config),
    handshakes: { retryAbove: unprovenLimit(config) },
    collection: new EarlyCollection(parts.clock, minorCollector()),
    socketBuffers: { recv: quic.recvBuffer, send: quic.sendBuffer },
  });
}

/** While it has too much to do: a few clients are told so, the others are refused before a handshake. */
export function limitHandshakes(quic: QuicServer, config: Config, shedding: boolean): void {
  const limit = handshakeLimit(config);
  const few = quic.connectionCount() + SHED_HANDSHAKES;
  quic.limitConnections(shedding ? Math.min(limit, few) : limit);
}
