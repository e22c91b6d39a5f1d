import type { Config } from '../config/config.js';
import { WsServer } from '../edge/ws-server.js';
import type { WsIdentity, WsServerOptions } from '../edge/ws-server.js';
import type { SessionService } from '../session/session-service.js';
import { addressOf, handshakeLimit } from './options.js';

type Parts = Pick<
  WsServerOptions,
  'accept' | 'clock' | 'wheel' | 'metrics' | 'log' | 'beforeFlush' | 'pace' | 'altSvc' | 'pages'
>;

/** The WebSocket listener out of the configuration; null where server.ws_addr is off. */
export function webSocketServer(
  config: Config,
  identity: WsIdentity,
  sessions: SessionService,
  parts: Parts,
): WsServer | null {
  const { server, websocket } = config;
  if (server.wsAddr === null) return null;
  const limit = handshakeLimit(config);
  const clientAddress = addressOf(config);
  return new WsServer({
    ...parts,
    host: server.wsAddr.host,
    port: server.wsAddr.port,
    identity,
    origins: websocket.origins,
    compression: websocket.compression,
    liveness: { interval: websocket.pingInterval, limit: websocket.pongTimeout },
    handshakeTimeout: websocket.handshakeTimeout,
    maxConnections: limit,
    ...(clientAddress === undefined ? {} : { addressOf: clientAddress }),
    full: () => sessions.connectionCount >= limit,
  });
}
